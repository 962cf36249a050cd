import hashlib
import mmap

with open("f", "wb") as f:
    f.write(bytes(range(256)) * 4096)
with open("f", "r+b") as f:
    m = mmap.mmap(f.fileno(), 0)
    print(hashlib.md5(m).hexdigest(), m[256000:256010])
    m[1000:1010] = b"changed..."
    m.flush()
    print(open("f", "rb").read()[998:1012])
    f.seek(5000)
    f.write(b"by write")
    f.flush()
    print(m[4998:5010])
    m.close()
print(hashlib.md5(open("f", "rb").read()).hexdigest())
