"""The mount, through the programs that people run on file systems."""

import errno
import hashlib
import os
import shutil
import stat
import subprocess
import sys
import unittest

import ashlar
from test_tools import make_tree, read_tree


@ashlar.needs_fuse
class MountCase(ashlar.TestCase):
    server_options = {"nfs": False}

    def setUp(self):
        super().setUp()
        self.dir = os.path.join(self.server.mount_dir, self.bucket)
        self.local = os.path.join(self.server.root, "local-" + self.bucket)
        os.makedirs(self.local)

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def write(self, name, data, mode="wb"):
        with open(self.path(name), mode) as file:
            file.write(data)

    def content_of(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def sh(self, script, **options):
        return self.server.run("sh", "-euc", script, cwd=self.dir, **options).stdout

    def fails(self, number, call, *arguments, **options):
        with self.assertRaises(OSError) as caught:
            call(*arguments, **options)
        self.assertEqual(caught.exception.errno, number, caught.exception)


class Calls(MountCase):
    def test_files_are_written_and_read(self):
        for size in (0, 1, 4095, 131_073, (9 << 20) + 5):
            self.write(f"f{size}", ashlar.content(size, size))
            self.assertEqual(self.content_of(f"f{size}"), ashlar.content(size, size))
            self.assertEqual(os.stat(self.path(f"f{size}")).st_size, size)

    def test_random_writes_append_and_truncate(self):
        expected = bytearray(ashlar.content(500_000))
        self.write("f", bytes(expected))
        with open(self.path("f"), "r+b") as file:
            for at, data in ((0, b"A"), (131_071, b"BCD"), (499_999, b"tail"), (700_000, b"far")):
                file.seek(at)
                file.write(data)
                expected.extend(bytes(max(0, at + len(data) - len(expected))))
                expected[at:at + len(data)] = data
            file.flush()
            os.fsync(file.fileno())
        self.assertEqual(self.content_of("f"), bytes(expected))
        self.write("f", b"appended", "ab")
        self.assertEqual(self.content_of("f"), bytes(expected) + b"appended")
        os.truncate(self.path("f"), 1000)
        os.truncate(self.path("f"), 3000)
        self.assertEqual(self.content_of("f"), bytes(expected[:1000]) + bytes(2000))

    def test_an_open_file_outlives_its_name(self):
        self.write("f", b"still here")
        with open(self.path("f"), "r+b") as file:
            os.unlink(self.path("f"))
            self.assertEqual(os.listdir(self.dir), [])
            self.assertEqual(os.fstat(file.fileno()).st_nlink, 0)
            file.write(b"STILL")
            file.seek(0)
            self.assertEqual(file.read(), b"STILL here")
        self.assertEqual(self.keys(), [])

    def test_a_replaced_file_stays_as_it_was_for_its_reader(self):
        self.write("f", b"old content")
        with open(self.path("f"), "rb") as file:
            self.write("new", b"new")
            os.rename(self.path("new"), self.path("f"))
            self.assertEqual(file.read(), b"old content")
        self.assertEqual(self.content_of("f"), b"new")

    def test_renames(self):
        self.write("a", b"a")
        self.write("b", b"b")
        os.rename(self.path("a"), self.path("b"))
        self.assertEqual((os.listdir(self.dir), self.content_of("b")), (["b"], b"a"))
        os.makedirs(self.path("d/e/f"))
        self.write("d/e/f/x", b"x")
        os.rename(self.path("d"), self.path("m"))
        self.assertEqual(self.content_of("m/e/f/x"), b"x")
        os.makedirs(self.path("empty"))
        os.rename(self.path("m"), self.path("empty"))
        self.assertEqual(self.content_of("empty/e/f/x"), b"x")
        self.fails(errno.EINVAL, os.rename, self.path("empty"), self.path("empty/e/sub"))
        os.mkdir(self.path("full"))
        self.write("full/x", b"")
        self.fails(errno.ENOTEMPTY, os.rename, self.path("empty"), self.path("full"))
        self.fails(errno.ENOTDIR, os.rename, self.path("empty"), self.path("b"))
        self.fails(errno.EISDIR, os.rename, self.path("b"), self.path("empty"))

    def test_errors_of_names_and_kinds(self):
        self.fails(errno.ENOENT, os.stat, self.path("absent"))
        self.fails(errno.ENAMETOOLONG, self.write, "x" * 256, b"")
        self.write("x" * 255, b"")
        os.mkdir(self.path("d"))
        self.fails(errno.EEXIST, os.mkdir, self.path("d"))
        self.write("d/f", b"")
        self.fails(errno.ENOTEMPTY, os.rmdir, self.path("d"))
        self.fails(errno.ENOTDIR, os.rmdir, self.path("d/f"))
        self.fails(errno.ENOTDIR, os.stat, self.path("d/f/below"))
        self.fails(errno.EISDIR, os.open, self.path("d"), os.O_WRONLY)
        self.fails(errno.EEXIST, os.open, self.path("d/f"), os.O_CREAT | os.O_EXCL | os.O_WRONLY)

    def test_links(self):
        self.write("f", b"x")
        os.link(self.path("f"), self.path("g"))
        self.assertEqual(os.stat(self.path("g")).st_ino, os.stat(self.path("f")).st_ino)
        self.assertEqual(os.stat(self.path("g")).st_nlink, 2)
        self.write("g", b"yz", "ab")
        self.assertEqual(self.content_of("f"), b"xyz")
        os.unlink(self.path("f"))
        self.assertEqual((self.content_of("g"), os.stat(self.path("g")).st_nlink), (b"xyz", 1))
        os.symlink("g", self.path("s"))
        self.assertEqual((os.readlink(self.path("s")), self.content_of("s")), ("g", b"xyz"))
        os.symlink("/" + "t" * 4000, self.path("long"))
        self.assertEqual(len(os.readlink(self.path("long"))), 4001)

    def test_attributes(self):
        self.write("f", b"x")
        os.chmod(self.path("f"), 0o640)
        self.assertEqual(stat.S_IMODE(os.stat(self.path("f")).st_mode), 0o640)
        os.utime(self.path("f"), ns=(1_111_111_111_123_456_789, 1_222_222_222_987_654_321))
        found = os.stat(self.path("f"))
        self.assertEqual((found.st_atime_ns, found.st_mtime_ns),
                         (1_111_111_111_123_456_789, 1_222_222_222_987_654_321))
        if os.geteuid() == 0:
            os.chown(self.path("f"), 1234, 2345)
            found = os.stat(self.path("f"))
            self.assertEqual((found.st_uid, found.st_gid), (1234, 2345))
        self.write("f", b"more", "ab")
        self.assertGreater(os.stat(self.path("f")).st_mtime, 1_600_000_000)

    def test_extended_attributes(self):
        self.write("f", b"x")
        for name, value in (("user.a", b"1"), ("user.empty", b""), ("user.big", b"v" * 60_000)):
            os.setxattr(self.path("f"), name, value)
            self.assertEqual(os.getxattr(self.path("f"), name), value)
        self.assertLessEqual({"user.a", "user.empty", "user.big"},
                             set(os.listxattr(self.path("f"))))
        self.fails(errno.EEXIST, os.setxattr, self.path("f"), "user.a", b"2", os.XATTR_CREATE)
        self.fails(errno.ENODATA, os.setxattr, self.path("f"), "user.b", b"2", os.XATTR_REPLACE)
        os.removexattr(self.path("f"), "user.a")
        self.fails(errno.ENODATA, os.getxattr, self.path("f"), "user.a")

    def test_statfs_and_link_counts(self):
        found = os.statvfs(self.dir)
        self.assertGreater(found.f_blocks * found.f_frsize, 1 << 20)
        self.assertEqual(found.f_namemax, 255)
        os.makedirs(self.path("d/one"))
        os.makedirs(self.path("d/two"))
        self.assertIn(os.stat(self.path("d")).st_nlink, (1, 4))

    def test_a_large_directory_is_listed_whole_while_it_changes(self):
        names = {f"n{n:05d}" for n in range(2000)}
        for name in names:
            self.write(name, b"")
        seen = []
        with os.scandir(self.dir) as entries:
            for number, entry in enumerate(entries):
                seen.append(entry.name)
                if number % 100 == 0:
                    self.write(f"late{number}", b"")
        old = [name for name in seen if name in names]
        self.assertEqual((len(old), set(old)), (len(names), names))
        shutil.rmtree(self.dir)
        with self.refused(404):
            self.s3.head_bucket(Bucket=self.bucket)

    def test_the_root_is_the_list_of_buckets(self):
        root = self.server.mount_dir
        self.assertIn(self.bucket, os.listdir(root))
        made = os.path.join(root, self.bucket + "-dir")
        os.mkdir(made)
        self.s3.head_bucket(Bucket=self.bucket + "-dir")
        os.rmdir(made)
        with self.refused(404):
            self.s3.head_bucket(Bucket=self.bucket + "-dir")
        self.fails(errno.EINVAL, os.mkdir, os.path.join(root, "Not_A_Bucket"))
        self.fails(errno.EPERM, open, os.path.join(root, "file"), "w")
        os.mkdir(made)
        self.write("f", b"x")
        self.fails(errno.EXDEV, os.rename, self.path("f"), os.path.join(made, "f"))
        self.fails(errno.EXDEV, os.link, self.path("f"), os.path.join(made, "f"))

    def test_memory_maps(self):
        import mmap
        self.write("f", bytes(100_000))
        with open(self.path("f"), "r+b") as file, mmap.mmap(file.fileno(), 0) as view:
            view[50_000:50_005] = b"mmap!"
            view.flush()
        self.assertEqual(self.content_of("f")[49_999:50_006], b"\0mmap!\0")
        self.assertEqual(self.read("f", Range="bytes=50000-50004"), b"mmap!")

    def test_locks_exclude_each_other(self):
        import fcntl
        self.write("f", b"x")
        script = ("import fcntl,sys\nf=open(sys.argv[1],'r+b')\n"
                  "try:\n  fcntl.{0}(f,fcntl.LOCK_EX|fcntl.LOCK_NB); print('got')\n"
                  "except OSError: print('busy')")

        def other(call):
            return self.server.run(sys.executable, "-c", script.format(call), self.path("f")).stdout

        for call in ("flock", "lockf"):
            with self.subTest(call), open(self.path("f"), "r+b") as file:
                getattr(fcntl, call)(file, fcntl.LOCK_EX)
                self.assertEqual(other(call), "busy\n")
                getattr(fcntl, call)(file, fcntl.LOCK_UN)
                self.assertEqual(other(call), "got\n")


class Programs(MountCase):
    def test_cp_a_keeps_all(self):
        files = make_tree(self.local)
        os.symlink("dir0", os.path.join(self.local, "link"))
        os.chmod(os.path.join(self.local, "empty"), 0o750)
        self.server.run("cp", "-a", self.local, self.path("tree"))
        self.assertEqual(read_tree(self.path("tree")), files)
        self.server.run("diff", "-r", self.local, self.path("tree"))
        for name in ("empty", "big.bin", "dir1"):
            here, there = (os.stat(os.path.join(root, name))
                           for root in (self.local, self.path("tree")))
            self.assertEqual((here.st_mode, here.st_mtime_ns), (there.st_mode, there.st_mtime_ns))
        self.server.run("cp", "-a", self.path("tree"), self.path("twice"))
        self.assertEqual(read_tree(self.path("twice")), files)

    @ashlar.needs_program("rsync")
    def test_rsync_twice_copies_once(self):
        make_tree(self.local)
        self.server.run("rsync", "-a", "--delete", self.local + "/", self.path("tree"))
        again = self.server.run("rsync", "-ai", "--delete", self.local + "/", self.path("tree"))
        self.assertEqual(again.stdout, "")
        os.unlink(os.path.join(self.local, "empty"))
        self.server.run("rsync", "-a", "--delete", self.local + "/", self.path("tree"))
        self.server.run("diff", "-r", self.local, self.path("tree"))
        self.server.run("rsync", "-a", "--inplace", "--checksum", self.path("tree") + "/",
                        self.local + "-back")
        self.server.run("diff", "-r", self.local, self.local + "-back")

    def test_tar_packs_and_unpacks(self):
        make_tree(self.local)
        self.sh(f"tar -C '{self.local}' -cf a.tar . && mkdir t && tar -C t -xf a.tar && "
                f"diff -r '{self.local}' t && tar -cf - t | tar -tf - | wc -l")

    @ashlar.needs_program("git")
    def test_git_clones_and_checks(self):
        origin = os.path.join(self.local, "origin")
        make_tree(origin)
        identity = "git -c user.name=t -c user.email=t@example.org -c safe.directory=*"
        self.server.run("sh", "-euc", f"cd '{origin}' && git init -q && git add . && "
                        f"{identity} commit -qm one && {identity} tag v1")
        # A stranger's repository is refused by git only by owner, which is the same here.
        self.sh(f"git -c safe.directory='*' clone -q --no-hardlinks '{origin}' c && cd c && "
                "git -c safe.directory='*' fsck --full --strict && echo x >> empty && "
                f"{identity} commit -qam two && {identity} gc -q && "
                "git -c safe.directory='*' fsck --full && "
                "test -z \"$(git -c safe.directory='*' status --porcelain)\" && cd .. && "
                "git -c safe.directory='*' clone -q c d && diff -r -x .git c d")

    @ashlar.needs_program("sqlite3")
    def test_sqlite_keeps_a_database(self):
        for journal in ("delete", "wal"):
            out = self.sh(
                f"sqlite3 {journal}.db \"PRAGMA journal_mode={journal}; CREATE TABLE t(a, b);"
                " WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<5000)"
                " INSERT INTO t SELECT i, hex(randomblob(50)) FROM n;"
                " UPDATE t SET b='x' WHERE a%7=0; DELETE FROM t WHERE a%3=0; VACUUM;"
                " PRAGMA integrity_check; SELECT count(*) FROM t;\"")
            self.assertEqual(out.split()[-2:], ["ok", "3334"])

    def test_python_compiles_and_runs_here(self):
        self.write("module.py", b"def answer():\n    return 42\n")
        out = self.sh(f"PYTHONDONTWRITEBYTECODE= {sys.executable} -c 'import module;"
                      "print(module.answer())'; ls __pycache__")
        self.assertIn("42\nmodule.cpython", out)

    def test_dd_writes_into_the_middle(self):
        expected = bytearray(ashlar.content(1_000_000))
        self.write("f", bytes(expected))
        self.sh("printf 0123456789abcdef | dd of=f bs=16 seek=20000 conv=notrunc status=none")
        expected[320_000:320_016] = b"0123456789abcdef"
        self.assertEqual(hashlib.md5(self.content_of("f")).digest(),
                         hashlib.md5(expected).digest())
        self.sh("dd if=/dev/zero of=g bs=4k count=100 oflag=sync status=none")
        self.assertEqual(self.content_of("g"), bytes(409_600))

    def test_find_and_mv_and_rm(self):
        files = make_tree(self.path("tree"))
        self.assertEqual(int(self.sh("find tree -type f | wc -l")), len(files))
        self.assertEqual(self.sh("find tree -name 'file00[0-4].txt' -size +0 | wc -l").strip(), "4")
        self.sh("mv tree moved && mkdir other && mv moved/dir1 other/ && mv other/dir1 moved/")
        self.assertEqual(read_tree(self.path("moved")), files)
        self.sh("find moved -type f -delete && find moved -depth -type d -delete && rm -rf other")
        self.assertEqual(os.listdir(self.dir), [])
        self.assertEqual(self.keys(), [])

    def test_a_shell_redirects_and_appends(self):
        self.sh("for i in 1 2 3 4 5; do echo $i >> log; done; cat log > copy; : > log")
        self.assertEqual((self.content_of("copy"), self.content_of("log")),
                         (b"1\n2\n3\n4\n5\n", b""))


@ashlar.needs_fuse
class BucketMounts(unittest.TestCase):
    def test_one_bucket_can_be_mounted_alone_and_all_are_unmounted_at_the_end(self):
        server = ashlar.Server(nfs=False, mounts=[])
        self.addCleanup(server.close)
        all_of_them = os.path.join(server.root, "all")
        one = os.path.join(server.root, "one")
        server.start()
        server.s3().create_bucket(Bucket="one")
        server.stop()
        server.mounts = [all_of_them, f"one={one}"]
        server.start()
        with open(os.path.join(one, "f"), "w", encoding="ascii") as file:
            file.write("through one")
        with open(os.path.join(all_of_them, "one", "f"), encoding="ascii") as file:
            self.assertEqual(file.read(), "through one")
        server.stop()
        self.assertEqual([os.path.ismount(one), os.path.ismount(all_of_them)], [False, False])

    def test_a_mount_left_by_a_killed_server_is_cleaned_up(self):
        server = ashlar.Server(nfs=False)
        self.addCleanup(server.close)
        server.start()
        server.s3().create_bucket(Bucket="bkt")
        with open(os.path.join(server.mount_dir, "bkt", "f"), "wb") as file:
            file.write(b"before")
            file.flush()
            os.fsync(file.fileno())
        server.kill()
        done = subprocess.run(["stat", server.mount_dir], capture_output=True, check=False)
        self.assertNotEqual(done.returncode, 0)
        other = ashlar.Server(nfs=False, mounts=[server.mount_dir])
        self.addCleanup(other.close)
        with self.assertRaisesRegex(ashlar.Failed, "a server that is gone left a mount there"):
            other.start()
        server.start()
        with open(os.path.join(server.mount_dir, "bkt", "f"), "rb") as file:
            self.assertEqual(file.read(), b"before")


if __name__ == "__main__":
    unittest.main()
