import os

COUNT = 20000
os.mkdir("big")
for i in range(COUNT):
    os.close(os.open(f"big/file-{i:05}", os.O_CREAT | os.O_WRONLY))
assert len(set(os.listdir("big"))) == COUNT
seen = []
with os.scandir("big") as entries:
    for entry in entries:
        assert entry.stat().st_size == 0
        seen.append(entry.name)
        os.unlink(entry.path)
assert len(seen) == len(set(seen)) == COUNT, len(seen)
os.rmdir("big")
