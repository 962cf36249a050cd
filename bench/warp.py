"""minio/warp as a second client: S3's own kind of client, with a client's usual cost."""

import os
import re
import subprocess

from servers import ACCESS_KEY, SECRET_KEY, Failed

SECONDS_MIN = 5  # else it finds too few samples
MIB_OF_UNIT = {"KiB": 1 / 1024, "MiB": 1, "GiB": 1024}
AVERAGE = re.compile(r"Average: (?:([\d.]+) ([KMG]iB)/s, )?([\d.]+) obj/s")


def parse(text):
    """The rates of the first operation that warp reports an average of."""
    found = AVERAGE.search(text)
    if found is None:
        return None
    rates = {"operations_per_s": float(found.group(3)), "keys_per_s": float(found.group(3))}
    if found.group(1):
        rates["mib_per_s"] = float(found.group(1)) * MIB_OF_UNIT[found.group(2)]
    return rates


def run(program, server, line, seconds):
    """What warp makes of a line on a server; nothing when it had too few samples to say."""
    command = [program, line.warp[0], "--host", server.endpoint, "--access-key", ACCESS_KEY,
               "--secret-key", SECRET_KEY, "--no-color", "--bucket",
               "warp-" + line.name.replace("_", "-"), "--benchdata",
               os.path.join(server.directory, "warp"), *line.warp[1:]]
    if line.warp[0] != "delete":
        command += ["--duration", f"{max(seconds, SECONDS_MIN):.0f}s"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    rates = parse(done.stdout)
    if rates is None and "too few samples" not in done.stdout:
        said = done.stdout[-500:] + done.stderr[-500:]
        raise Failed(f"{server.name}: warp {line.warp[0]}: {said}")
    return rates
