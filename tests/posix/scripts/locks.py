"""fcntl and flock locks between processes."""

import errno
import fcntl
import os
import signal
import struct

WAITERS = 24  # more than the mount has threads


def child(work):
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    return pid


def busy(call, *args):
    try:
        call(*args)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "free"


class Interrupted(Exception):
    pass


def on_alarm(*_):
    raise Interrupted


fd = os.open("f", os.O_CREAT | os.O_RDWR)
os.write(fd, b"x" * 100)

# Ranges: others meet what overlaps, and what is held is told.
fcntl.lockf(fd, fcntl.LOCK_EX, 10, 20)


def try_ranges():
    mine = os.open("f", os.O_RDWR)
    print("overlapping", busy(fcntl.lockf, mine, fcntl.LOCK_EX | fcntl.LOCK_NB, 5, 25), flush=True)
    print("shared too", busy(fcntl.lockf, mine, fcntl.LOCK_SH | fcntl.LOCK_NB, 1, 29), flush=True)
    print("beside", busy(fcntl.lockf, mine, fcntl.LOCK_EX | fcntl.LOCK_NB, 5, 30), flush=True)
    asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    kind, _, start, length, pid = struct.unpack("hhqqi4x", fcntl.fcntl(mine, fcntl.F_GETLK, asked))
    print("held", kind == fcntl.F_WRLCK, start, length, pid == os.getppid(), flush=True)


os.waitpid(child(try_ranges), 0)
fcntl.lockf(fd, fcntl.LOCK_UN, 3, 24)


def try_middle():
    mine = os.open("f", os.O_RDWR)
    for start, length in ((20, 4), (24, 3), (27, 3)):
        print(start, busy(fcntl.lockf, mine, fcntl.LOCK_EX | fcntl.LOCK_NB, length, start), flush=True)


os.waitpid(child(try_middle), 0)
# Closing any descriptor of the file gives up all of the process's range locks.
os.close(os.open("f", os.O_RDONLY))
os.waitpid(child(try_middle), 0)

# Many wait for one lock; the file system answers meanwhile, and each gets it.
fcntl.lockf(fd, fcntl.LOCK_EX)


ready, about_to_wait = os.pipe()


def wait_and_count():
    mine = os.open("f", os.O_RDWR)
    os.write(about_to_wait, b".")
    fcntl.lockf(mine, fcntl.LOCK_EX)
    count = int(os.pread(mine, 10, 0).split(b"x")[0] or 0)
    os.pwrite(mine, b"%d" % (count + 1), 0)


waiting = [child(wait_and_count) for _ in range(WAITERS)]
for _ in waiting:
    os.read(ready, 1)
os.mkdir("d")
os.rmdir("d")
print("alive", os.stat("f").st_size)
fcntl.lockf(fd, fcntl.LOCK_UN)
for pid in waiting:
    os.waitpid(pid, 0)
print("counted", os.pread(fd, 2, 0))

# flock belongs to the open file; a wait for it ends by a signal.
fcntl.flock(fd, fcntl.LOCK_EX)


def try_flock():
    mine = os.open("f", os.O_RDWR)
    print("flock", busy(fcntl.flock, mine, fcntl.LOCK_SH | fcntl.LOCK_NB), flush=True)
    print("ranges are apart", busy(fcntl.lockf, mine, fcntl.LOCK_EX | fcntl.LOCK_NB), flush=True)
    signal.signal(signal.SIGALRM, on_alarm)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        fcntl.flock(mine, fcntl.LOCK_EX)
        print("got it", flush=True)
    except Interrupted:
        print("interrupted", flush=True)


os.waitpid(child(try_flock), 0)
copy = os.dup(fd)
os.close(fd)
os.waitpid(child(try_flock), 0)
os.close(copy)


def take_flock():
    mine = os.open("f", os.O_RDWR)
    fcntl.flock(mine, fcntl.LOCK_EX)
    print("free again", flush=True)


os.waitpid(child(take_flock), 0)
os.unlink("f")
