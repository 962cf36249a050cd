"""The lines that bench/run measures, and what each has to reach.

A line is one call of a load program against one server. What it needs to find there is a Fill;
lines that name the same Fill share it.
"""

from dataclasses import dataclass, replace

KIB = 1024
MIB = 1024 * KIB
FILL_CLIENTS = 64


@dataclass(frozen=True)
class Fill:
    """Objects that are there before a line begins, and are not measured."""
    bucket: str
    prefix: str
    size: int
    count: int
    quick_count: int
    directories: int = 0  # keys are spread over so many below the prefix

    def objects(self, quick):
        return self.quick_count if quick else self.count


@dataclass(frozen=True)
class Line:
    name: str
    title: str
    work: str
    rate: str  # which rate of the report is the line's figure
    clients: int = 1
    depth: int = 16  # calls under way on an NFS connection
    size: int = 4 * KIB
    chunk: int = 0  # bytes of a body's signed chunks; 0: it comes whole
    fill: Fill | None = None
    consumes: int = 0  # so many objects, instead of a time
    quick_consumes: int = 0
    goal_ratio: float | None = None  # of the peer's rate
    goal_rate: float | None = None
    goal_cpu_us: float | None = None
    goal_first_byte_us: float | None = None
    goal_growth_mib: float | None = None  # of the server's memory meanwhile
    door: str = "s3"
    peers: bool = True  # are measured too
    warp: tuple[str, ...] = ()  # the same work by warp

    def alone(self):
        """The same with one call under way."""
        title = self.title.replace(f"{self.clients} clients", "1 client")
        if self.door == "nfs":
            title += ", one at a time"
        return replace(self, clients=1, depth=1, title=title)

    def title_of(self, quick):
        count = self.fill.objects(quick) if self.fill else 0
        return self.title.format(count=f"{count:,}")


SMALL = Fill("small", "o", 4 * KIB, 2000, 1000)
MEDIUM = Fill("medium", "o", 128 * KIB, 1000, 300)
LARGE = Fill("large", "o", 10 * MIB, 64, 16)
HUGE = Fill("huge", "o", 64 * MIB, 8, 4)
# A directory for each client, as warp lays out what it lists.
MANY = Fill("many", "p/", KIB, 20000, 6000, directories=8)
MILLION = Fill("million", "p/", 1, 1_000_000, 20000)
NFS_FILE = Fill("nfs", "read", 256 * MIB, 1, 1)

OPERATIONS, MIB_PER_S, KEYS = "operations_per_s", "mib_per_s", "keys_per_s"
UNITS = {OPERATIONS: "/s", MIB_PER_S: "MiB/s", KEYS: "keys/s"}

LINES = [
    Line("put4k_1", "4 KiB PUT, 1 client", "put", OPERATIONS, goal_ratio=4,
         warp=("put", "--obj.size", "4KiB", "--concurrent", "1")),
    Line("put4k_32", "4 KiB PUT, 32 clients", "put", OPERATIONS, clients=32, goal_ratio=10,
         goal_cpu_us=120,
         warp=("put", "--obj.size", "4KiB", "--concurrent", "32")),
    Line("get4k_1", "4 KiB GET, 1 client", "get", OPERATIONS, fill=SMALL, goal_ratio=2,
         warp=("get", "--obj.size", "4KiB", "--concurrent", "1", "--objects", "1000")),
    Line("get4k_32", "4 KiB GET, 32 clients", "get", OPERATIONS, clients=32, fill=SMALL,
         goal_ratio=4, goal_cpu_us=40,
         warp=("get", "--obj.size", "4KiB", "--concurrent", "32", "--objects", "1000")),
    Line("head_32", "HEAD, 32 clients", "head", OPERATIONS, clients=32, fill=SMALL, goal_ratio=4,
         warp=("stat", "--obj.size", "4KiB", "--concurrent", "32", "--objects", "1000")),
    Line("put128k_16", "128 KiB PUT, 16 clients", "put", OPERATIONS, clients=16, size=128 * KIB,
         goal_ratio=5,
         warp=("put", "--obj.size", "128KiB", "--concurrent", "16")),
    Line("get128k_16", "128 KiB GET, 16 clients", "get", OPERATIONS, clients=16, size=128 * KIB,
         fill=MEDIUM, goal_ratio=2,
         warp=("get", "--obj.size", "128KiB", "--concurrent", "16", "--objects", "300")),
    Line("put10m_8", "10 MiB PUT, 8 clients", "put", MIB_PER_S, clients=8, size=10 * MIB,
         goal_ratio=1.5,
         warp=("put", "--obj.size", "10MiB", "--concurrent", "8")),
    Line("put10m_chunks_8", "10 MiB PUT in signed chunks of 64 KiB, 8 clients", "put", MIB_PER_S,
         clients=8, size=10 * MIB, chunk=64 * KIB, goal_ratio=1.5),
    Line("get10m_8", "10 MiB GET, 8 clients", "get", MIB_PER_S, clients=8, size=10 * MIB,
         fill=LARGE, goal_ratio=1.3,
         warp=("get", "--obj.size", "10MiB", "--concurrent", "8", "--objects", "32")),
    Line("get64m_1", "64 MiB GET, 1 client", "get", MIB_PER_S, size=64 * MIB, fill=HUGE,
         goal_ratio=1.3, goal_first_byte_us=1000,
         warp=("get", "--obj.size", "64MiB", "--concurrent", "1", "--objects", "4")),
    Line("multipart_4", "multipart of 8 parts of 8 MiB, 4 clients", "multipart", MIB_PER_S,
         clients=4, size=8 * MIB, goal_ratio=1.5,
         warp=("multipart-put", "--part.size", "8MiB", "--parts", "8", "--concurrent", "2",
               "--part.concurrent", "2")),
    Line("list_8", "LIST of {count} keys, 8 clients", "list", KEYS, clients=8, fill=MANY,
         goal_ratio=5,
         warp=("list", "--obj.size", "1KiB", "--objects", "6000", "--concurrent", "8")),
    # Takes its objects from those that the line before has listed.
    Line("delete_32", "DELETE, 32 clients", "delete", OPERATIONS, clients=32, fill=MANY,
         consumes=12000, quick_consumes=4000, goal_ratio=5,
         warp=("delete", "--obj.size", "1KiB", "--concurrent", "32", "--objects", "6000",
               "--batch", "1")),
    Line("list_million_1", "LIST of {count} keys in one prefix, 1 client", "list", KEYS,
         fill=MILLION, goal_rate=200_000, goal_growth_mib=20, peers=False),
    Line("list_million_8", "LIST of {count} keys in one prefix, 8 clients", "list", KEYS,
         clients=8, fill=MILLION, goal_rate=200_000, goal_growth_mib=20, peers=False),
    Line("nfs_getattr", "NFSv3 GETATTR", "getattr", OPERATIONS, fill=NFS_FILE, clients=4,
         goal_cpu_us=10, door="nfs"),
    Line("nfs_lookup", "NFSv3 LOOKUP", "lookup", OPERATIONS, fill=NFS_FILE, clients=4,
         goal_cpu_us=10, door="nfs"),
    Line("nfs_read", "NFSv3 READ of 1 MiB from page cache", "read", MIB_PER_S, fill=NFS_FILE,
         clients=2, depth=4, size=MIB, goal_ratio=1.2, door="nfs"),
]

# Figures of a server as such, taken after the lines.
FIGURES = ["memory", "idle", "start"]


def chosen(only):
    """The lines and figures that are named; `get4k` means all that begin so."""
    names = [line.name for line in LINES] + FIGURES
    picked = set()
    for word in only:
        found = [name for name in names if name == word or name.startswith(word)]
        if not found:
            raise ValueError(f"there is no line {word}; there are {', '.join(names)}")
        picked.update(found)
    return [line for line in LINES if line.name in picked], [f for f in FIGURES if f in picked]
