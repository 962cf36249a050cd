"""One run of bench/run: starts the servers, fills them, measures line by line."""

import contextlib
import json
import os
import platform
import subprocess
import sys
import time

import lines as bench_lines
import servers
import table
import warp
from servers import Failed

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FILL_SECONDS_MAX = 400
CONSUME_SECONDS_MAX = 120
DISTURBED_CORES = 0.3
LEAVE_FREE_BYTES = 1 << 30


def say(text):
    print(text, file=sys.stderr, flush=True)


def run_json(command, what):
    done = subprocess.run(command, capture_output=True, text=True,
                          env={**os.environ, "ASHLAR_ACCESS_KEY": servers.ACCESS_KEY,
                               "ASHLAR_SECRET_KEY": servers.SECRET_KEY})
    if done.returncode != 0:
        raise Failed(f"{what}: {done.stderr.strip() or done.stdout.strip()}")
    return json.loads(done.stdout)


def peer_program(directory, name):
    for candidate in (f"{name}.bin", name) if directory else ():
        path = os.path.abspath(os.path.join(directory, candidate))
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return None


class Bench:
    """Its servers, what they hold already, and what was measured. `arguments` are those of
    bench/run; `directory` is for the servers."""

    def __init__(self, arguments, directory):
        self.arguments = arguments
        self.directory = directory
        self.programs = os.path.join(arguments.release, "bench")
        self.filled = set()
        self.results = {"lines": {}, "figures": {}, "servers": {}, "left_out": {}}

    def run(self):
        if self.arguments.warm:
            say("filling free memory with page cache ...")
            servers.fill_free_memory(os.path.join(self.directory, "filler"), LEAVE_FREE_BYTES)
        self.results["machine"] = self.machine()
        with contextlib.ExitStack() as stack:
            running = []
            for server in self.all_servers():
                stack.callback(server.stop)
                start_s = server.start()
                self.results["servers"][server.name] = {
                    "durability": server.durability, "start_s": start_s}
                running.append(server)
            for line in self.arguments.lines:
                self.measure_line(line, running)
            self.figures(running)
        return self.results

    def all_servers(self):
        arguments = self.arguments
        program = arguments.server or os.path.join(arguments.release, "cmd", "ashlar")
        found = [servers.Ashlar(self.directory, os.path.abspath(program))]
        if arguments.peers is None:
            return found
        doors = {line.door for line in arguments.lines} | ({"s3"} if arguments.figures else set())
        minio = peer_program(arguments.peers, "minio")
        if "s3" in doors and minio is None:
            self.results["left_out"]["minio"] = f"no such program in {arguments.peers}"
        elif "s3" in doors:
            found.append(servers.Minio(self.directory, minio))
        if "nfs" in doors:
            missing = servers.Ganesha.missing()
            if missing:
                self.results["left_out"]["ganesha"] = missing
            else:
                found.append(servers.Ganesha(self.directory, bench_lines.NFS_FILE.bucket))
        return found

    def measure_line(self, line, running):
        found = self.results["lines"][line.name] = {}
        for server in running:
            if line.door not in server.doors or (server.name != "ashlar" and not line.peers):
                continue
            report = found[server.name] = self.measure(server, line)
            extra = f", first byte {table.latency(report['first_byte_p50_us'])}" \
                if line.goal_first_byte_us else ""
            say(f"  {server.name}: {line.title_of(self.arguments.quick)}: "
                f"{table.figure(report[line.rate], bench_lines.UNITS[line.rate])}, "
                f"p50 {table.latency(report['p50_us'])}, p99 {table.latency(report['p99_us'])}, "
                f"server CPU {report['server_cpu_us']:.0f} us each{extra}")
        if self.arguments.warp and line.warp:
            found["warp"] = {}
            for server in running:
                if server.name in found:
                    rates = warp.run(self.arguments.warp_program, server, line,
                                     self.arguments.seconds)
                    if rates is not None:
                        found["warp"][server.name] = rates
                        say(f"  {server.name}: the same by warp: "
                            f"{table.figure(rates[line.rate], bench_lines.UNITS[line.rate])}")

    def measure(self, server, line):
        """One line on one server: the client's report with the server's share of the CPU."""
        self.fill(server, line.fill)
        # What is still to be written would weigh on whoever comes next.
        os.sync()
        if line.door == "nfs":
            # Over the file before, so that it lies in the page cache.
            run_json(self.nfs_command(server, line, 1), f"{server.name}: {line.work}")
            command = self.nfs_command(server, line, self.arguments.seconds)
        else:
            command = self.s3_command(server, line)
        memory_before = server.memory_mib()
        server.forget_memory_peak()
        busy_before, stolen_before = servers.machine_seconds()
        cpu_before = server.cpu_seconds()
        report = run_json(command, f"{server.name}: {line.work}")
        cpu = server.cpu_seconds() - cpu_before
        busy, stolen = servers.machine_seconds()
        report["server_cpu_us"] = cpu * 1e6 / max(report["operations"], 1)
        report["server_cores"] = cpu / max(report["seconds"], 1e-9)
        client_cpu = report["client_cpu_us"] * report["operations"] / 1e6
        report["other_cores"] = (busy - busy_before - cpu - client_cpu) / report["seconds"]
        report["stolen_cores"] = (stolen - stolen_before) / report["seconds"]
        if max(report["other_cores"], report["stolen_cores"]) > DISTURBED_CORES:
            say(f"  disturbed: others used {report['other_cores']:.1f} cores meanwhile, "
                f"the host took {report['stolen_cores']:.1f}")
        report["memory_before_mib"] = memory_before
        report["memory_peak_mib"] = server.memory_peak_mib()
        report["memory_after_mib"] = server.memory_mib()
        return report

    def s3_command(self, server, line):
        quick = self.arguments.quick
        options = {"clients": line.clients, "seconds": self.arguments.seconds, "size": line.size,
                   "chunk": line.chunk}
        if line.fill is None:
            options |= {"bucket": line.name.replace("_", "-"), "prefix": "o"}
        else:
            options |= {"bucket": line.fill.bucket, "prefix": line.fill.prefix,
                        "directories": line.fill.directories, "objects": line.fill.objects(quick)}
        if line.consumes:
            options["objects"] = line.quick_consumes if quick else line.consumes
            options["seconds"] = CONSUME_SECONDS_MAX
        return self.load_command("s3_load", server, line.work,
                                 {"endpoint": server.endpoint, **options})

    def nfs_command(self, server, line, seconds):
        return self.load_command("nfs_load", server, line.work, {
            "port": server.nfs_port, "mount-port": server.nfs_mount_port,
            "export": "/" + line.fill.bucket, "file": line.fill.prefix + "00000000",
            "size": line.size, "clients": line.clients, "depth": line.depth, "seconds": seconds})

    def load_command(self, program, server, work, options):
        words = [f"--{name}={value}" for name, value in options.items()]
        return server.load_prefix() + [os.path.join(self.programs, program), work, *words]

    def fill(self, server, fill):
        if fill is None or (server.name, fill) in self.filled:
            return
        self.filled.add((server.name, fill))
        if "s3" not in server.doors:
            with open(os.path.join(server.export(), fill.prefix + "00000000"), "wb") as file:
                for _ in range(fill.size // bench_lines.MIB):
                    file.write(os.urandom(bench_lines.MIB))
            return
        count = fill.objects(self.arguments.quick)
        clients = max(1, min(bench_lines.FILL_CLIENTS, 64 * bench_lines.MIB // fill.size, count))
        report = run_json(self.load_command("s3_load", server, "put", {
            "endpoint": server.endpoint, "bucket": fill.bucket, "prefix": fill.prefix,
            "directories": fill.directories, "size": fill.size, "objects": count,
            "clients": clients, "seconds": FILL_SECONDS_MAX}), f"{server.name}: fill")
        if report["operations"] != count:
            raise Failed(f"{server.name}: only {report['operations']} of {count} objects of "
                         f"{fill.bucket} in {FILL_SECONDS_MAX} s")
        say(f"  {server.name}: {count:,} objects of {fill.size:,} bytes "
            f"in {report['seconds']:.1f} s")

    def figures(self, running):
        wanted = self.arguments.figures
        figures = self.results["figures"]
        measured = [server for server in running if "s3" in server.doors]
        if "memory" in wanted:
            figures["memory"] = {s.name: s.memory_mib() for s in measured}
        if "idle" in wanted:
            time.sleep(2)
            before = {s.name: s.cpu_seconds() for s in measured}
            seconds = 4 if self.arguments.quick else 10
            time.sleep(seconds)
            figures["idle"] = {s.name: 100 * (s.cpu_seconds() - before[s.name]) / seconds
                               for s in measured}
        if "start" in wanted:
            figures["start"] = {s.name: self.results["servers"][s.name]["start_s"]
                                for s in measured}
            figures["start_again"] = {}
            for server in measured:
                server.stop(remove=False)
                figures["start_again"][server.name] = server.start()

    def machine(self):
        """What this machine is, and what it can do at best in this very run."""
        found = {"time": time.strftime("%Y-%m-%d %H:%M"), "kernel": platform.release(),
                 "cores": os.cpu_count(), "warm": self.arguments.warm,
                 "seconds_a_line": self.arguments.seconds}
        for text in servers.read_text("/proc/cpuinfo").splitlines():
            if text.startswith("model name"):
                found["processor"] = text.split(":", 1)[1].strip()
                break
        commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"],
                                capture_output=True, text=True)
        found["commit"] = commit.stdout.strip() or "unknown"
        found["limits"] = run_json([os.path.join(self.programs, "limits"), self.directory],
                                   "limits")
        return found
