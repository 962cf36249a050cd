"""Random operations on one file against bytes in memory. RANDOM_SEED repeats a run."""

import ctypes
import mmap
import os
import random
import sys

FILE_BYTES_MAX = 400_000
KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE = 1, 2, 16
libc = ctypes.CDLL(None, use_errno=True)
libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]


def fallocate(fd, mode, offset, length):
    if libc.fallocate(fd, mode, offset, length) != 0:
        raise OSError(ctypes.get_errno(), "fallocate")


class Exerciser:
    def __init__(self, path, seed):
        self.path = path
        self.random = random.Random(seed)
        self.model = bytearray()
        self.trace = []
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        self.steps = [self.write] * 3 + [self.read] * 2
        self.steps += [self.truncate, self.punch, self.zero, self.copy, self.append]
        self.steps += [self.map, self.reopen, self.sync, self.seek]

    def step(self):
        self.random.choice(self.steps)()

    def note(self, *what):
        self.trace.append(" ".join(map(str, (*what, "of", len(self.model)))))

    def check(self):
        assert os.fstat(self.fd).st_size == len(self.model)
        found = os.pread(self.fd, len(self.model) + 1, 0)
        wrong = [i for i in range(len(self.model)) if found[i] != self.model[i]]
        assert not wrong, (wrong[0], wrong[-1], len(wrong))

    # Mostly short, sometimes long, often on block borders.
    def length(self):
        return self.random.randint(1, self.random.choice((5000, 5000, 5000, 150_000)))

    def position(self):
        at = self.random.randrange(min(FILE_BYTES_MAX - 1, len(self.model) + 10_000))
        return at // 4096 * 4096 if self.random.randrange(3) == 0 else at

    def put(self, at, data):
        self.model.extend(bytes(max(0, at + len(data) - len(self.model))))
        self.model[at:at + len(data)] = data

    def write(self):
        at = self.position()
        data = self.random.randbytes(min(self.length(), FILE_BYTES_MAX - at))
        self.note("write", at, len(data))
        assert os.pwrite(self.fd, data, at) == len(data)
        self.put(at, data)

    def append(self):
        data = self.random.randbytes(self.random.randint(1, 5000))
        if len(self.model) + len(data) > FILE_BYTES_MAX:
            return
        self.note("append", len(data))
        fd = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        assert os.write(fd, data) == len(data)
        os.close(fd)
        self.put(len(self.model), data)

    def read(self):
        at, length = self.position(), self.length()
        self.note("read", at, length)
        assert os.pread(self.fd, length, at) == self.model[at:at + length]

    def truncate(self):
        size = self.position()
        self.note("truncate", size)
        os.ftruncate(self.fd, size)
        self.model.extend(bytes(max(0, size - len(self.model))))
        del self.model[size:]

    def punch(self):
        at, length = self.position(), self.length()
        self.note("punch", at, length)
        fallocate(self.fd, PUNCH_HOLE | KEEP_SIZE, at, length)
        end = min(at + length, len(self.model))
        if at < end:
            self.model[at:end] = bytes(end - at)

    def zero(self):
        at = self.position()
        length = min(self.length(), FILE_BYTES_MAX - at)
        self.note("zero", at, length)
        fallocate(self.fd, ZERO_RANGE, at, length)
        self.put(at, bytes(length))

    def copy(self):
        if not self.model:
            return
        source = self.random.randrange(len(self.model))
        length = min(self.length(), len(self.model) - source)
        target = self.random.randrange(FILE_BYTES_MAX - length)
        if source < target + length and target < source + length:
            return
        self.note("copy", source, target, length)
        assert os.copy_file_range(self.fd, self.fd, length, source, target) == length
        self.put(target, self.model[source:source + length])

    def map(self):
        if not self.model:
            return
        with mmap.mmap(self.fd, len(self.model)) as mapped:
            assert mapped[:] == self.model
            at = self.random.randrange(len(self.model))
            data = self.random.randbytes(min(len(self.model) - at, self.random.randrange(9000)))
            self.note("map", at, len(data))
            mapped[at:at + len(data)] = data
            self.put(at, data)

    def seek(self):
        self.note("seek")
        # Holes may be told as data, never the other way round.
        at = 0
        while at < len(self.model):
            try:
                data = os.lseek(self.fd, at, os.SEEK_DATA)
            except OSError:
                data = len(self.model)
            assert not any(self.model[at:data]), (at, data)
            if data >= len(self.model):
                break
            at = os.lseek(self.fd, data, os.SEEK_HOLE)
            assert data < at <= len(self.model)

    def reopen(self):
        self.note("reopen")
        os.close(self.fd)
        self.fd = os.open(self.path, os.O_RDWR)
        assert os.fstat(self.fd).st_size == len(self.model)

    def sync(self):
        self.note("sync")
        os.fsync(self.fd)


seed = int(os.environ.get("RANDOM_SEED", random.SystemRandom().randrange(1 << 32)))
for round in range(4):
    print(f"RANDOM_SEED={seed + round}", flush=True)
    file = Exerciser("f", seed + round)
    try:
        for i in range(400):
            file.step()
            if i % 5 == 0:
                file.check()
        file.check()
    except BaseException:
        print(*file.trace[-40:], sep="\n")
        raise
    finally:
        os.close(file.fd)
