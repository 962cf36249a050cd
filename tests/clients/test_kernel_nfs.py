"""The Linux kernel's own NFS client, in a guest, with what people run on file systems."""

import unittest

import ashlar
import linux_guest
from test_nfs import NfsCase

MISSING = linux_guest.missing()

WORK = """
# Files, written and read back past the guest's cache.
seq 1 200000 > numbers
cp numbers copy
cmp numbers copy
printf patched | dd of=copy bs=1 seek=654321 conv=notrunc status=none
test "$(dd if=copy bs=1 skip=654321 count=7 status=none)" = patched
truncate -s 100 copy
test "$(stat -c %s copy)" = 100
echo appended >> copy
test "$(wc -c < copy)" = 109

# Names.
mkdir -p a/b/c
for i in $(seq 1 300); do : > a/b/c/file$i; done
test "$(ls a/b/c | wc -l)" = 300
mv a/b moved
mv numbers moved/c/file1
test "$(wc -l < moved/c/file1)" = 200000
ln moved/c/file1 hard
test "$(stat -c %h hard)" = 2
ln -s moved/c soft
test "$(readlink soft)" = moved/c
test -e soft/file2
chmod 750 moved
test "$(stat -c %a moved)" = 750
touch -d '2001-02-03 04:05:06 UTC' hard
test "$(stat -c %Y hard)" = 981173106
rm -r moved/c/file2 a
! mkdir moved 2> /dev/null

# A file that goes while it is open.
exec 5< copy
rm copy
test "$(wc -c <&5)" = 109
exec 5<&-

# Trees, and a checksum of all.
cp -a /usr/share/doc/fuse3 /usr/share/doc/sqlite3 .
diff -r /usr/share/doc/sqlite3 sqlite3
tar -cf tree.tar fuse3 sqlite3
mkdir again && tar -C again -xf tree.tar
diff -r fuse3 again/fuse3
find . -type f | wc -l
echo done
"""


@unittest.skipIf(MISSING, f"no guest with a kernel NFS client: {MISSING}")
class KernelClient(NfsCase):
    def test_the_kernel_mounts_and_works(self):
        out = linux_guest.run(self.server, f"/{self.bucket}", WORK, owner=self.nfs_user())
        self.assertEqual(out.split()[-1], "done")
        self.assertEqual(self.head("hard")["ContentLength"], 1_288_895)
        self.assertIn("sqlite3/copyright", self.keys())

    def test_the_kernel_sees_what_s3_put(self):
        self.put("dir/k", b"from s3\n")
        out = linux_guest.run(self.server, "/", f"cat {self.bucket}/dir/k; ls {self.bucket}")
        self.assertEqual(out, "from s3\ndir\n")


if __name__ == "__main__":
    unittest.main()
