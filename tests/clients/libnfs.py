"""Debian's libnfs through ctypes: a foreign NFSv3 client with calls that nfs-cp has not."""

import ctypes
import os

_lib = ctypes.CDLL("libnfs.so.13")


class Stat(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in (
        "dev", "ino", "mode", "nlink", "uid", "gid", "rdev", "size", "blksize", "blocks", "atime",
        "mtime", "ctime", "atime_nsec", "mtime_nsec", "ctime_nsec", "used")]


class _Timeval(ctypes.Structure):
    _fields_ = [("sec", ctypes.c_long), ("usec", ctypes.c_long)]


class _Entry(ctypes.Structure):
    pass


# The rest of the structure is not read here.
_Entry._fields_ = [("next", ctypes.POINTER(_Entry)), ("name", ctypes.c_char_p),
                   ("inode", ctypes.c_uint64), ("type", ctypes.c_uint32),
                   ("mode", ctypes.c_uint32), ("size", ctypes.c_uint64)]

_POINTER = ctypes.c_void_p
_TEXT = ctypes.c_char_p
_SIZE = ctypes.c_uint64
_INT = ctypes.c_int
_OUT = ctypes.POINTER(ctypes.c_void_p)
_SIGNATURES = {
    "nfs_mount": [_TEXT, _TEXT], "nfs_stat64": [_TEXT, ctypes.POINTER(Stat)],
    "nfs_lstat64": [_TEXT, ctypes.POINTER(Stat)], "nfs_open": [_TEXT, _INT, _OUT],
    "nfs_creat": [_TEXT, _INT, _OUT], "nfs_close": [_POINTER], "nfs_fsync": [_POINTER],
    "nfs_pread": [_POINTER, _SIZE, _SIZE, _POINTER],
    "nfs_pwrite": [_POINTER, _SIZE, _SIZE, _TEXT], "nfs_truncate": [_TEXT, _SIZE],
    "nfs_mkdir": [_TEXT], "nfs_rmdir": [_TEXT], "nfs_unlink": [_TEXT],
    "nfs_rename": [_TEXT, _TEXT], "nfs_link": [_TEXT, _TEXT], "nfs_symlink": [_TEXT, _TEXT],
    "nfs_readlink": [_TEXT, _POINTER, _INT], "nfs_chmod": [_TEXT, _INT],
    "nfs_opendir": [_TEXT, _OUT],
    "nfs_utimes": [_TEXT, ctypes.POINTER(_Timeval)],
}
for _name, _arguments in _SIGNATURES.items():
    getattr(_lib, _name).argtypes = [_POINTER, *_arguments]
_lib.nfs_init_context.restype = _POINTER
_lib.nfs_destroy_context.argtypes = [_POINTER]
_lib.nfs_get_error.restype = _TEXT
_lib.nfs_get_error.argtypes = [_POINTER]
_lib.nfs_parse_url_dir.restype = _POINTER
_lib.nfs_parse_url_dir.argtypes = [_POINTER, _TEXT]
_lib.nfs_destroy_url.argtypes = [_POINTER]
_lib.nfs_readdir.restype = ctypes.POINTER(_Entry)
_lib.nfs_readdir.argtypes = [_POINTER, _POINTER]
_lib.nfs_closedir.argtypes = [_POINTER, _POINTER]
_lib.nfs_set_autoreconnect.restype = None
_lib.nfs_set_autoreconnect.argtypes = [_POINTER, _INT]
_lib.nfs_set_timeout.argtypes = [_POINTER, _INT]

IO_BYTES = 1 << 20


class Client:
    """One mounted export. Errors are OSError with the errno that libnfs makes of NFS3ERR_*."""

    def __init__(self, port, export="/", uid=None, gid=None):
        self.context = _lib.nfs_init_context()
        options = f"version=3&nfsport={port}&mountport={port}&auto-traverse-mounts=0"
        if uid is not None:
            options += f"&uid={uid}&gid={uid if gid is None else gid}"
        url = _lib.nfs_parse_url_dir(self.context, f"nfs://127.0.0.1/?{options}".encode())
        if not url:
            raise OSError(self._error())
        _lib.nfs_destroy_url(url)
        self._call("nfs_mount", b"127.0.0.1", export.encode())

    def give_up_when_disconnected(self):
        _lib.nfs_set_autoreconnect(self.context, 0)
        _lib.nfs_set_timeout(self.context, 20_000)

    def close(self):
        if self.context:
            _lib.nfs_destroy_context(self.context)
            self.context = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _error(self):
        return (_lib.nfs_get_error(self.context) or b"").decode(errors="replace")

    def _call(self, name, *arguments):
        result = getattr(_lib, name)(self.context, *arguments)
        if result < 0:
            raise OSError(-result, f"{name}: {self._error()}")
        return result

    @staticmethod
    def _path(path):
        return path if isinstance(path, bytes) else path.encode()

    def stat(self, path):
        stat = Stat()
        self._call("nfs_stat64", self._path(path), stat)
        return stat

    def lstat(self, path):
        stat = Stat()
        self._call("nfs_lstat64", self._path(path), stat)
        return stat

    def read(self, path):
        handle = ctypes.c_void_p()
        self._call("nfs_open", self._path(path), os.O_RDONLY, ctypes.byref(handle))
        try:
            return self._read_all(handle)
        finally:
            self._call("nfs_close", handle)

    def _read_all(self, handle):
        buffer = ctypes.create_string_buffer(IO_BYTES)
        out = bytearray()
        while got := self._call("nfs_pread", handle, len(out), IO_BYTES, buffer):
            out += buffer.raw[:got]
        return bytes(out)

    def write(self, path, data, offset=0, create=True):
        """Writes and fsyncs (COMMIT): acknowledged when it returns. create=False opens."""
        handle = ctypes.c_void_p()
        if create:
            self._call("nfs_creat", self._path(path), 0o644, ctypes.byref(handle))
        else:
            self._call("nfs_open", self._path(path), os.O_RDWR, ctypes.byref(handle))
        try:
            for at in range(0, len(data), IO_BYTES):
                piece = data[at:at + IO_BYTES]
                done = 0
                while done < len(piece):
                    done += self._call("nfs_pwrite", handle, offset + at + done,
                                       len(piece) - done, piece[done:])
            self._call("nfs_fsync", handle)
        finally:
            self._call("nfs_close", handle)

    def names(self, path="/"):
        directory = ctypes.c_void_p()
        self._call("nfs_opendir", self._path(path), ctypes.byref(directory))
        found = []
        while entry := _lib.nfs_readdir(self.context, directory):
            found.append(entry.contents.name)
        _lib.nfs_closedir(self.context, directory)
        return sorted(os.fsdecode(name) for name in found if name not in (b".", b".."))

    def readlink(self, path):
        buffer = ctypes.create_string_buffer(4096)
        self._call("nfs_readlink", self._path(path), buffer, 4096)
        return buffer.value.decode()

    def utimes(self, path, atime, mtime):
        times = (_Timeval * 2)(_Timeval(atime, 0), _Timeval(mtime, 0))
        self._call("nfs_utimes", self._path(path), times)

    def truncate(self, path, size):
        self._call("nfs_truncate", self._path(path), size)

    def mkdir(self, path):
        self._call("nfs_mkdir", self._path(path))

    def rmdir(self, path):
        self._call("nfs_rmdir", self._path(path))

    def unlink(self, path):
        self._call("nfs_unlink", self._path(path))

    def rename(self, old, new):
        self._call("nfs_rename", self._path(old), self._path(new))

    def link(self, old, new):
        self._call("nfs_link", self._path(old), self._path(new))

    def symlink(self, target, path):
        self._call("nfs_symlink", self._path(target), self._path(path))

    def chmod(self, path, mode):
        self._call("nfs_chmod", self._path(path), mode)
