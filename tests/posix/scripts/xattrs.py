import errno
import os


def fails(call, *args):
    try:
        call(*args)
    except OSError as error:
        print(errno.errorcode[error.errno])
    else:
        print("no error")


open("f", "w").close()
os.mkdir("d")
os.symlink("f", "l")
binary = b"\0\xff" * 100
for name in ("f", "d"):
    os.setxattr(name, "user.one", b"1")
    os.setxattr(name, "user.two", binary)
    print(sorted(os.listxattr(name)), os.getxattr(name, "user.two") == binary)
fails(os.setxattr, "f", "user.one", b"x", os.XATTR_CREATE)
fails(os.setxattr, "f", "user.new", b"x", os.XATTR_REPLACE)
fails(os.getxattr, "f", "user.none")
fails(os.removexattr, "f", "user.none")
os.removexattr("f", "user.one")
print(os.listxattr("f"))
os.setxattr("f", "user.two", b"")
print(os.getxattr("f", "user.two"))
os.setxattr("f", "trusted.t", b"t")
print(os.getxattr("f", "trusted.t"))
fails(os.setxattr, "f", "user.big", b"x" * 70000)
fails(os.getxattr, "f", "nonsense.x")
os.rename("f", "g")
print(os.getxattr("g", "trusted.t"))
os.unlink("g")
os.unlink("l")
os.rmdir("d")
