import os

f = open("f", "w+b")
f.write(b"a" * 100000)
f.flush()
os.unlink("f")
st = os.fstat(f.fileno())
print(os.path.exists("f"), st.st_nlink, st.st_size)
f.write(b"b" * 100000)
f.flush()
f.seek(99999)
print(f.read(2))
os.ftruncate(f.fileno(), 5)
f.seek(0)
print(f.read())
os.fchmod(f.fileno(), 0o400)
print(oct(os.fstat(f.fileno()).st_mode))
f.close()

for name in ("old", "new"):
    with open(name, "w") as file:
        file.write(name + " content")
o = open("old")
os.rename("new", "old")
print(o.read(), open("old").read(), os.listdir("."))
print(os.fstat(o.fileno()).st_nlink)
o.close()

fd = os.open("x", os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o000)
os.write(fd, b"mine")
os.lseek(fd, 0, 0)
print(os.read(fd, 10))
os.close(fd)
try:
    os.open("x", os.O_CREAT | os.O_EXCL)
except FileExistsError:
    print("exists")

os.mkdir("sub")
s = os.open("sub", os.O_RDONLY)
os.rmdir("sub")
try:
    os.open("f", os.O_CREAT | os.O_WRONLY, dir_fd=s)
except FileNotFoundError:
    print("gone")
os.unlink("x")
os.unlink("old")
