"""One namespace: what one door acknowledged, each other door shows at its next request."""

import os
import subprocess
import unittest

import ashlar
from test_tools import make_tree, read_tree


class DoorsCase(ashlar.TestCase):
    def setUp(self):
        super().setUp()
        self.nfs = self.nfs_client()
        if self.server.mount_dir:
            self.dir = os.path.join(self.server.mount_dir, self.bucket)

    def path(self, name):
        return os.path.join(self.dir, name)

    def mount_read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def mount_write(self, name, data, mode="wb"):
        with open(self.path(name), mode) as file:
            file.write(data)


class S3AndNfs(DoorsCase):
    def test_what_s3_put_nfs_reads_at_once(self):
        for n in range(50):
            body = ashlar.content(1000 * n + 1, n)
            self.put(f"dir/k{n % 5}", body)
            self.assertEqual(self.nfs.read(f"/dir/k{n % 5}"), body)
        self.assertEqual(self.nfs.names("/dir"), [f"k{n}" for n in range(5)])
        self.s3.delete_object(Bucket=self.bucket, Key="dir/k0")
        with self.assertRaises(OSError):
            self.nfs.stat("/dir/k0")

    def test_what_nfs_wrote_s3_gets_at_once(self):
        self.nfs.mkdir("/d")
        for n in range(50):
            body = ashlar.content(1000 * n + 1, n)
            self.nfs.write(f"/d/k{n % 5}", body)
            self.nfs.truncate(f"/d/k{n % 5}", len(body))
            self.assertEqual(self.read(f"d/k{n % 5}"), body)
        self.nfs.rename("/d", "/e")
        self.assertEqual(self.keys(), [f"e/k{n}" for n in range(5)])

    def test_a_change_by_nfs_gives_a_new_etag_that_is_no_md5(self):
        before = self.put("k", ashlar.content(100_000))["ETag"]
        self.nfs.write("/k", b"patch", offset=50_000, create=False)
        after = self.head("k")["ETag"]
        self.assertNotEqual(after, before)
        self.assertRegex(after, r'^"[0-9a-f]{32}-1"$')
        self.assertEqual(self.read("k", Range="bytes=49998-50006")[2:7], b"patch")
        with self.refused(412):
            self.get("k", IfMatch=before)

    def test_symlinks_are_not_keys(self):
        self.nfs.symlink("target", "/link")
        self.assertEqual(self.keys(), [])
        with self.refused(404):
            self.get("link")
        self.s3.delete_object(Bucket=self.bucket, Key="link")
        self.assertEqual(self.nfs.readlink("/link"), "target")
        with self.refused(409, "BucketNotEmpty"):
            self.s3.delete_bucket(Bucket=self.bucket)


class Directories(DoorsCase):
    """Semantics, section 3: implied, made and marker directories."""

    def test_an_implied_directory_goes_with_its_last_key(self):
        self.put("a/b/c", b"x")
        self.s3.delete_object(Bucket=self.bucket, Key="a/b/c")
        self.assertEqual(self.nfs.names("/"), [])

    def test_a_made_directory_is_a_key_while_it_is_empty(self):
        self.nfs.mkdir("/made")
        self.assertEqual(self.keys(), ["made/"])
        self.assertEqual(self.head("made/")["ContentType"], "application/x-directory")
        self.assertEqual(self.read("made/"), b"")
        with self.refused(404):
            self.head("made")
        self.put("made/k", b"x")
        self.assertEqual(self.keys(), ["made/k"])
        self.s3.delete_object(Bucket=self.bucket, Key="made/k")
        self.assertEqual(self.keys(), ["made/"])
        self.s3.delete_object(Bucket=self.bucket, Key="made/")
        self.assertEqual((self.keys(), self.nfs.names("/")), ([], []))

    def test_a_marker_is_a_directory_with_a_body(self):
        self.put("m/", b"marker body", Metadata={"x": "1"})
        self.put("m/k", b"x")
        self.assertEqual(self.keys(), ["m/", "m/k"])
        self.assertEqual(self.nfs.names("/"), ["m"])
        self.assertEqual(self.read("m/"), b"marker body")
        self.nfs.rename("/m", "/n")
        self.assertEqual((self.keys(), self.read("n/")), (["n/", "n/k"], b"marker body"))
        self.s3.delete_object(Bucket=self.bucket, Key="n/")
        self.assertEqual(self.keys(), ["n/k"])

    def test_a_deleted_marker_does_not_come_back(self):
        self.put("m/", b"marker body")
        self.put("m/k", b"x")
        for key in ("m/", "m/k"):
            self.s3.delete_object(Bucket=self.bucket, Key=key)
        self.assertEqual(self.keys(), [])

    def test_a_file_has_the_type_of_the_name_it_was_renamed_to(self):
        self.nfs.write("/page.html.tmp", b"x")
        self.assertEqual(self.head("page.html.tmp")["ContentType"], "binary/octet-stream")
        self.nfs.rename("/page.html.tmp", "/page.html")
        self.assertEqual(self.head("page.html")["ContentType"], "text/html")
        self.s3.copy_object(Bucket=self.bucket, Key="copy", CopySource=f"{self.bucket}/page.html")
        self.assertEqual(self.head("copy")["ContentType"], "text/html")

    def test_paths_over_1024_bytes_are_no_keys(self):
        path = ""
        for n in range(5):
            path += f"/{n}" + "d" * 250
            self.nfs.mkdir(path)
            self.nfs.write(path + "/f", b"x")
        listed = self.keys()
        self.assertEqual([len(key) for key in listed], [1009, 757, 505, 253])
        self.assertEqual(self.nfs.read(path + "/f"), b"x")

    def test_a_shadowed_key_comes_back_as_a_file(self):
        self.put("a", b"file")
        self.put("a/b", b"below")
        self.assertEqual(self.nfs.names("/"), ["a"])
        self.assertEqual(self.nfs.names("/a"), ["b"])
        self.nfs.rename("/a", "/moved")
        self.assertEqual(self.nfs.read("/a"), b"file")
        self.assertEqual(self.keys(), ["a", "moved/b"])

    def test_keys_that_are_no_paths_live_in_s3_alone(self):
        for key in ("x//y", "x/../y", "/lead", "x/" + "n" * 256):
            self.put(key, key.encode())
            self.assertEqual(self.read(key), key.encode())
        self.assertLessEqual(set(self.nfs.names("/")), {"x"})

    def test_a_bucket_of_directories_alone_is_empty(self):
        self.nfs.mkdir("/d")
        self.nfs.mkdir("/d/e")
        self.s3.delete_bucket(Bucket=self.bucket)


@ashlar.needs_fuse
class AllDoors(DoorsCase):
    def test_what_s3_put_the_mount_shows_past_the_kernels_caches(self):
        for n in range(100):
            body = ashlar.content(n * 500 + 1, n)
            self.put("dir/k", body)
            # The kernel has the old size, the old pages and the old name by now.
            self.assertEqual(os.stat(self.path("dir/k")).st_size, len(body))
            self.assertEqual(self.mount_read("dir/k"), body)
            self.assertEqual(os.listdir(self.path("dir")), ["k"])

    def test_absent_names_are_not_remembered(self):
        for n in range(50):
            self.assertFalse(os.path.exists(self.path(f"k{n}")))
            self.put(f"k{n}", b"x")
            self.assertTrue(os.path.exists(self.path(f"k{n}")))
            self.s3.delete_object(Bucket=self.bucket, Key=f"k{n}")
            self.assertFalse(os.path.exists(self.path(f"k{n}")))

    def test_what_the_mount_closed_s3_and_nfs_show(self):
        for n in range(50):
            body = ashlar.content(n * 700 + 1, n)
            self.mount_write("k", body)
            self.assertEqual(self.read("k"), body)
            self.assertEqual(self.nfs.read("/k"), body)
            self.assertEqual(self.head("k")["ContentLength"], len(body))

    def test_what_nfs_wrote_the_mount_shows(self):
        self.put("k", ashlar.content(300_000))
        self.mount_read("k")
        for n in range(30):
            self.nfs.write("/k", b"patch %02d" % n, offset=1000 * n, create=False)
            with open(self.path("k"), "rb") as file:
                file.seek(1000 * n)
                self.assertEqual(file.read(8), b"patch %02d" % n)

    def test_names_change_for_all(self):
        self.mount_write("a", b"x")
        os.rename(self.path("a"), self.path("b"))
        self.assertEqual((self.keys(), self.nfs.names("/")), (["b"], ["b"]))
        self.nfs.rename("/b", "/c")
        self.assertEqual((self.keys(), os.listdir(self.dir)), (["c"], ["c"]))
        self.s3.delete_object(Bucket=self.bucket, Key="c")
        self.assertEqual((os.listdir(self.dir), self.nfs.names("/")), ([], []))

    def test_a_file_changed_in_the_middle_is_read_by_range(self):
        body = bytearray(ashlar.content(20 << 20))
        self.put("k", bytes(body))
        with open(self.path("k"), "r+b") as file:
            file.seek(7_000_001)
            file.write(b"in the middle")
        body[7_000_001:7_000_014] = b"in the middle"
        self.assertEqual(self.read("k", Range="bytes=6999990-7000100"),
                         bytes(body[6_999_990:7_000_101]))
        self.assertEqual(self.read("k"), bytes(body))

    def test_an_open_reader_keeps_the_old_content(self):
        old = ashlar.content(3 << 20, 1)
        self.put("k", old)
        with open(self.path("k"), "rb") as file:
            file.read(10)
            self.put("k", b"new")
            file.seek(0)
            self.assertEqual(file.read(), old)
        self.assertEqual(self.mount_read("k"), b"new")

    def test_a_running_get_is_of_one_generation(self):
        old = ashlar.content(48 << 20, 1)
        self.put("k", old)
        stream = self.s3.get_object(Bucket=self.bucket, Key="k")["Body"]
        first = stream.read(1 << 20)
        self.put("k", b"new")
        self.mount_write("k", b"newer")
        self.assertEqual(first + stream.read(), old)

    def test_a_listing_sees_what_the_mount_made(self):
        files = make_tree(self.dir)
        self.assertEqual(sorted(self.keys(), key=str.encode), sorted(files, key=str.encode))
        for name, body in files.items():
            self.assertEqual(self.read(name), body)

    def test_rivals_through_both_doors_do_not_stop_the_server(self):
        """Creates, renames and unlinks of one directory through both doors at once."""
        script = ("i=0; while [ $i -lt 150 ]; do echo $i > a$i; mv a$i b; rm -f b c; "
                  "ls > /dev/null; i=$((i+1)); done")
        os.mkdir(self.path("d"))
        with subprocess.Popen(["sh", "-c", script], cwd=self.path("d"),
                              stderr=subprocess.PIPE) as process:
            n = 0
            while process.poll() is None:
                n += 1
                self.put("d/c", b"x" * n)
                self.s3.delete_object(Bucket=self.bucket, Key="d/c")
                self.put(f"d/a{n}", b"rival")
                self.s3.delete_object(Bucket=self.bucket, Key=f"d/a{n}")
            process.stderr.read()
        self.assertGreater(n, 5)
        self.put("d/after", b"x")
        self.assertIn("after", os.listdir(self.path("d")))

    def test_one_tree_is_the_same_through_every_door(self):
        local = os.path.join(self.server.root, "local")
        files = make_tree(local)
        for name, body in files.items():
            self.put("by-s3/" + name, body)
        self.server.run("cp", "-r", local, self.path("by-mount"))
        self.nfs.mkdir("/by-nfs")
        for folder, _, names in os.walk(local):
            inside = os.path.relpath(folder, local)
            if inside != ".":
                self.nfs.mkdir(f"/by-nfs/{inside}")
            for name in names:
                self.nfs.write(os.path.normpath(f"/by-nfs/{inside}/{name}"),
                               files[os.path.normpath(f"{inside}/{name}")])
        for tree in ("by-s3", "by-mount", "by-nfs"):
            with self.subTest(tree):
                self.assertEqual(read_tree(self.path(tree)), files)
                for name, body in files.items():
                    self.assertEqual(self.read(f"{tree}/{name}"), body)
                    self.assertEqual(self.nfs.read(f"/{tree}/{name}"), body)


if __name__ == "__main__":
    unittest.main()
