"""SIGKILL under load through all three doors, ten times; every acknowledged byte must be there.

Each worker writes through one door to a bucket of its own, one operation at a time, and journals
what was acknowledged and what was on its way. ASHLAR_SEED repeats a run's choices (not its
timing). This says nothing about syncs, which the simulated disks are for: it shows that nothing
waits in the server's memory for longer than its answer says.
"""

import contextlib
import os
import random
import threading
import time
import unittest

import ashlar
import libnfs

ROUNDS = int(os.environ.get("ASHLAR_KILLS", "10"))
KEYS = 16
SIZES = (0, 1, 100, 4096, 5000, 40_000, 66_000, 300_000, 2_500_000)
ABSENT = None


class Journal:
    """What one bucket may hold: per key the acknowledged content, and rivals in flight."""

    def __init__(self, bucket):
        self.bucket = bucket
        self.acknowledged = {}
        self.pending = {}
        self.torn = set()
        self.operations = 0
        self.kills = 0

    @contextlib.contextmanager
    def change(self, torn=False, **contents):
        """The block makes keys hold these contents; torn: in place, so by parts."""
        for key, content in contents.items():
            self.pending[key] = content
            if torn:
                self.torn.add(key)
        kills = self.kills
        yield
        if kills != self.kills:
            raise ashlar.Failed("too late: what is there has been looked at")
        self.acknowledged.update(contents)
        self.pending.clear()
        self.torn.clear()
        self.operations += 1

    def problem(self, key, found):
        """Why `found` must not be, or None. Afterwards it is what is there."""
        old = self.acknowledged.get(key, ABSENT)
        allowed = [old] + ([self.pending[key]] if key in self.pending else [])
        if found in allowed:
            return None
        if key in self.torn and self._is_mixture(old, self.pending[key], found):
            return None
        shown = "absent" if found is ABSENT else f"{len(found)} bytes"
        wanted = " or ".join("absent" if a is ABSENT else f"{len(a)} bytes" for a in allowed)
        where = ""
        if found is not ABSENT and old is not ABSENT and len(old) == len(found):
            where = f", differs at {next(i for i, (a, b) in enumerate(zip(old, found)) if a != b)}"
        return f"{self.bucket}/{key}: {shown} instead of {wanted}{where}"

    @staticmethod
    def _is_mixture(old, new, found):
        old, new, found = old or b"", new or b"", found or b""
        if len(found) > max(len(old), len(new)):
            return False
        return all(byte in (old[i:i + 1] + new[i:i + 1] + b"\0") for i, byte in enumerate(found))

    def settle(self, key, found):
        self.acknowledged[key] = found
        self.pending.pop(key, None)


class Worker(threading.Thread):
    must_end = True  # when the server is killed
    end_seconds = 60

    def __init__(self, server, journal, seed):
        super().__init__(daemon=True)
        self.server, self.journal = server, journal
        self.random = random.Random(seed)
        self.stopping = threading.Event()
        self.ended_by = None

    def run(self):
        try:
            self.connect()
            while not self.stopping.is_set():
                self.step()
        except Exception as error:  # Any error ends the round's work: the server is being killed.
            self.ended_by = error

    def key(self):
        return f"k{self.random.randrange(KEYS)}"

    def body(self):
        size = self.random.choice(SIZES)
        return ashlar.content(size, self.random.randrange(1 << 30))

    def present(self):
        keys = [k for k, v in self.journal.acknowledged.items() if v is not ABSENT and len(v) > 10]
        return self.random.choice(keys) if keys else None


class S3Worker(Worker):
    def connect(self):
        self.s3 = self.server.s3(retries={"max_attempts": 0})

    def step(self):
        choice, bucket, key = self.random.random(), self.journal.bucket, self.key()
        if choice < 0.6:
            body = self.body()
            with self.journal.change(**{key: body}):
                self.s3.put_object(Bucket=bucket, Key=key, Body=body)
        elif choice < 0.75:
            with self.journal.change(**{key: ABSENT}):
                self.s3.delete_object(Bucket=bucket, Key=key)
        elif choice < 0.9 and (source := self.present()):
            with self.journal.change(**{key: self.journal.acknowledged[source]}):
                self.s3.copy_object(Bucket=bucket, Key=key, CopySource=f"{bucket}/{source}",
                                    MetadataDirective="REPLACE")
        else:
            self.multipart(bucket, key)

    def multipart(self, bucket, key):
        bodies = [ashlar.content(5 << 20, self.random.randrange(99)), self.body()]
        upload = self.s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        parts = [{"PartNumber": n, "ETag": self.s3.upload_part(
            Bucket=bucket, Key=key, UploadId=upload, PartNumber=n, Body=body)["ETag"]}
            for n, body in enumerate(bodies, 1)]
        with self.journal.change(**{key: b"".join(bodies)}):
            self.s3.complete_multipart_upload(Bucket=bucket, Key=key, UploadId=upload,
                                              MultipartUpload={"Parts": parts})


class MountWorker(Worker):
    """An fsync acknowledges: it makes all that went before it through the mount durable."""

    def connect(self):
        self.dir = os.path.join(self.server.mount_dir, self.journal.bucket)

    def write(self, name, data, flags, offset=0):
        fd = os.open(os.path.join(self.dir, name), flags, 0o644)
        try:
            done = 0
            while done < len(data):
                done += os.pwrite(fd, data[done:], offset + done)
            os.fsync(fd)
        finally:
            os.close(fd)

    def sync_names(self):
        fd = os.open(self.dir, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def step(self):
        choice, key = self.random.random(), self.key()
        source = self.present()
        if choice < 0.35:
            body = self.body()
            self.write("new", body, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            with self.journal.change(**{key: body}):
                os.rename(os.path.join(self.dir, "new"), os.path.join(self.dir, key))
                self.sync_names()
        elif choice < 0.55:
            body = self.body()
            with self.journal.change(torn=True, **{key: body}):
                self.write(key, body, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        elif choice < 0.65 and self.journal.acknowledged.get(key, ABSENT) is not ABSENT:
            with self.journal.change(**{key: ABSENT}):
                os.unlink(os.path.join(self.dir, key))
                self.sync_names()
        elif choice < 0.75 and source and source != key:
            moved = self.journal.acknowledged[source]
            with self.journal.change(**{key: moved, source: ABSENT}):
                os.rename(os.path.join(self.dir, source), os.path.join(self.dir, key))
                self.sync_names()
        elif source:
            body = bytearray(self.journal.acknowledged[source])
            at = self.random.randrange(len(body))
            patch = ashlar.content(min(self.random.randrange(1, 9000), len(body) - at),
                                   self.random.randrange(1 << 30))
            body[at:at + len(patch)] = patch
            with self.journal.change(torn=True, **{source: bytes(body)}):
                self.write(source, patch, os.O_WRONLY, at)


class NfsWorker(Worker):
    # libnfs takes in what has arrived, then waits for its time-out. It may: it is on its own.
    must_end = False
    end_seconds = 1

    def __init__(self, server, journal, seed, owner):
        super().__init__(server, journal, seed)
        self.owner = owner

    def connect(self):
        self.nfs = libnfs.Client(self.server.nfs_port, f"/{self.journal.bucket}", *self.owner)
        self.nfs.give_up_when_disconnected()

    def step(self):
        choice, key = self.random.random(), self.key()
        source = self.present()
        if choice < 0.4:
            body = self.body()
            self.nfs.write("/new", body)
            self.nfs.truncate("/new", len(body))
            with self.journal.change(**{key: body}):
                self.nfs.rename("/new", "/" + key)
        elif choice < 0.5 and self.journal.acknowledged.get(key, ABSENT) is not ABSENT:
            with self.journal.change(**{key: ABSENT}):
                self.nfs.unlink("/" + key)
        elif choice < 0.6 and source and source != key:
            moved = self.journal.acknowledged[source]
            with self.journal.change(**{key: moved, source: ABSENT}):
                self.nfs.rename("/" + source, "/" + key)
        elif source:
            body = bytearray(self.journal.acknowledged[source])
            at = self.random.randrange(len(body))
            patch = ashlar.content(min(self.random.randrange(1, 9000), len(body) - at),
                                   self.random.randrange(1 << 30))
            body[at:at + len(patch)] = patch
            with self.journal.change(torn=True, **{source: bytes(body)}):
                self.nfs.write("/" + source, patch, at, create=False)


class Kill(unittest.TestCase):
    def setUp(self):
        self.seed = int(os.environ.get("ASHLAR_SEED", random.randrange(1 << 30)))
        print(f"ASHLAR_SEED={self.seed}", flush=True)
        self.random = random.Random(self.seed)
        self.server = ashlar.Server()
        self.addCleanup(self.server.close)

    def workers(self, journals):
        made = [S3Worker(self.server, journals["by-s3-1"], self.random.random()),
                S3Worker(self.server, journals["by-s3-2"], self.random.random()),
                NfsWorker(self.server, journals["by-nfs"], self.random.random(),
                          self.nfs_user)]
        if self.server.mount_dir:
            made.append(MountWorker(self.server, journals["by-mount"], self.random.random()))
        return made

    def test_nothing_acknowledged_is_lost_by_ten_kills(self):
        self.server.start()
        journals = {}
        for bucket in ("by-s3-1", "by-s3-2", "by-nfs", "by-mount"):
            self.server.s3().create_bucket(Bucket=bucket)
            journals[bucket] = Journal(bucket)
        self.bucket = "by-nfs"
        self.nfs_user = ashlar.TestCase.nfs_user(self)
        for number in range(ROUNDS):
            self.one_round(number, journals)
        self.server.stop()
        self.server.start()
        self.verify(journals)
        for journal in journals.values():
            print(f"{journal.bucket}: {journal.operations} operations acknowledged")
            if self.server.mount_dir or journal.bucket != "by-mount":
                self.assertGreater(journal.operations, ROUNDS)

    def one_round(self, number, journals):
        workers = self.workers(journals)
        before = {name: journal.operations for name, journal in journals.items()}
        for worker in workers:
            worker.start()
        ashlar.wait_until(
            "each worker's first writes",
            lambda: all(w.journal.operations >= before[w.journal.bucket] + 5 or w.ended_by
                        for w in workers), 120)
        for worker in workers:
            self.assertIsNone(worker.ended_by, f"{worker.journal.bucket} failed before the kill")
        deadline = time.monotonic() + self.random.uniform(0.1, 2.0)
        ashlar.wait_until("the moment of the kill", lambda: time.monotonic() > deadline)
        self.server.kill()
        for worker in workers:
            worker.stopping.set()
        for worker in workers:
            worker.join(worker.end_seconds)
            self.assertFalse(worker.is_alive() and worker.must_end,
                             f"{worker.journal.bucket} hangs after the kill")
        for journal in journals.values():
            journal.kills += 1
        self.server.start()
        self.assertLessEqual(self.mount_count(), 1, "mounts of the killed servers are left")
        self.verify(journals)
        print(f"kill {number + 1}: all is there", flush=True)

    def mount_count(self):
        with open("/proc/self/mounts", encoding="utf-8") as mounts:
            return sum(line.split()[1] == self.server.mount_dir for line in mounts)

    def verify(self, journals):
        s3 = self.server.s3()
        problems = []
        for journal in journals.values():
            listed = {entry["Key"]: entry["Size"] for entry in
                      s3.list_objects_v2(Bucket=journal.bucket).get("Contents", [])}
            strangers = set(listed) - set(journal.acknowledged) - set(journal.pending) - {"new"}
            if strangers:
                problems.append(f"{journal.bucket}: nobody made {strangers}")
            for key in sorted(set(journal.acknowledged) | set(journal.pending)):
                found = self.read_by_s3(s3, journal.bucket, key)
                if problem := journal.problem(key, found):
                    problems.append(problem)
                if listed.get(key) != (None if found is ABSENT else len(found)):
                    problems.append(f"{journal.bucket}/{key}: the listing disagrees")
                journal.settle(key, found)
            journal.pending.clear()
            journal.torn.clear()
            problems += self.other_doors(journal)
        self.assertEqual(problems, [], f"ASHLAR_SEED={self.seed}\n{self.server.log(30)}")

    @staticmethod
    def read_by_s3(s3, bucket, key):
        try:
            return s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except s3.exceptions.NoSuchKey:
            return ABSENT

    def other_doors(self, journal):
        present = {k: v for k, v in journal.acknowledged.items() if v is not ABSENT}
        with libnfs.Client(self.server.nfs_port, f"/{journal.bucket}", ashlar.NOBODY) as nfs:
            for key, content in present.items():
                if nfs.read("/" + key) != content:
                    yield f"{journal.bucket}/{key}: NFS shows other bytes than S3"
            if set(nfs.names("/")) - {"new"} != set(present):
                yield f"{journal.bucket}: NFS shows other names than S3"
        if self.server.mount_dir:
            folder = os.path.join(self.server.mount_dir, journal.bucket)
            for key, content in present.items():
                with open(os.path.join(folder, key), "rb") as file:
                    if file.read() != content:
                        yield f"{journal.bucket}/{key}: the mount shows other bytes than S3"
            if set(os.listdir(folder)) - {"new"} != set(present):
                yield f"{journal.bucket}: the mount shows other names than S3"


if __name__ == "__main__":
    unittest.main()
