"""Starts and stops the real `ashlar serve` for tests, and hands out clients of its doors.

The program is $ASHLAR_SERVER. All addresses are loopback with ports the system chose; all files
lie in a temporary directory that goes with the server.
"""

import base64
import contextlib
import errno
import http.client
import itertools
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import boto3
import botocore.config
import botocore.exceptions

import libnfs

ACCESS_KEY = "ASHLARTESTKEY0000001"
SECRET_KEY = "a-secret-of-tests/with+odd=signs"
REGION = "us-east-1"
NFS_USER = (1000, 1000)
NOBODY = 65534
START_SECONDS = 60
STOP_SECONDS = 60


_bucket_numbers = itertools.count(1)


class Failed(Exception):
    pass


def pause(seconds):
    """One turn of a bounded wait for something outside; never the wait itself."""
    threading.Event().wait(seconds)


def wait_until(what, check, seconds=30):
    """Returns check()'s first true value; Failed when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failed(f"waited {seconds} s for {what}")
        pause(0.02)


def means_hung_up(error):
    """Whether an OSError of a socket says that the other side closed it; a time-out does not."""
    # ENOTCONN is what shutdown() says after a reset.
    return isinstance(error, ConnectionError) or error.errno == errno.ENOTCONN


def no_fuse_because():
    """Why nothing can be mounted here, or None."""
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "/dev/fuse is not there or not ours to open"
    with open("/proc/self/status", encoding="ascii") as status:
        caps = next(int(line.split()[1], 16) for line in status if line.startswith("CapEff:"))
    if caps >> 21 & 1:
        return None
    if os.geteuid() == 0:
        return "this root has no CAP_SYS_ADMIN"
    return None if shutil.which("fusermount3") else "fusermount3 is missing"


def needs_fuse(test):
    reason = no_fuse_because()
    return unittest.skipIf(reason, f"no mount here: {reason}")(test)


def needs_program(name):
    return unittest.skipIf(shutil.which(name) is None, f"{name} is not installed")


class Server:
    """One `ashlar serve` and its directories. start() returns when all doors are open."""

    def __init__(self, disks=6, nfs=True, mounts=None, arguments=(), environment=None):
        self.root = tempfile.mkdtemp(prefix="ashlar-test-")
        self.disks = [os.path.join(self.root, f"d{i}") for i in range(1, disks + 1)]
        self.log_path = os.path.join(self.root, "server.log")
        self.nfs = nfs
        # None: one mount of all buckets where FUSE is there; [] for none.
        self.mount_dir = None
        if mounts is None and no_fuse_because() is None:
            self.mount_dir = os.path.join(self.root, "mnt")
            mounts = [self.mount_dir]
        self.mounts = mounts or []
        self.arguments = list(arguments)
        self.environment = environment or {}
        self.limits = []  # for prlimit: "--nofile=100"
        self.process = None
        self.port = self.nfs_port = None
        self.lines = []

    @property
    def host(self):
        return f"127.0.0.1:{self.port}"

    @property
    def url(self):
        return f"http://{self.host}"

    def command(self):
        # However the test ends, so does the server.
        words = ["setpriv", "--pdeathsig", "KILL"]
        if self.limits:
            words += ["prlimit", *self.limits]
        words += [os.environ["ASHLAR_SERVER"], "serve", *self.disks, "--address", "127.0.0.1:0"]
        if self.nfs:
            words += ["--nfs", "127.0.0.1:0"]
        for mount in self.mounts:
            with contextlib.suppress(FileExistsError):  # also a stale mount, which is no directory
                os.makedirs(mount.split("=")[-1])
            words += ["--mount", mount]
        return words + self.arguments

    def start(self):
        self.port = self.nfs_port = None
        self.lines = []
        environment = {k: v for k, v in os.environ.items() if not k.startswith("ASHLAR_")}
        environment.update(ASHLAR_ACCESS_KEY=ACCESS_KEY, ASHLAR_SECRET_KEY=SECRET_KEY,
                           **self.environment)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=log, text=True,
                                            env=environment, cwd=self.root)
        threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True).start()
        wait_until("the server's doors", self._is_ready, START_SECONDS)
        return self

    def _read(self, stream):
        for line in stream:
            self.lines.append(line.rstrip("\n"))
            if match := re.match(r"S3\s+http://[^\s:]+:(\d+)", line):
                self.port = int(match.group(1))
            elif match := re.match(r"NFS\s+[^\s:]+:(\d+)", line):
                self.nfs_port = int(match.group(1))

    def _is_ready(self):
        if (code := self.process.poll()) is not None:
            self.process = None
            raise Failed(f"the server ended with {code}:\n{self.log()}")
        if self.port is None or (self.nfs and self.nfs_port is None):
            return False
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", "/health/ready")
            return connection.getresponse().status == 200
        return False

    def stop(self):
        """SIGTERM; the exit code must be 0 within STOP_SECONDS."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            threads = self.threads()
            self.kill()
            raise Failed(f"no end within {STOP_SECONDS} s of SIGTERM:\n{self.log()}\n"
                         f"--- threads:\n{threads}") from None
        self.process = None
        if code != 0:
            raise Failed(f"SIGTERM made the server end with {code}:\n{self.log()}")

    def kill(self):
        """SIGKILL. A mount stays behind, as after any crash; start() has to clean it up."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def close(self):
        try:
            self.stop()
        finally:
            for mount in self.mounts:
                subprocess.run(["umount", "-l", mount.split("=")[-1]], check=False,
                               stderr=subprocess.DEVNULL)
            if os.environ.get("ASHLAR_KEEP"):
                print("kept", self.root, file=sys.stderr)
            else:
                shutil.rmtree(self.root, ignore_errors=True)

    def log(self, lines=60):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return "\n".join(self.lines[-20:] + log.read().splitlines()[-lines:])

    def s3(self, endpoint=None, **config):
        """A boto3 client with the defaults a user would have, but for few retries."""
        config.setdefault("retries", {"max_attempts": 2})
        config.setdefault("read_timeout", 120)
        config.setdefault("s3", {"addressing_style": "path"})
        return boto3.client("s3", endpoint_url=endpoint or self.url, region_name=REGION,
                            aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY,
                            config=botocore.config.Config(**config))

    def nfs_url(self, path):
        return (f"nfs://127.0.0.1{path}?version=3&nfsport={self.nfs_port}"
                f"&mountport={self.nfs_port}")

    def tool_environment(self):
        """For foreign programs: credentials, and a home of their own."""
        home = os.path.join(self.root, "home")
        os.makedirs(home, exist_ok=True)
        theirs = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "RCLONE_"))}
        return {**theirs, "HOME": home, "AWS_ACCESS_KEY_ID": ACCESS_KEY,
                "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_DEFAULT_REGION": REGION,
                "AWS_ENDPOINT_URL": self.url, "AWS_EC2_METADATA_DISABLED": "true",
                "AWS_PAGER": "", "LC_ALL": "C.UTF-8"}

    def run(self, *command, check=True, text=True, timeout=300, **options):
        """Runs a foreign program; its output is in the error when it fails."""
        options.setdefault("env", self.tool_environment())
        if "input" not in options:
            options.setdefault("stdin", subprocess.DEVNULL)
        done = subprocess.run([str(word) for word in command], capture_output=True, text=text,
                              timeout=timeout, check=False, **options)
        if check and done.returncode != 0:
            raise Failed(f"{' '.join(map(str, command))}: exit {done.returncode}\n"
                         f"{done.stdout}\n{done.stderr}\n--- server:\n{self.log(20)}")
        return done

    def threads(self):
        """What each thread waits for: its name, state, processor seconds, system call."""
        lines = []
        folder = f"/proc/{self.process.pid}/task"
        for task in sorted(os.listdir(folder), key=int):
            with contextlib.suppress(OSError):
                texts = []
                for name in ("comm", "stat", "wchan", "syscall"):
                    with open(f"{folder}/{task}/{name}", "rb") as file:
                        texts.append(file.read().decode("ascii", "replace").strip())
                comm, stat, wchan, syscall = texts
                fields = stat.rsplit(")", 1)[1].split()
                seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
                lines.append(f"{comm} {fields[0]} {seconds} s {wchan} syscall {syscall}")
        return "\n".join(lines)

    def metrics(self):
        """Peak memory in bytes and CPU seconds, by /proc."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            peak = next(int(line.split()[1]) * 1024 for line in status
                        if line.startswith("VmHWM:"))
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return peak, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class TestCase(unittest.TestCase):
    """Tests that share one server. Each test gets a bucket of its own in self.bucket."""

    server_options = {}
    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        cls.server = Server(**cls.server_options)
        cls.addClassCleanup(cls.server.close)
        cls.server.start()
        cls.s3 = cls.server.s3()

    def setUp(self):
        name = re.sub(r"[^a-z0-9]+", "-", self._testMethodName.lower())[5:50].strip("-")
        self.bucket = f"{name}-{next(_bucket_numbers)}"
        self.s3.create_bucket(Bucket=self.bucket)

    def nfs_user(self):
        """(uid, gid) of somebody who may write to the bucket by NFS: root is taken for nobody."""
        if self.server.mount_dir and os.geteuid() == 0:
            os.chown(os.path.join(self.server.mount_dir, self.bucket), *NFS_USER)
            return NFS_USER
        with libnfs.Client(self.server.nfs_port, "/", NOBODY) as client:
            found = client.stat("/" + self.bucket)
        if found.uid == 0:
            self.skipTest("the bucket is root's, and no mount is here to give it to somebody else")
        return found.uid, found.gid

    def nfs_client(self):
        client = libnfs.Client(self.server.nfs_port, "/" + self.bucket, *self.nfs_user())
        self.addCleanup(client.close)
        return client

    def put(self, key, body=b"", **options):
        return self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, **options)

    def get(self, key, **options):
        answer = self.s3.get_object(Bucket=self.bucket, Key=key, **options)
        answer["Body"] = answer["Body"].read()
        return answer

    def read(self, key, **options):
        return self.get(key, **options)["Body"]

    def head(self, key, **options):
        return self.s3.head_object(Bucket=self.bucket, Key=key, **options)

    def keys(self, **options):
        answer = self.s3.list_objects_v2(Bucket=self.bucket, **options)
        return [entry["Key"] for entry in answer.get("Contents", [])]

    @contextlib.contextmanager
    def refused(self, status, code=None):
        """The block must fail with this HTTP status and S3 error code (HEAD has no code)."""
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            yield caught
        error = caught.exception.response
        got = (error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Code"])
        self.assertEqual(got, (status, code if code is not None else got[1]), error["Error"])


class Raw:
    """One connection that sends exactly the bytes it is told to."""

    def __init__(self, server, timeout=30):
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout)
        self.stream = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.stream.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def answer(self, head=False):
        """(status, headers, body) of the next answer; status None when the server hung up."""
        try:
            line = self.stream.readline(65536)
        except ConnectionError:
            return None, {}, b""
        if not line:
            return None, {}, b""
        status = int(line.split()[1])
        headers = http.client.parse_headers(self.stream)
        if status == 100 or head or status in (204, 304):
            return status, headers, b""
        if headers.get("Transfer-Encoding") == "chunked":
            return status, headers, self._chunks()
        return status, headers, self.stream.read(int(headers.get("Content-Length", 0)))

    def _chunks(self):
        body = b""
        while size := int(self.stream.readline().split(b";")[0], 16):
            body += self.stream.read(size)
            self.stream.readline()
        self.stream.readline()
        return body


def content(size, seed=0):
    """`size` bytes that differ with the seed and at each offset; cheap, no randomness."""
    word = base64.b85encode(f"{seed:020d}".encode())
    line = b"".join(b"%s%08d\n" % (word, n) for n in range(997))
    return (line * (size // len(line) + 1))[:size]
