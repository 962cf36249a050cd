"""The servers that the benchmarks measure: how each is started, and what it costs."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import time

ACCESS_KEY = "benchaccesskey00"
SECRET_KEY = "benchsecretkey00benchsecretkey00"
DISK_COUNT = 6


class Failed(Exception):
    """What went wrong, in a sentence for whoever runs this."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def parse_cpu_seconds(stat, ticks_per_second):
    """User and system time in a line of /proc/PID/stat, whose second field may hold anything."""
    fields = stat.rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / ticks_per_second


def parse_status_mib(status, name):
    """A size, as VmRSS, in the text of /proc/PID/status, in MiB."""
    for line in status.splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024
    return 0.0


def parse_machine_seconds(stat, ticks_per_second):
    """What all processors have done since boot by /proc/stat: (busy, stolen by the host)."""
    user, nice, system, _idle, _wait, irq, softirq, steal = map(int, stat.split()[1:9])
    busy = user + nice + system + irq + softirq
    return busy / ticks_per_second, steal / ticks_per_second


def machine_seconds():
    return parse_machine_seconds(read_text("/proc/stat"), os.sysconf("SC_CLK_TCK"))


def free_memory_bytes(meminfo):
    for line in meminfo.splitlines():
        if line.startswith("MemFree:"):
            return int(line.split()[1]) * 1024
    return 0


def fill_free_memory(path, leave_bytes):
    """Fills free memory with clean pages of a sparse file at `path`, which the kernel takes back
    when it needs them; they are gone when the file is.

    So memory is as on a machine that has been up for long. Many virtual machines give free memory
    back to their host, and then each page that is used anew costs several times a copy of it."""
    size = max(0, free_memory_bytes(read_text("/proc/meminfo")) - leave_bytes)
    readers = os.cpu_count()
    with open(path, "wb") as file:
        file.truncate(size)
    running = [subprocess.Popen(
        ["dd", f"if={path}", "of=/dev/null", "bs=1M", f"skip={size * i // readers >> 20}",
         f"count={size // readers >> 20}"], stderr=subprocess.DEVNULL) for i in range(readers)]
    for reader in running:
        reader.wait()
    return size


def read_text(path):
    with open(path, encoding="ascii", errors="replace") as file:
        return file.read()


class Server:
    """One server process on directories of its own, stopped and removed with `stop`."""

    name = ""
    doors = ("s3",)
    durability = ""
    ready_path = None

    def __init__(self, directory):
        self.directory = os.path.join(directory, self.name)
        self.port = free_port()
        self.process = None
        self.log_path = self.directory + ".log"

    @property
    def endpoint(self):
        return f"127.0.0.1:{self.port}"

    def command(self):
        raise NotImplementedError

    def environment(self):
        return {}

    def disks(self):
        return [os.path.join(self.directory, f"d{i}") for i in range(1, DISK_COUNT + 1)]

    def start(self, timeout_s=60):
        """Starts it and returns the seconds until it says it is ready."""
        for disk in self.disks():
            os.makedirs(disk, exist_ok=True)
        began = time.monotonic()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env={**os.environ, **self.environment()}, start_new_session=True)
        while not self.is_ready():
            if self.process.poll() is not None:
                raise Failed(f"{self.name} ended at once:\n{self.log_tail()}")
            if time.monotonic() - began > timeout_s:
                raise Failed(f"{self.name} is not ready after {timeout_s} s:\n{self.log_tail()}")
            time.sleep(0.002)
        return time.monotonic() - began

    def is_ready(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", self.ready_path)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def stop(self, remove=True):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if remove:
            shutil.rmtree(self.directory, ignore_errors=True)

    def log_tail(self):
        return "\n".join(read_text(self.log_path).splitlines()[-10:])

    def pid(self):
        return self.process.pid

    def cpu_seconds(self):
        return parse_cpu_seconds(read_text(f"/proc/{self.pid()}/stat"), os.sysconf("SC_CLK_TCK"))

    def memory_mib(self):
        return parse_status_mib(read_text(f"/proc/{self.pid()}/status"), "VmRSS")

    def memory_peak_mib(self):
        return parse_status_mib(read_text(f"/proc/{self.pid()}/status"), "VmHWM")

    def forget_memory_peak(self):
        with open(f"/proc/{self.pid()}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")

    def load_prefix(self):
        """What has to stand before a client's command for it to reach this server."""
        return []


class Ashlar(Server):
    name = "ashlar"
    doors = ("s3", "nfs")
    durability = "data and namespace synced on their disks before each answer, 4+2"
    ready_path = "/health/ready"

    def __init__(self, directory, program):
        super().__init__(directory)
        self.program = program
        self.nfs_port = self.nfs_mount_port = free_port()

    def command(self):
        return [self.program, "serve", *self.disks(), "--address", self.endpoint,
                "--nfs", f"127.0.0.1:{self.nfs_port}"]

    def environment(self):
        return {"ASHLAR_ACCESS_KEY": ACCESS_KEY, "ASHLAR_SECRET_KEY": SECRET_KEY}


class Minio(Server):
    name = "minio"
    durability = "fdatasync or O_DSYNC for each object, directories not synced, 4+2"
    ready_path = "/minio/health/ready"

    def __init__(self, directory, program):
        super().__init__(directory)
        self.program = program
        self.console_port = free_port()

    def command(self):
        pattern = os.path.join(self.directory, f"d{{1...{DISK_COUNT}}}")
        return [self.program, "server", "--quiet", "--address", self.endpoint,
                "--console-address", f"127.0.0.1:{self.console_port}", pattern]

    def environment(self):
        # CI_CD: several "disks" on one file system; two parity shards as Ashlar's.
        return {"MINIO_ROOT_USER": ACCESS_KEY, "MINIO_ROOT_PASSWORD": SECRET_KEY,
                "MINIO_CI_CD": "on", "MINIO_BROWSER": "off", "MINIO_STORAGE_CLASS_STANDARD": "EC:2",
                "HOME": self.directory}


GANESHA_SETTINGS = """
NFS_CORE_PARAM {{
    Protocols = 3; Enable_UDP = false; Enable_NLM = false; Enable_RQUOTA = false;
    NFS_Port = {port}; MNT_Port = {mount_port}; mount_path_pseudo = true;
}}
NFSv4 {{ RecoveryBackend = fs; RecoveryRoot = {directory}/recovery; Graceless = true; }}
EXPORT {{
    Export_Id = 1; Path = {directory}/export; Pseudo = /{bucket};
    Access_Type = RW; Squash = no_root_squash; SecType = sys; Protocols = 3; Transports = TCP;
    FSAL {{ Name = VFS; }}
}}
LOG {{ Default_Log_Level = EVENT; }}
"""
# NFSv3 of Ganesha registers with a portmapper, which listens on all addresses and keeps its files
# in /run: so both live in namespaces of their own.
GANESHA_START = """
ip link set lo up && mount -t tmpfs run /run && mkdir /run/rpcbind || exit 1
rpcbind -f & for i in $(seq 100); do rpcinfo -p 127.0.0.1 >&2 && break; sleep 0.05; done
exec ganesha.nfsd -F -f "$1/ganesha.conf" -L "$1/ganesha.log" -p "$1/pid"
"""


class Ganesha(Server):
    """Exports one directory of the file system as it is."""

    name = "ganesha"
    doors = ("nfs",)
    durability = "plain files of one directory, VFS back end (reads only are measured)"

    def __init__(self, directory, bucket):
        super().__init__(directory)
        self.bucket = bucket
        self.nfs_port = self.port
        self.nfs_mount_port = free_port()

    def disks(self):
        return [self.export(), os.path.join(self.directory, "recovery")]

    def export(self):
        return os.path.join(self.directory, "export")

    def command(self):
        settings = GANESHA_SETTINGS.format(port=self.nfs_port, mount_port=self.nfs_mount_port,
                                           directory=self.directory, bucket=self.bucket)
        with open(os.path.join(self.directory, "ganesha.conf"), "w", encoding="ascii") as file:
            file.write(settings)
        return ["unshare", "--net", "--mount", "--propagation", "private",
                "bash", "-c", GANESHA_START, "start", self.directory]

    def is_ready(self):
        probe = ["bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{self.nfs_port}"]
        return subprocess.run(self.load_prefix() + probe, capture_output=True).returncode == 0

    def load_prefix(self):
        return ["nsenter", "-t", str(self.pid()), "-n"]

    def stop(self, remove=True):
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.pid(), signal.SIGTERM)
        super().stop(remove)

    @staticmethod
    def missing():
        """Why it can not be measured here; nothing when it can."""
        for program in ("ganesha.nfsd", "rpcbind", "rpcinfo", "unshare", "nsenter", "ip"):
            if shutil.which(program) is None:
                return f"{program} is not installed"
        return None if os.geteuid() == 0 else "it needs root for a network namespace"
