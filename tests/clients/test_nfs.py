"""NFSv3 through libnfs: its programs, and its library for what they do not do."""

import errno
import os
import socket
import stat
import struct
import unittest

import ashlar
import libnfs


class NfsCase(ashlar.TestCase):
    def setUp(self):
        super().setUp()
        self.nfs = self.nfs_client()

    def fails(self, number):
        context = self.assertRaises(OSError)

        class Check:
            def __enter__(_):
                context.__enter__()

            def __exit__(_, *details):
                done = context.__exit__(*details)
                self.assertEqual(context.exception.errno, number, context.exception)
                return done

        return Check()


@ashlar.needs_program("nfs-ls")
class Programs(NfsCase):
    def url(self, path):
        uid, gid = self.nfs_user()
        return self.server.nfs_url(path) + f"&uid={uid}&gid={gid}"

    def test_nfs_ls_lists_buckets_and_keys(self):
        self.put("dir/one", b"12345")
        self.put("two", b"x")
        self.assertIn(self.bucket, self.server.run("nfs-ls", self.url("/")).stdout)
        lines = self.server.run("nfs-ls", self.url(f"/{self.bucket}")).stdout.splitlines()
        self.assertEqual(sorted(line.split()[-1] for line in lines), ["dir", "two"])
        deep = self.server.run("nfs-ls", "-R", self.url(f"/{self.bucket}")).stdout
        self.assertIn("one", deep)

    def test_nfs_cat_and_nfs_cp_move_bytes(self):
        body = ashlar.content((3 << 20) + 11)
        self.put("src", body)
        cat = self.server.run("nfs-cat", self.url(f"/{self.bucket}/src"), text=False)
        self.assertEqual(cat.stdout, body)
        path = os.path.join(self.server.root, "copied")
        self.server.run("nfs-cp", self.url(f"/{self.bucket}/src"), path)
        with open(path, "rb") as file:
            self.assertEqual(file.read(), body)
        self.server.run("nfs-cp", path, self.url(f"/{self.bucket}/dst"))
        self.assertEqual(self.read("dst"), body)


class Files(NfsCase):
    def test_what_was_written_is_read(self):
        for size in (0, 1, 4096, 100_001, (4 << 20) + 3):
            body = ashlar.content(size, size)
            self.nfs.write(f"/f{size}", body)
            self.assertEqual(self.nfs.read(f"/f{size}"), body)
            self.assertEqual(self.nfs.stat(f"/f{size}").size, size)

    def test_a_write_in_the_middle_changes_only_that(self):
        body = bytearray(ashlar.content(300_000))
        self.nfs.write("/f", bytes(body))
        self.nfs.write("/f", b"PATCH", offset=131_070, create=False)
        body[131_070:131_075] = b"PATCH"
        self.assertEqual(self.nfs.read("/f"), bytes(body))

    def test_a_hole_reads_as_zeros(self):
        self.nfs.write("/f", b"start")
        self.nfs.write("/f", b"end", offset=200_000, create=False)
        self.assertEqual(self.nfs.read("/f"), b"start" + bytes(199_995) + b"end")

    def test_truncate_cuts_and_grows(self):
        self.nfs.write("/f", ashlar.content(100_000))
        self.nfs.truncate("/f", 10)
        self.assertEqual(self.nfs.read("/f"), ashlar.content(100_000)[:10])
        self.nfs.truncate("/f", 20)
        self.assertEqual(self.nfs.read("/f"), ashlar.content(100_000)[:10] + bytes(10))

    def test_rename_replaces_and_moves_directories(self):
        self.nfs.write("/a", b"a")
        self.nfs.write("/b", b"b")
        self.nfs.rename("/a", "/b")
        self.assertEqual((self.nfs.read("/b"), self.nfs.names()), (b"a", ["b"]))
        self.nfs.mkdir("/d")
        self.nfs.write("/d/x", b"x")
        self.nfs.rename("/d", "/e")
        self.assertEqual((self.nfs.read("/e/x"), self.nfs.names()), (b"x", ["b", "e"]))

    def test_links_and_modes(self):
        self.nfs.write("/f", b"x")
        self.nfs.link("/f", "/g")
        self.assertEqual(self.nfs.stat("/g").nlink, 2)
        self.nfs.unlink("/f")
        self.assertEqual((self.nfs.read("/g"), self.nfs.stat("/g").nlink), (b"x", 1))
        self.nfs.symlink("g", "/s")
        self.assertEqual(self.nfs.readlink("/s"), "g")
        self.assertTrue(stat.S_ISLNK(self.nfs.lstat("/s").mode))
        self.nfs.chmod("/g", 0o600)
        self.assertEqual(stat.S_IMODE(self.nfs.stat("/g").mode), 0o600)
        self.nfs.utimes("/g", 1_000_000_000, 1_100_000_000)
        self.assertEqual(self.nfs.stat("/g").mtime, 1_100_000_000)

    def test_errors_are_those_of_nfs(self):
        with self.fails(errno.ENOENT):
            self.nfs.read("/absent")
        self.nfs.mkdir("/d")
        with self.fails(errno.EEXIST):
            self.nfs.mkdir("/d")
        self.nfs.write("/d/f", b"")
        with self.fails(errno.ENOTEMPTY):
            self.nfs.rmdir("/d")
        with self.fails(errno.ENOTDIR):
            self.nfs.rmdir("/d/f")
        with self.fails(errno.ENAMETOOLONG):
            self.nfs.write("/" + "x" * 256, b"")

    def test_a_large_directory_is_listed_whole(self):
        names = [f"file-{n:05d}" for n in range(3000)]
        for name in names:
            self.nfs.write("/" + name, b"")
        self.assertEqual(self.nfs.names(), names)

    def test_the_root_makes_buckets_for_root_alone(self):
        with libnfs.Client(self.server.nfs_port, "/", ashlar.NOBODY) as root:
            self.assertIn(self.bucket, root.names())
            with self.assertRaises(OSError) as caught:
                root.mkdir("/not-for-everybody")
            self.assertIn(caught.exception.errno, (errno.EACCES, errno.EPERM))


class Hostile(NfsCase):
    """Bytes that no client sends. Afterwards the server must serve the others as before."""

    def tearDown(self):
        self.nfs.write("/alive", b"yes")
        self.assertEqual(self.read("alive"), b"yes")

    def exchange(self, data):
        with socket.create_connection(("127.0.0.1", self.server.nfs_port), 20) as connection:
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                out = b""
                while piece := connection.recv(65536):
                    out += piece
                return out
            except OSError as error:
                if not ashlar.means_hung_up(error):
                    raise
                return None

    @staticmethod
    def record(payload, last=True):
        return struct.pack(">I", len(payload) | (0x80000000 if last else 0)) + payload

    @staticmethod
    def call(program=100003, version=3, procedure=0, body=b"", rpc=2, credentials=b""):
        auth = struct.pack(">II", 0, len(credentials)) + credentials
        return struct.pack(">IIIIII", 7, 0, rpc, program, version, procedure) + auth + \
            struct.pack(">II", 0, 0) + body

    def test_null_is_answered(self):
        answer = self.exchange(self.record(self.call()))
        self.assertEqual(answer[4:], struct.pack(">IIIIII", 7, 1, 0, 0, 0, 0))

    def test_records_of_hostile_length_end_the_connection(self):
        for size in (0x7FFFFFFF, 0x40000000, 0x01000000):
            self.assertIn(self.exchange(struct.pack(">I", size | 0x80000000) + b"x" * 100),
                          (b"", None))

    def test_endless_empty_fragments_end_the_connection(self):
        self.assertIn(self.exchange(self.record(b"", last=False) * 100_000), (b"", None))

    def test_wrong_versions_programs_and_procedures_are_named(self):
        cases = ((self.call(version=9), 2), (self.call(program=424242), 1),
                 (self.call(procedure=99), 3))
        for call, accept in cases:
            answer = self.exchange(self.record(call))
            self.assertEqual(struct.unpack(">I", answer[24:28])[0], accept)
        denied = self.exchange(self.record(self.call(rpc=3)))
        self.assertEqual(struct.unpack(">III", denied[8:20]), (1, 1, 0))

    def test_bad_arguments_are_garbage(self):
        hostile = (b"", struct.pack(">I", 0xFFFFFFFF), struct.pack(">I", 65) + b"h" * 68,
                   struct.pack(">I", 3) + b"abcd"[:2])
        for procedure in range(1, 22):
            for body in hostile:
                answer = self.exchange(self.record(self.call(procedure=procedure, body=body)))
                self.assertEqual(struct.unpack(">I", answer[24:28])[0], 4, (procedure, body))

    def test_unknown_handles_are_stale_or_bad(self):
        for handle in (b"\x00" * 64, b"\xff" * 32, b"x" * 8, b""):
            padded = struct.pack(">I", len(handle)) + handle + b"\x00" * (-len(handle) % 4)
            answer = self.exchange(self.record(self.call(procedure=1, body=padded)))
            self.assertIn(struct.unpack(">I", answer[28:32])[0], (70, 10001))


if __name__ == "__main__":
    unittest.main()
