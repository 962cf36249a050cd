#include "objstore/volume/volume_fixture.h"

using namespace tests;

namespace {

// A sealed volume of 4+2 with pieces of all kinds in two stripes of one batch.
struct Damaged {
    SimVolumes volumes;
    std::vector<Stored> stored;
    VolumeId id = 0;

    explicit Damaged(std::vector<std::size_t> sizes = {4096, 100, 60'000, 130'000, 20'000, 777})
        : volumes({.seed = 5}) {
        stored = volumes.append(sizes);
        REQUIRE(stored.size() == sizes.size());
        id = stored[0].extents[0].volume;
        restart();
    }
    // Forgets open files and cached headers.
    void restart() {
        REQUIRE(volumes.store->stop().ok());
        REQUIRE(volumes.reopen().ok());
    }
    std::string path(int shard) const { return shard_path(id, shard); }
    SimDisk& disk(int shard) { return volumes.disk_of(id, shard); }
    // Twice is as before.
    void flip(int shard, std::uint64_t at) {
        const auto file = disk(shard).open(path(shard), OpenMode::write);
        std::array<std::byte, 1> byte{};
        REQUIRE((*file)->read_at(at, byte).ok());
        byte[0] ^= std::byte{static_cast<unsigned char>(1U << (at % 8))};
        REQUIRE((*file)->write_at(at, Bytes(byte)).ok());
    }
    const Extent& stripe() const { return stored[0].extents[0]; }
    bool all_readable() {
        for (const Stored& s : stored) {
            if (!volumes.read(s).ok()) return false;
        }
        return true;
    }
    std::uint64_t errors_of(int shard) {
        const DiskId disk_id = volumes.catalog.row(id).disks.at(static_cast<std::size_t>(shard));
        for (const auto& d : volumes.store->health()) {
            if (d.id == disk_id) return d.read_errors;
        }
        return 0;
    }
};

using Damage = std::function<void(Damaged&, int)>;

struct Kind {
    const char* name;
    Damage damage;
};

const std::vector<Kind>& kinds() {
    static const std::vector<Kind> kAll = {
        {"removed file",
         [](Damaged& d, int shard) { REQUIRE(d.disk(shard).remove(d.path(shard)).ok()); }},
        {"emptied disk", [](Damaged& d, int shard) { d.disk(shard).replace(); }},
        {"dead disk", [](Damaged& d, int shard) { d.disk(shard).set_dead(true); }},
        {"rotten column",
         [](Damaged& d, int shard) {
             d.disk(shard).corrupt(d.path(shard),
                                   d.stripe().place + d.stripe().header_bytes,
                                   d.stripe().column_bytes);
         }},
        {"rotten header and column",
         [](Damaged& d, int shard) {
             d.disk(shard).corrupt(d.path(shard),
                                   d.stripe().place,
                                   d.stripe().header_bytes + d.stripe().column_bytes);
         }},
        {"column of another place",
         [](Damaged& d, int shard) {
             const std::uint64_t column = d.stripe().place + d.stripe().header_bytes;
             d.disk(shard).misplace(d.path(shard),
                                    {.from = column + 8192, .to = column, .length = 8192});
             d.disk(shard).misplace(d.path(shard),
                                    {.from = column, .to = column + 20480, .length = 8192});
         }},
        {"file cut short",
         [](Damaged& d, int shard) {
             auto file = d.disk(shard).open(d.path(shard), OpenMode::write);
             REQUIRE((*file)->truncate(d.stripe().place + d.stripe().header_bytes + 3).ok());
         }},
        {"another shard's file",
         [](Damaged& d, int shard) {
             const auto other = *d.disk((shard + 1) % 6).contents(d.path((shard + 1) % 6));
             auto file = d.disk(shard).open(d.path(shard), OpenMode::write);
             REQUIRE((*file)->write_at(0, as_bytes(other)).ok());
         }},
    };
    return kAll;
}

}  // namespace

TEST_CASE("any one shard lost in any way is rebuilt and counted") {
    for (const Kind& kind : kinds()) {
        for (int shard = 0; shard < 6; ++shard) {
            CAPTURE(kind.name);
            CAPTURE(shard);
            Damaged d;
            kind.damage(d, shard);
            d.restart();
            CHECK(d.all_readable());
            if (shard < 4) CHECK(d.errors_of(shard) > 0);
        }
    }
}

TEST_CASE("any two shards lost in any ways are rebuilt") {
    std::size_t turn = 0;
    for (const Kind& kind : kinds()) {
        for (int a = 0; a < 6; ++a) {
            for (int b = a + 1; b < 6; ++b) {
                const Kind& other = kinds()[turn++ % kinds().size()];
                CAPTURE(kind.name);
                CAPTURE(other.name);
                CAPTURE(a);
                CAPTURE(b);
                Damaged d;
                kind.damage(d, a);
                other.damage(d, b);
                d.restart();
                CHECK(d.all_readable());
            }
        }
    }
}

TEST_CASE("three shards lost are an error, never wrong bytes") {
    for (const Kind& kind : kinds()) {
        CAPTURE(kind.name);
        Damaged d;
        for (int shard : {0, 2, 5}) kind.damage(d, shard);
        d.restart();
        int unreadable = 0;
        for (const Stored& s : d.stored) {
            const Code code = d.volumes.read(s).code();
            CHECK((code == Code::ok || code == Code::io_error));
            if (code != Code::ok) ++unreadable;
        }
        CHECK(unreadable > 0);
    }
}

TEST_CASE("an absent disk is no error of that disk, and reads are rebuilt") {
    Damaged d;
    const VolumeRow row = d.volumes.catalog.row(d.id);
    d.volumes.absent = {static_cast<int>(row.disks[0] - 100), static_cast<int>(row.disks[3] - 100)};
    REQUIRE(d.volumes.reopen().ok());
    CHECK(d.all_readable());
    CHECK(d.volumes.read_errors() == 0);
}

TEST_CASE("a bit flipped anywhere in a column is found by whoever reads it") {
    Damaged d({60'000, 130'000});
    const Extent& e = d.stripe();
    for (std::uint64_t at = 0; at < e.column_bytes; at += 1021) {
        CAPTURE(at);
        d.flip(1, e.place + e.header_bytes + at);
        CHECK(d.all_readable());
        d.flip(1, e.place + e.header_bytes + at);
    }
    CHECK(d.errors_of(1) > 0);
}

TEST_CASE("a bit flipped anywhere in a header is found by whoever uses it") {
    Damaged d({130'000});
    const Extent& e = d.stripe();
    for (std::uint64_t at = 0; at < e.header_bytes; at += at < 300 ? 1 : 97) {
        CAPTURE(at);
        d.flip(1, e.place + at);
        d.restart();
        CHECK(d.all_readable());
        CHECK(d.errors_of(1) > 0);
        d.flip(1, e.place + at);
    }
}

TEST_CASE("a rotten superblock alone costs nothing but a count") {
    Damaged d;
    for (int shard = 0; shard < 6; ++shard) d.disk(shard).corrupt(d.path(shard), 0, 4096);
    d.restart();
    CHECK(d.all_readable());
    CHECK(d.volumes.read_errors() > 0);
}

TEST_CASE("a stripe that was lost in favour of an older one at its place is found") {
    // The write of the second batch is swallowed by a disk that keeps other bytes there.
    SimVolumes volumes({.disks = 3, .geometry = {2, 1}});
    const auto first = volumes.append({200'000});
    const VolumeId id = first[0].extents[0].volume;
    SimDisk& liar = volumes.disk_of(id, 0);
    liar.fail({.operation = SimOperation::write,
               .failure = SimFailure::swallowed,
               .path = shard_path(id, 0)});
    const auto second = volumes.append({200'000});
    REQUIRE(second.size() == 1);
    const Extent& a = first[0].extents[0];
    const Extent& b = second[0].extents[0];
    REQUIRE(a.column_bytes == b.column_bytes);
    const std::uint64_t length = a.header_bytes + a.column_bytes;
    const auto file = liar.open(shard_path(id, 0), OpenMode::write);
    REQUIRE((*file)->truncate(b.place + length).ok());
    liar.misplace(shard_path(id, 0), {.from = a.place, .to = b.place, .length = length});
    CHECK(volumes.read(second[0]).ok());
    CHECK(volumes.read_errors() > 0);
}

TEST_CASE("a read that fails is answered by the other shards and counted once a shard") {
    Damaged d({50'000});
    REQUIRE(d.all_readable());
    d.disk(0).fail({.operation = SimOperation::read, .times = 3, .path = d.path(0)});
    CHECK(d.all_readable());
    CHECK(d.errors_of(0) > 0);
    d.disk(0).clear_faults();
    const std::uint64_t errors = d.errors_of(0);
    CHECK(d.all_readable());
    CHECK(d.errors_of(0) == errors);
}

TEST_CASE("without parity a lost shard is an error") {
    SimVolumes volumes({.disks = 1, .geometry = {1, 0}});
    const auto stored = volumes.append({5000, 100'000});
    REQUIRE(stored.size() == 2);
    const Extent& e = stored[0].extents[0];
    volumes.disk(0).corrupt(shard_path(e.volume, 0), e.place + e.header_bytes, e.column_bytes);
    CHECK(volumes.read(stored[0]).code() == Code::io_error);
    CHECK(volumes.read(stored[1]).code() == Code::io_error);
}
