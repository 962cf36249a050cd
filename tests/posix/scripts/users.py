import errno
import os

os.chmod(".", 0o755)
os.mkdir("secret", 0o700)
for name, mode in (("sticky", 0o1777), ("open", 0o777), ("group", 0o770)):
    os.mkdir(name)
    os.chmod(name, mode)
os.chown("group", -1, 4242)
for name in ("secret/f", "sticky/root", "open/root", "group/f"):
    with open(name, "w") as file:
        file.write("x")
    os.chmod(name, 0o644)


def attempt(what, call, *args):
    try:
        call(*args)
    except OSError as error:
        print(what, errno.errorcode[error.errno], flush=True)
    else:
        print(what, "done", flush=True)


def without_privileges():
    os.setgroups([4242])
    os.setgid(1234)
    os.setuid(1234)
    attempt("read secret", open, "secret/f")
    attempt("list secret", os.listdir, "secret")
    attempt("unlink sticky", os.unlink, "sticky/root")
    attempt("unlink open", os.unlink, "open/root")
    attempt("create here", open, "f", "w")
    attempt("chmod other", os.chmod, "sticky/root", 0o777)
    with open("open/mine", "w") as file:
        file.write("x")
    st = os.stat("open/mine")
    print(st.st_uid, st.st_gid, flush=True)
    attempt("give away", os.chown, "open/mine", 0, -1)
    attempt("to my group", os.chown, "open/mine", -1, 4242)
    attempt("to other group", os.chown, "open/mine", -1, 4243)
    attempt("group list", os.listdir, "group")
    attempt("group file", open, "group/f", "w")
    attempt("utime other", os.utime, "sticky/root", (1, 1))
    attempt("mkdir", os.mkdir, "sticky/d")
    os.chmod("open/mine", 0o4755)
    with open("open/mine", "a") as file:
        file.write("y")
    print(oct(os.stat("open/mine").st_mode), flush=True)
    os.chmod("open/mine", 0o6755)
    os.truncate("open/mine", 1)
    print(oct(os.stat("open/mine").st_mode), flush=True)


# What root has seen is in the kernel's caches, and still is not for others.
print(open("secret/f").read(), os.stat("group/f").st_size, flush=True)
if os.fork() == 0:
    without_privileges()
    os._exit(0)
os.wait()
st = os.stat("open/mine")
print(oct(st.st_mode), st.st_uid, st.st_gid)
