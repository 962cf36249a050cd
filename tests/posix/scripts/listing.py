import os

os.mkdir("d")
for i in range(3000):
    os.close(os.open(f"d/{i}", os.O_CREAT))
entries = os.scandir("d")
first = [next(entries).name for _ in range(10)]
keep = [name for name in os.listdir("d") if int(name) % 2]
for name in os.listdir("d"):
    if int(name) % 2 == 0:
        os.unlink("d/" + name)
rest = [entry.name for entry in entries]
assert set(keep) <= set(first) | set(rest)
assert len(rest) == len(set(rest))
assert set(os.listdir("d")) == set(keep)
