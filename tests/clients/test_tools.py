"""The S3 tools people use, with their defaults."""

import os
import subprocess
import unittest

import ashlar

MIB = 1 << 20


def make_tree(root):
    """A small tree with what copying tools trip over. Returns {relative path: bytes}."""
    files = {f"dir{n % 5}/sub/file{n:03d}.txt": ashlar.content(n * 37, n) for n in range(100)}
    files.update({"empty": b"", "with space.txt": b"space", "plus+percent%25": b"odd",
                  "ünï.txt": b"unicode", "big.bin": ashlar.content(20 * MIB + 5, 7)})
    for name, body in files.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(body)
    return files


def read_tree(root):
    found = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, root)] = file.read()
    return found


class ToolCase(ashlar.TestCase):
    def setUp(self):
        super().setUp()
        self.source = os.path.join(self.server.root, self.bucket, "src")
        self.target = os.path.join(self.server.root, self.bucket, "dst")
        os.makedirs(self.source)
        os.makedirs(self.target)

    def run_tool(self, *command, **options):
        return self.server.run(*command, **options)


@ashlar.needs_program("aws")
class AwsCli(ToolCase):
    def aws(self, *words, **options):
        return self.run_tool("aws", "--endpoint-url", self.server.url, *words, **options)

    def test_aws_makes_and_removes_buckets(self):
        self.aws("s3", "mb", f"s3://{self.bucket}-new")
        self.assertIn(f"{self.bucket}-new", self.aws("s3", "ls").stdout)
        self.aws("s3", "rb", f"s3://{self.bucket}-new")
        self.assertNotIn(f"{self.bucket}-new", self.aws("s3", "ls").stdout)

    def test_aws_syncs_a_tree_both_ways(self):
        files = make_tree(self.source)
        self.aws("s3", "sync", self.source, f"s3://{self.bucket}/t", "--only-show-errors")
        self.assertEqual(self.aws("s3", "sync", self.source, f"s3://{self.bucket}/t").stdout, "")
        self.aws("s3", "sync", f"s3://{self.bucket}/t", self.target, "--only-show-errors")
        self.assertEqual(read_tree(self.target), files)
        # 20 MiB are over the tool's threshold of 8: it went up in parts.
        self.assertIn('-3"', self.head("t/big.bin")["ETag"])

    def test_aws_copies_lists_and_removes(self):
        make_tree(self.source)
        self.aws("s3", "cp", f"{self.source}/big.bin", f"s3://{self.bucket}/a/big.bin")
        self.aws("s3", "cp", f"s3://{self.bucket}/a/big.bin", f"s3://{self.bucket}/b/big.bin")
        listing = self.aws("s3", "ls", f"s3://{self.bucket}/").stdout
        self.assertIn("PRE a/", listing)
        self.aws("s3", "mv", f"s3://{self.bucket}/b/big.bin", f"s3://{self.bucket}/c")
        self.aws("s3", "rm", f"s3://{self.bucket}/a", "--recursive")
        self.assertEqual(self.keys(), ["c"])
        self.aws("s3", "cp", f"s3://{self.bucket}/c", f"{self.target}/c")
        self.assertEqual(read_tree(self.target)["c"], ashlar.content(20 * MIB + 5, 7))

    def test_aws_streams(self):
        self.run_tool("aws", "--endpoint-url", self.server.url, "s3", "cp", "-",
                      f"s3://{self.bucket}/stream", input="from a pipe")
        out = self.aws("s3", "cp", f"s3://{self.bucket}/stream", "-")
        self.assertEqual(out.stdout, "from a pipe")


@ashlar.needs_program("rclone")
class Rclone(ToolCase):
    def rclone(self, *words, **options):
        environment = {
            **self.server.tool_environment(), "RCLONE_CONFIG": "/dev/null",
            "RCLONE_CONFIG_A_TYPE": "s3", "RCLONE_CONFIG_A_PROVIDER": "Other",
            "RCLONE_CONFIG_A_ENDPOINT": self.server.url,
            "RCLONE_CONFIG_A_ACCESS_KEY_ID": ashlar.ACCESS_KEY,
            "RCLONE_CONFIG_A_SECRET_ACCESS_KEY": ashlar.SECRET_KEY,
        }
        return self.run_tool("rclone", *words, env=environment, **options)

    def test_rclone_copies_checks_and_syncs(self):
        files = make_tree(self.source)
        there = f"A:{self.bucket}/tree"
        self.rclone("copy", self.source, there)
        self.rclone("check", self.source, there)
        self.rclone("check", "--download", self.source, there)
        os.remove(os.path.join(self.source, "empty"))
        with open(os.path.join(self.source, "with space.txt"), "w", encoding="ascii") as file:
            file.write("changed")
        self.rclone("sync", self.source, there)
        self.rclone("copy", there, self.target)
        files.pop("empty")
        files["with space.txt"] = b"changed"
        self.assertEqual(read_tree(self.target), files)

    def test_rclone_keeps_times(self):
        make_tree(self.source)
        os.utime(os.path.join(self.source, "ünï.txt"), (1_500_000_000, 1_500_000_000))
        self.rclone("copy", self.source, f"A:{self.bucket}")
        self.rclone("copy", f"A:{self.bucket}", self.target)
        self.assertEqual(os.stat(os.path.join(self.target, "ünï.txt")).st_mtime, 1_500_000_000)

    def test_rclone_moves_and_purges(self):
        make_tree(self.source)
        self.rclone("copy", self.source, f"A:{self.bucket}/x")
        self.rclone("moveto", f"A:{self.bucket}/x", f"A:{self.bucket}/y")
        self.assertEqual(self.rclone("lsf", f"A:{self.bucket}").stdout, "y/\n")
        self.rclone("purge", f"A:{self.bucket}/y")
        self.assertEqual(self.keys(), [])


@ashlar.needs_program("s3cmd")
class S3cmd(ToolCase):
    def s3cmd(self, *words, **options):
        config = os.path.join(self.server.root, "s3cfg")
        with open(config, "w", encoding="ascii") as file:
            file.write("[default]\n"
                       f"access_key = {ashlar.ACCESS_KEY}\nsecret_key = {ashlar.SECRET_KEY}\n"
                       f"host_base = {self.server.host}\nhost_bucket = {self.server.host}\n"
                       "use_https = False\n")
        return self.run_tool("s3cmd", "-c", config, "--no-progress", *words, **options)

    def test_s3cmd_puts_gets_and_syncs(self):
        files = make_tree(self.source)
        self.s3cmd("sync", self.source + "/", f"s3://{self.bucket}/t/")
        self.assertIn(f"s3://{self.bucket}/t/empty", self.s3cmd("ls", f"s3://{self.bucket}/t/")
                      .stdout)
        self.s3cmd("sync", f"s3://{self.bucket}/t/", self.target + "/")
        self.assertEqual(read_tree(self.target), files)
        self.s3cmd("cp", f"s3://{self.bucket}/t/empty", f"s3://{self.bucket}/copy")
        self.s3cmd("mv", f"s3://{self.bucket}/copy", f"s3://{self.bucket}/moved")
        self.s3cmd("info", f"s3://{self.bucket}/moved")
        self.s3cmd("del", "--recursive", "--force", f"s3://{self.bucket}/t/")
        self.assertEqual(self.keys(), ["moved"])
        self.s3cmd("rb", "--recursive", "--force", f"s3://{self.bucket}")
        self.assertNotIn(self.bucket, self.s3cmd("ls").stdout)


@ashlar.needs_fuse
@ashlar.needs_program("s3fs")
class S3fs(ToolCase):
    def test_s3fs_mounts_a_bucket(self):
        password = os.path.join(self.server.root, "s3fs-password")
        with open(os.open(password, os.O_WRONLY | os.O_CREAT, 0o600), "w",
                  encoding="ascii") as file:
            file.write(f"{ashlar.ACCESS_KEY}:{ashlar.SECRET_KEY}")
        self.run_tool("s3fs", self.bucket, self.target, "-o", f"passwd_file={password}",
                      "-o", f"url={self.server.url}", "-o", "use_path_request_style")
        try:
            ashlar.wait_until("the mount of s3fs", lambda: os.path.ismount(self.target))
            files = make_tree(os.path.join(self.target, "tree"))
            self.assertEqual(read_tree(os.path.join(self.target, "tree")), files)
            os.rename(os.path.join(self.target, "tree/empty"), os.path.join(self.target, "moved"))
            self.assertEqual(self.read("moved"), b"")
            self.assertEqual(self.read("tree/ünï.txt"), b"unicode")
            self.put("from-s3", b"put beside it")
            with open(os.path.join(self.target, "from-s3"), "rb") as file:
                self.assertEqual(file.read(), b"put beside it")
        finally:
            subprocess.run(["umount", self.target], check=False)


@ashlar.needs_program("curl")
class Curl(ToolCase):
    def curl(self, *words, **options):
        # curl 7.88 signs that header, which S3 wants, but does not make it.
        return self.run_tool("curl", "-sS", "--user", f"{ashlar.ACCESS_KEY}:{ashlar.SECRET_KEY}",
                             "--aws-sigv4", f"aws:amz:{ashlar.REGION}:s3",
                             "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD", *words, **options)

    def test_curl_signs_by_itself(self):
        path = os.path.join(self.source, "file")
        with open(path, "wb") as file:
            file.write(b"by curl")
        url = f"{self.server.url}/{self.bucket}/curled"
        self.curl("-f", "-T", path, url)
        self.assertEqual(self.read("curled"), b"by curl")
        self.assertEqual(self.curl("-f", url).stdout, "by curl")
        self.assertEqual(self.curl("-o", "/dev/null", "-w", "%{http_code}", url + "-absent")
                         .stdout, "404")

    def test_health_needs_no_credentials(self):
        for path in ("/health/ready", "/health/live"):
            answer = self.run_tool("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}",
                                   self.server.url + path)
            self.assertEqual(answer.stdout, "200", path)


if __name__ == "__main__":
    unittest.main()
