"""The program itself: its command line, its disks, its start and end."""

import contextlib
import errno
import glob
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

import botocore.exceptions

import ashlar
import libnfs


def ashlar_program(*words, **environment):
    return subprocess.run([os.environ["ASHLAR_SERVER"], *words], capture_output=True, text=True,
                          timeout=60, check=False, stdin=subprocess.DEVNULL,
                          env={**os.environ, **environment})


def empty_disk(disk):
    """Files that are open lose their bytes, too."""
    for folder, _, names in os.walk(disk):
        for name in names:
            os.truncate(os.path.join(folder, name), 0)
    for name in os.listdir(disk):
        path = os.path.join(disk, name)
        shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)


class CommandLine(unittest.TestCase):
    def test_version_and_help_answer(self):
        self.assertRegex(ashlar_program("--version").stdout, r"\d+\.\d+")
        self.assertIn("serve", ashlar_program("help").stdout)
        helped = ashlar_program("serve", "--help")
        self.assertEqual(helped.returncode, 0)
        for word in ("--address", "--nfs", "--mount", "--config"):
            self.assertIn(word, helped.stdout)

    def test_wrong_use_is_exit_2_and_one_line(self):
        for words in ([], ["nonsense"], ["serve"], ["serve", "--nonsense"],
                      ["serve", "x", "--address", "nonsense"],
                      ["serve", "x", "--bucket-owner", "root"],
                      ["serve", "x", "--bucket-mode", "rwx"],
                      ["serve", *[f"d{n}" for n in range(17)]]):
            with self.subTest(words):
                done = ashlar_program(*words)
                self.assertEqual(done.returncode, 2, done)
                self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)


class Disks(unittest.TestCase):
    def setUp(self):
        self.server = ashlar.Server(nfs=False, mounts=[])
        self.addCleanup(self.server.close)

    def refused_start(self, server=None):
        with self.assertRaises(ashlar.Failed) as caught:
            (server or self.server).start()
        return str(caught.exception)

    def test_objects_outlive_a_restart(self):
        self.server.start()
        s3 = self.server.s3()
        s3.create_bucket(Bucket="bkt")
        bodies = {f"k{n}": ashlar.content(n * 9999, n) for n in range(40)}
        for key, body in bodies.items():
            s3.put_object(Bucket="bkt", Key=key, Body=body)
        self.server.stop()
        self.server.start()
        s3 = self.server.s3()
        for key, body in bodies.items():
            self.assertEqual(s3.get_object(Bucket="bkt", Key=key)["Body"].read(), body)

    def test_somebody_elses_files_are_refused(self):
        os.makedirs(self.server.disks[2])
        path = os.path.join(self.server.disks[2], "thesis.txt")
        with open(path, "w", encoding="ascii") as file:
            file.write("mine")
        self.assertIn(self.server.disks[2], self.refused_start())
        with open(path, encoding="ascii") as file:
            self.assertEqual(file.read(), "mine")

    def test_a_disk_of_another_deployment_is_refused(self):
        other = ashlar.Server(nfs=False, mounts=[])
        self.addCleanup(other.close)
        other.start()
        other.stop()
        self.server.start()
        self.server.stop()
        self.server.disks[3] = other.disks[3]
        self.assertIn(other.disks[3], self.refused_start())

    def test_two_servers_can_not_share_disks(self):
        self.server.start()
        other = ashlar.Server(nfs=False, mounts=[])
        self.addCleanup(other.close)
        other.disks = self.server.disks
        self.refused_start(other)
        self.server.s3().list_buckets()

    def test_a_pattern_expands_to_disks(self):
        disks = self.server.disks
        self.server.disks = [os.path.join(self.server.root, "d{1...6}")]
        self.server.start()
        self.assertTrue(all(os.listdir(disk) for disk in disks))

    def test_one_disk_is_enough(self):
        for count in (1, 2, 3, 4):
            with self.subTest(count):
                server = ashlar.Server(disks=count, nfs=False, mounts=[])
                self.addCleanup(server.close)
                server.start()
                s3 = server.s3()
                s3.create_bucket(Bucket="bkt")
                body = ashlar.content(3 << 20)
                s3.put_object(Bucket="bkt", Key="k", Body=body)
                self.assertEqual(s3.get_object(Bucket="bkt", Key="k")["Body"].read(), body)
                server.stop()

    def test_two_of_six_disks_may_go(self):
        """Any two, of those that hold the namespace: under a running server, and for good."""
        server = ashlar.Server()
        self.addCleanup(server.close)
        server.start()
        s3 = server.s3()
        s3.create_bucket(Bucket="bkt")
        bodies = {f"k{n}": ashlar.content(n * n * 1500 + n, n) for n in range(60)}
        for key, body in bodies.items():
            s3.put_object(Bucket="bkt", Key=key, Body=body)

        def check_all_doors():
            with libnfs.Client(server.nfs_port, "/bkt") as nfs:
                for key, body in bodies.items():
                    self.assertEqual(s3.get_object(Bucket="bkt", Key=key)["Body"].read(), body)
                    self.assertEqual(nfs.read("/" + key), body)
                    if server.mount_dir is not None:
                        with open(os.path.join(server.mount_dir, "bkt", key), "rb") as file:
                            self.assertEqual(file.read(), body)

        # Those that have the namespace, of which there are three.
        for disk in server.disks[:2]:
            self.assertTrue(glob.glob(os.path.join(disk, "meta", "namespace-*.db")))
            empty_disk(disk)
        check_all_doors()
        for n in range(20):
            bodies[f"new{n}"] = bodies[f"k{n + 30}"]
            s3.put_object(Bucket="bkt", Key=f"new{n}", Body=bodies[f"new{n}"])
        check_all_doors()
        server.stop()
        server.start()
        s3 = server.s3()
        check_all_doors()

    @unittest.skipIf(os.geteuid() != 0, "only root may mount a small file system")
    def test_full_disks_refuse_writes_and_lose_nothing(self):
        server = ashlar.Server()
        self.addCleanup(server.close)
        small = os.path.join(server.root, "small")
        os.mkdir(small)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=900m", "tmpfs", small], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", small], check=True)
        server.disks = [os.path.join(small, f"d{n}") for n in range(1, 7)]
        server.start()
        s3 = server.s3(retries={"max_attempts": 0})
        s3.create_bucket(Bucket="bkt")
        body = ashlar.content(8 << 20, 1)
        stored = []
        with self.assertRaises(botocore.exceptions.ClientError) as refused:
            for n in range(200):
                s3.put_object(Bucket="bkt", Key=f"k{n}", Body=body)
                stored.append(f"k{n}")
        self.assertEqual(refused.exception.response["ResponseMetadata"]["HTTPStatusCode"], 507)
        self.assertGreater(len(stored), 3)
        with libnfs.Client(server.nfs_port, "/bkt") as nfs:
            with self.assertRaises(OSError) as refused:
                nfs.write("/by-nfs", body)
            self.assertEqual(refused.exception.errno, errno.ENOSPC)
        if server.mount_dir is not None:
            with self.assertRaises(OSError) as refused:
                with open(os.path.join(server.mount_dir, "bkt", "by-mount"), "wb") as file:
                    file.write(body)
            self.assertEqual(refused.exception.errno, errno.ENOSPC)
        for key in stored:
            self.assertEqual(s3.get_object(Bucket="bkt", Key=key)["Body"].read(), body)
        s3.delete_object(Bucket="bkt", Key=stored[0])
        listed = [o["Key"] for o in s3.list_objects_v2(Bucket="bkt")["Contents"]]
        self.assertLessEqual(set(stored[1:]), set(listed))
        self.assertNotIn(stored[0], listed)
        server.stop()

    def test_a_rotten_shard_gives_right_bytes(self):
        self.server.start()
        s3 = self.server.s3()
        s3.create_bucket(Bucket="bkt")
        body = ashlar.content(8 << 20)
        s3.put_object(Bucket="bkt", Key="k", Body=body)
        self.server.stop()
        rotten = 0
        for folder, _, names in os.walk(self.server.disks[1]):
            for name in names:
                path = os.path.join(folder, name)
                if os.path.getsize(path) < 1 << 20:
                    continue
                with open(path, "r+b") as file:
                    for at in range(512 << 10, os.path.getsize(path), 256 << 10):
                        file.seek(at)
                        file.write(b"rot" * 100)
                        rotten += 1
        self.assertGreater(rotten, 0)
        self.server.start()
        got = self.server.s3().get_object(Bucket="bkt", Key="k")["Body"].read()
        self.assertEqual(got, body)


class StartAndEnd(unittest.TestCase):
    def test_keys_are_made_once_and_kept(self):
        folder = tempfile.mkdtemp(prefix="ashlar-test-")
        self.addCleanup(shutil.rmtree, folder, True)
        bare = {k: v for k, v in os.environ.items() if not k.startswith("ASHLAR_") or
                k == "ASHLAR_SERVER"}

        def start():
            process = subprocess.Popen(
                [os.environ["ASHLAR_SERVER"], "serve", os.path.join(folder, "d"), "--address",
                 "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                env=bare)
            lines = []
            thread = threading.Thread(target=lambda: lines.extend(process.stdout))
            thread.start()
            try:
                ashlar.wait_until("the S3 door",
                                  lambda: any(line.startswith("S3 ") for line in list(lines)))
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(60)
                thread.join()
                process.stdout.close()
            return "".join(lines)

        first, second = start(), start()
        self.assertRegex(first, r"(?i)secret")
        self.assertNotRegex(second, r"(?i)secret")

    def test_a_first_start_that_fails_has_told_its_keys_or_touched_nothing(self):
        folder = tempfile.mkdtemp(prefix="ashlar-test-")
        self.addCleanup(shutil.rmtree, folder, True)
        disk = os.path.join(folder, "d")
        done = ashlar_program("serve", disk, ASHLAR_ACCESS_KEY="short", ASHLAR_SECRET_KEY="x")
        self.assertEqual(done.returncode, 2, done)
        self.assertFalse(os.path.exists(disk) and os.listdir(disk))
        with socket.create_server(("127.0.0.1", 0)) as taken:
            done = ashlar_program("serve", disk, "--address",
                                  f"127.0.0.1:{taken.getsockname()[1]}", ASHLAR_ACCESS_KEY="",
                                  ASHLAR_SECRET_KEY="")
        self.assertEqual(done.returncode, 1, done)
        self.assertRegex(done.stdout, r"secret key  \S{40}")

    def test_a_log_in_json_is_json(self):
        server = ashlar.Server(nfs=False, mounts=[],
                               arguments=["--log-format", "json", "--log-level", "debug"])
        self.addCleanup(server.close)
        server.start()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request("GET", "/b/k%22%5C'")
        self.assertEqual(connection.getresponse().status, 403)
        server.stop()
        with open(server.log_path, encoding="utf-8") as log:
            lines = [json.loads(line) for line in log]
        self.assertTrue(any('path="/b/k%22%5C' in line["message"] for line in lines), lines)

    def test_idle_connections_leave_descriptors_for_storage(self):
        server = ashlar.Server(nfs=False, mounts=[])
        server.limits = ["--nofile=200"]
        self.addCleanup(server.close)
        server.start()
        s3 = server.s3(retries={"max_attempts": 0})
        s3.create_bucket(Bucket="bkt")
        with contextlib.ExitStack() as idle:
            for _ in range(300):
                idle.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            for n in range(5):
                s3.put_object(Bucket="bkt", Key=f"k{n}", Body=ashlar.content(300_000))
            self.assertEqual(len(s3.list_objects_v2(Bucket="bkt")["Contents"]), 5)

    def test_sigterm_finishes_what_is_running(self):
        server = ashlar.Server(nfs=False, mounts=[])
        self.addCleanup(server.close)
        server.start()
        server.s3().create_bucket(Bucket="bkt")
        acknowledged = []

        def work(thread):
            s3 = server.s3(retries={"max_attempts": 0})
            with contextlib.suppress(Exception):
                for n in range(100_000):
                    key = f"{thread}-{n}"
                    s3.put_object(Bucket="bkt", Key=key, Body=key.encode() * 100)
                    acknowledged.append(key)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        ashlar.wait_until("some writes", lambda: len(acknowledged) > 100)
        server.stop()
        for thread in threads:
            thread.join()
        server.start()
        s3 = server.s3()
        for key in acknowledged:
            self.assertEqual(s3.get_object(Bucket="bkt", Key=key)["Body"].read(),
                             key.encode() * 100)

    @ashlar.needs_fuse
    def test_a_stop_stores_what_a_mount_has_written(self):
        for stop in (signal.SIGTERM, signal.SIGHUP):
            with self.subTest(stop):
                server = ashlar.Server(nfs=False)
                self.addCleanup(server.close)
                server.start()
                server.s3().create_bucket(Bucket="bkt")
                body = ashlar.content(300_000)
                path = os.path.join(server.mount_dir, "bkt", "f")
                file = os.open(path, os.O_CREAT | os.O_WRONLY)
                try:
                    os.write(file, body)
                    server.process.send_signal(stop)
                    self.assertEqual(server.process.wait(ashlar.STOP_SECONDS), 0, server.log())
                    server.process = None
                finally:
                    with contextlib.suppress(OSError):
                        os.close(file)
                self.assertFalse(os.path.ismount(server.mount_dir))
                server.start()
                got = server.s3().get_object(Bucket="bkt", Key="f")["Body"].read()
                self.assertEqual(got, body)
                server.stop()

    @ashlar.needs_fuse
    def test_a_mount_that_served_many_at_once_stops_while_in_use(self):
        server = ashlar.Server(nfs=False)
        self.addCleanup(server.close)
        server.start()
        server.s3().create_bucket(Bucket="bkt")
        bucket = os.path.join(server.mount_dir, "bkt")

        def work(thread):
            for n in range(20):
                with open(os.path.join(bucket, f"{thread}-{n}"), "wb") as file:
                    file.write(bytes(20_000))

        held = os.open(os.path.join(bucket, "held"), os.O_CREAT | os.O_WRONLY)
        try:
            threads = [threading.Thread(target=work, args=(n,)) for n in range(16)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            server.stop()
        finally:
            with contextlib.suppress(OSError):  # cut off
                os.close(held)

    @ashlar.needs_fuse
    @unittest.skipIf(os.geteuid() != 0, "only root may bind a bucket")
    def test_the_mount_of_one_bucket_shows_no_other_to_anybody(self):
        server = ashlar.Server(nfs=False, mounts=[])
        self.addCleanup(server.close)
        server.start()
        for bucket in ("shown", "hidden"):
            server.s3().create_bucket(Bucket=bucket)
        server.stop()
        server.mounts = ["shown=" + os.path.join(server.root, "mnt")]
        server.start()
        with open("/proc/mounts", encoding="utf-8") as table:
            places = [line.split()[1] for line in table if "fuse.ashlar" in line]
        staged = [place for place in places if place.startswith("/run/ashlar/")]
        for place in staged:
            self.assertEqual(os.stat(os.path.dirname(place)).st_mode & 0o7777, 0o700)
        self.assertTrue(any(os.path.isdir(os.path.join(place, "hidden")) for place in staged))
        server.stop()
        self.assertFalse(all(map(os.path.exists, staged)), staged)

    def test_flags_may_come_from_a_file_or_the_environment(self):
        server = ashlar.Server(nfs=False, mounts=[])
        self.addCleanup(server.close)
        path = os.path.join(server.root, "ashlar.toml")
        with open(path, "w", encoding="ascii") as file:
            file.write('nfs = "127.0.0.1:0"\n')
        server.arguments = ["--config", path]
        server.start()
        ashlar.wait_until("the door of the file", lambda: server.nfs_port)
        server.stop()
        server.arguments = []
        server.environment = {"ASHLAR_NFS": "127.0.0.1:0"}
        server.start()
        ashlar.wait_until("the door of the environment", lambda: server.nfs_port)

    def test_buckets_belong_to_who_the_settings_say(self):
        server = ashlar.Server(mounts=[], arguments=["--bucket-owner", "1234:5678"],
                               environment={"ASHLAR_BUCKET_MODE": "0770"})
        self.addCleanup(server.close)
        server.start()
        s3 = server.s3()
        s3.create_bucket(Bucket="bkt")
        s3.put_object(Bucket="bkt", Key="d/k", Body=b"x")
        with libnfs.Client(server.nfs_port, "/bkt", 1234, 5678) as client:
            for path, mode in (("/", 0o40770), ("/d", 0o40770), ("/d/k", 0o100660)):
                found = client.stat(path)
                self.assertEqual((found.uid, found.gid, oct(found.mode)),
                                 (1234, 5678, oct(mode)), path)
            client.write("/d/made", b"y")
        self.assertEqual(s3.get_object(Bucket="bkt", Key="d/made")["Body"].read(), b"y")
        with libnfs.Client(server.nfs_port, "/bkt", 4321, 4321) as client:
            with self.assertRaises(OSError):
                client.names("/")

    def test_whoever_runs_the_server_can_write_by_nfs(self):
        server = ashlar.Server(mounts=[])
        self.addCleanup(server.close)
        server.start()
        server.s3().create_bucket(Bucket="bkt")
        # Root is taken for nobody, who owns the buckets that root's server makes.
        with libnfs.Client(server.nfs_port, "/bkt", os.getuid(), os.getgid()) as client:
            client.write("/k", b"by nfs")
        got = server.s3().get_object(Bucket="bkt", Key="k")
        self.assertEqual(got["Body"].read(), b"by nfs")

    def test_systemd_is_told_of_start_and_end(self):
        server = ashlar.Server(mounts=[])
        self.addCleanup(server.close)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
            path = os.path.join(server.root, "notify")
            notified.bind(path)
            notified.settimeout(ashlar.START_SECONDS)
            server.environment["NOTIFY_SOCKET"] = path
            server.start()
            self.assertEqual(notified.recv(100), b"READY=1")
            server.stop()
            self.assertEqual(notified.recv(100), b"STOPPING=1")

    def test_health_answers_without_credentials(self):
        server = ashlar.Server(nfs=False, mounts=[])
        self.addCleanup(server.close)
        server.start()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request("GET", "/health/ready")
        self.assertEqual(connection.getresponse().status, 200)

    def test_few_descriptors_refuse_but_do_not_break(self):
        server = ashlar.Server(nfs=False, mounts=[])
        self.addCleanup(server.close)
        server.start()
        server.s3().create_bucket(Bucket="bkt")
        subprocess.run(["prlimit", f"--pid={server.process.pid}", "--nofile=120:120"], check=True)
        idle = []
        with contextlib.suppress(OSError):
            for _ in range(300):
                idle.append(ashlar.Raw(server, timeout=5))
        for raw in idle:
            raw.close()
        s3 = server.s3()

        def works():
            with contextlib.suppress(Exception):
                s3.put_object(Bucket="bkt", Key="k", Body=b"after")
                return s3.get_object(Bucket="bkt", Key="k")["Body"].read() == b"after"

        ashlar.wait_until("the server to recover", works)


if __name__ == "__main__":
    unittest.main()
