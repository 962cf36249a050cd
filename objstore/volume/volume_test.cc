#include "objstore/volume/volume_fixture.h"

using namespace tests;

namespace {

constexpr Code kOk = Code::ok;

// Reads parts of what is stored: at random, and around all borders of granules and columns.
void check_subranges(SimVolumes& volumes, const Stored& stored, SimRandom& random) {
    for (const Extent& e : stored.extents) {
        std::vector<std::uint64_t> borders = {0, e.length};
        for (std::uint64_t at = 0; at < e.length; at += 4096) {
            if (random.percent(20)) borders.push_back(at + random.below(3));
        }
        for (int i = 0; i < 20; ++i) {
            std::uint64_t from = borders[random.below(borders.size())];
            std::uint64_t to = random.percent(50) ? borders[random.below(borders.size())]
                                                  : random.below(e.length + 1);
            from = std::min(from, e.length);
            to = std::min(to, e.length);
            if (to < from) std::swap(from, to);
            CAPTURE(from);
            CAPTURE(to);
            std::string bytes(to - from, '?');
            REQUIRE(volumes.store->read(e, from, writable(bytes)).code() == kOk);
            REQUIRE(bytes == stored.bytes.substr(e.logical_offset + from, to - from));
            std::string again(to - from, '?');
            if (volumes.store->try_read(e, from, writable(again))) REQUIRE(again == bytes);
        }
    }
}

}  // namespace

TEST_CASE("pieces of any sizes come back, whole and in part, in every geometry") {
    const std::uint64_t seed = test_seed();
    CAPTURE(seed);
    SimRandom random(seed);
    for (int disks = 1; disks <= 16; ++disks) {
        CAPTURE(disks);
        SimVolumes volumes(
            {.disks = disks, .geometry = default_geometry(disks), .seed = random.next()});
        std::vector<Stored> all;
        for (int batch = 0; batch < 4; ++batch) {
            std::vector<std::size_t> sizes;
            for (std::uint64_t i = random.below(12) + 1; i > 0; --i) {
                const std::uint64_t most = random.percent(30) ? 300'000 : 9000;
                sizes.push_back(random.below(most));
            }
            auto stored = volumes.append(sizes);
            REQUIRE(stored.size() == sizes.size());
            for (Stored& s : stored) all.push_back(std::move(s));
        }
        for (const Stored& s : all) {
            REQUIRE(volumes.read(s).code() == kOk);
            check_subranges(volumes, s, random);
        }
        REQUIRE(volumes.store->stop().ok());
        REQUIRE(volumes.reopen().ok());
        for (const Stored& s : all) REQUIRE(volumes.read(s).code() == kOk);
        CHECK(volumes.read_errors() == 0);
    }
}

TEST_CASE("small pieces have one extent with a checksum, large ones are cut into stripes") {
    SimVolumes volumes({.disks = 3, .geometry = {2, 1}});
    const auto stored = volumes.append({100, 0, kExtentCrcBytesMax, 5 * kMiB, 70'000});
    REQUIRE(stored.size() == 5);
    CHECK(stored[0].extents.size() == 1);
    CHECK(stored[0].extents[0].has_crc);
    CHECK(stored[1].extents.empty());
    CHECK(stored[2].extents[0].has_crc);
    CHECK(stored[0].extents[0].nonce == stored[2].extents[0].nonce);
    CHECK(stored[3].extents.size() == 3);
    CHECK_FALSE(stored[4].extents[0].has_crc);
    for (const Stored& s : stored) CHECK(volumes.read(s).code() == kOk);
}

TEST_CASE("more pieces than a header has room for go into more stripes") {
    SimVolumes volumes({});
    const auto stored = volumes.append(std::vector<std::size_t>(5000, 17));
    REQUIRE(stored.size() == 5000);
    std::set<std::uint64_t> places;
    for (const Stored& s : stored) {
        REQUIRE(s.extents.size() == 1);
        places.insert(s.extents[0].place);
        REQUIRE(volumes.read(s).code() == kOk);
    }
    CHECK(places.size() == 3);
}

TEST_CASE("a batch costs one write and one sync a disk") {
    SimVolumes volumes({});
    REQUIRE(volumes.append({1000}).size() == 1);
    std::vector<std::uint64_t> writes;
    std::vector<std::uint64_t> syncs;
    for (int i = 0; i < 6; ++i) {
        writes.push_back(volumes.disk(i).count(SimOperation::write));
        syncs.push_back(volumes.disk(i).count(SimOperation::sync));
    }
    REQUIRE(volumes.append(std::vector<std::size_t>(100, 4096)).size() == 100);
    for (std::size_t i = 0; i < 6; ++i) {
        CHECK(volumes.disk(static_cast<int>(i)).count(SimOperation::write) == writes[i] + 1);
        CHECK(volumes.disk(static_cast<int>(i)).count(SimOperation::sync) == syncs[i] + 1);
    }
}

TEST_CASE("a small object in one column costs one read, by call and by try") {
    SimVolumes volumes({});
    const auto stored = volumes.append({4096});
    REQUIRE(volumes.read(stored[0]).code() == kOk);  // opens the file
    const auto reads = [&] {
        std::uint64_t count = 0;
        for (int i = 0; i < 6; ++i) count += volumes.disk(i).count(SimOperation::read);
        return count;
    };
    const std::uint64_t before = reads();
    REQUIRE(volumes.read(stored[0]).code() == kOk);
    CHECK(reads() == before + 1);
    std::string bytes(4096, '?');
    CHECK(volumes.store->try_read(stored[0].extents[0], 0, writable(bytes)));
    CHECK(bytes == stored[0].bytes);
    CHECK(reads() == before + 2);
}

TEST_CASE("impossible extents and ranges are errors") {
    SimVolumes volumes({});
    const auto stored = volumes.append({100'000});
    const Extent good = stored[0].extents[0];
    std::string out(10, '?');
    const auto code = [&](auto&& change, std::uint64_t offset = 0) {
        Extent e = good;
        change(e);
        CHECK_FALSE(volumes.store->try_read(e, offset, writable(out)));
        return volumes.store->read(e, offset, writable(out)).code();
    };
    CHECK(code([](Extent& e) { e.volume ^= 1; }) == Code::not_found);
    CHECK(code([](Extent& e) { e.kind = ExtentKind::inline_data; }) == Code::corruption);
    CHECK(code([](Extent& e) { e.column_bytes = 0; }) == Code::corruption);
    CHECK(code([](Extent& e) { e.column_bytes = 0xfffff000; }) == Code::corruption);
    CHECK(code([](Extent& e) { e.header_bytes = 123; }) == Code::corruption);
    CHECK(code([](Extent& e) { e.header_bytes = 0; }) == Code::corruption);
    CHECK(code([](Extent& e) { e.length = UINT64_MAX; }) == Code::corruption);
    CHECK(code([](Extent& e) { e.payload_offset = 0xffffffff; }) == Code::corruption);
    CHECK(code([](Extent& e) { e.nonce ^= 1; }) == Code::io_error);
    CHECK(code([](Extent& e) { e.place += 4096; }) == Code::io_error);
    CHECK(code([](Extent& e) { e.place = std::uint64_t{1} << 50; }) == Code::io_error);
    for (const int bit : {62, 63}) {
        CHECK(code([&](Extent& e) { e.place += std::uint64_t{1} << bit; }) == Code::corruption);
    }
    CHECK(code([](Extent& e) { e.place = UINT64_MAX - 4095; }) == Code::corruption);
    CHECK(code([](Extent&) {}, good.length - 9) == Code::invalid_argument);
    CHECK(code([](Extent&) {}, UINT64_MAX) == Code::invalid_argument);
}

TEST_CASE("full volumes are sealed with a footer and given back what was reserved") {
    SimVolumes volumes(
        {.disks = 3, .geometry = {2, 1}, .shard_bytes_max = 256 * kKiB, .allocate_bytes = 100'000});
    std::vector<Stored> all;
    for (int i = 0; i < 30; ++i) {
        for (Stored& s : volumes.append({20'000, 30'000})) all.push_back(std::move(s));
    }
    REQUIRE(all.size() == 60);
    int sealed = 0;
    for (const VolumeRow& row : volumes.catalog.rows()) {
        if (row.state != VolumeState::sealed) continue;
        ++sealed;
        CHECK(row.payload_bytes == row.live_bytes);
        for (int shard = 0; shard < 3; ++shard) {
            const auto file = volumes.disk_of(row.id, shard).contents(shard_path(row.id, shard));
            REQUIRE(file.has_value());
            CHECK(volumes.disk_of(row.id, shard).is_synced(shard_path(row.id, shard)));
            const auto footer = parse_footer(as_bytes(*file).subspan(row.length));
            REQUIRE(footer.ok());
            CHECK(footer->trailer.volume == row.id);
            CHECK(footer->trailer.shard == shard);
            CHECK(footer->trailer.payload_bytes == row.payload_bytes);
            CHECK(footer->index.back().end() == row.length);
        }
    }
    CHECK(sealed >= 3);
    for (const Stored& s : all) CHECK(volumes.read(s).code() == kOk);
}

TEST_CASE("a stop seals everything and refuses appends, reads go on") {
    SimVolumes volumes({});
    const auto stored = volumes.append({5000});
    const auto streamed = volumes.stream(3 * kMiB, 0);
    REQUIRE(streamed.size() == 1);
    CHECK(volumes.store->stop().ok());
    for (const VolumeRow& row : volumes.catalog.rows()) CHECK(row.state == VolumeState::sealed);
    CHECK(volumes.append({1}).empty());
    CHECK(volumes.status.code() == Code::unavailable);
    CHECK(volumes.stream(1, 0).empty());
    CHECK(volumes.read(stored[0]).code() == kOk);
    CHECK(volumes.read(streamed[0]).code() == kOk);
    CHECK(volumes.store->stop().ok());
}

TEST_CASE("the next volume is there before it is needed") {
    SimVolumes volumes({.disks = 3, .geometry = {2, 1}, .shard_bytes_max = 128 * kKiB});
    REQUIRE(volumes.append({1000}).size() == 1);
    CHECK(volumes.catalog.rows().size() == 2);
}

TEST_CASE("a catalog that refuses a volume fails the append, and nothing stays behind") {
    SimVolumes volumes({.disks = 3, .geometry = {2, 1}});
    volumes.catalog.set_fails(true);
    CHECK(volumes.append({1000}).empty());
    CHECK(volumes.status.code() == Code::io_error);
    for (int i = 0; i < 3; ++i) {
        const auto directories = volumes.disk(i).list("vol").value();
        for (const std::string& directory : directories) {
            CHECK(volumes.disk(i).list("vol/" + directory.substr(0, 2))->empty());
        }
    }
    volumes.catalog.set_fails(false);
    CHECK(volumes.append({1000}).size() == 1);
}

TEST_CASE("streams of sizes around stripe borders come back, with any hint") {
    const std::size_t full = 2 * kMiB;  // a stripe of 2+1
    SimVolumes volumes(
        {.disks = 3, .geometry = {2, 1}, .shard_bytes_max = 8 * kMiB, .stream_sync_bytes = kMiB});
    std::vector<Stored> all;
    for (const std::size_t size : {std::size_t{0},
                                   std::size_t{1},
                                   std::size_t{4096},
                                   kExtentCrcBytesMax,
                                   kExtentCrcBytesMax + 1,
                                   full - 1,
                                   full,
                                   full + 1,
                                   2 * full,
                                   3 * full + 12345}) {
        for (const std::uint64_t hint : {std::uint64_t{0},
                                         std::uint64_t{size},
                                         std::uint64_t{5000},
                                         std::uint64_t{full},
                                         std::uint64_t{1} << 40}) {
            CAPTURE(size);
            CAPTURE(hint);
            auto stored = volumes.stream(size, hint);
            REQUIRE(stored.size() == 1);
            REQUIRE(volumes.read(stored[0]).code() == kOk);
            if (hint != 5000) REQUIRE(stored[0].extents.size() == (size + full - 1) / full);
            all.push_back(std::move(stored[0]));
        }
    }
    for (const Stored& s : all) REQUIRE(volumes.read(s).code() == kOk);
}

TEST_CASE("a stream's memory can be filled in place and read while the next stripe fills") {
    SimVolumes volumes({.disks = 2, .geometry = {1, 1}});
    const std::string bytes = some_bytes(4 * kMiB, 3);
    auto stream = volumes.store->open_stream({1, 1, 500}, 0);
    REQUIRE(stream.ok());
    Bytes before;
    std::size_t at = 0;
    std::size_t before_at = 0;
    while (at < bytes.size()) {
        const auto room = (*stream)->space();
        REQUIRE(room.ok());
        if (!before.empty()) CHECK(as_text(before) == bytes.substr(before_at, before.size()));
        const std::size_t size = std::min({room->size(), bytes.size() - at, std::size_t{300'000}});
        std::memcpy(room->data(), bytes.data() + at, size);
        before = room->first(size);
        before_at = at;
        REQUIRE((*stream)->advance(size).ok());
        at += size;
    }
    const auto extents = (*stream)->finish();
    REQUIRE(extents.ok());
    CHECK(extents->front().logical_offset == 500);
    CHECK(extents->back().end() == 500 + bytes.size());
}

TEST_CASE("a stream that is given up leaves garbage and no harm") {
    SimVolumes volumes({.disks = 2, .geometry = {1, 1}});
    {
        auto stream = volumes.store->open_stream({1, 1, 0}, 0);
        REQUIRE((*stream)->write(as_bytes(some_bytes(2'500'000, 1))).ok());
    }
    const auto stored = volumes.stream(3 * kMiB, 0);
    REQUIRE(stored.size() == 1);
    CHECK(volumes.read(stored[0]).code() == kOk);
}

TEST_CASE("many streams at once make do with little memory") {
    SimVolumes volumes({});
    std::vector<std::unique_ptr<VolumeStream>> streams;
    std::vector<std::string> bytes;
    for (std::uint64_t i = 0; i < 30; ++i) {
        auto stream = volumes.store->open_stream({i, 1, 0}, 0);
        REQUIRE(stream.ok());
        bytes.push_back(some_bytes(600'000 + i, i));
        REQUIRE((*stream)->write(as_bytes(bytes.back())).ok());
        streams.push_back(std::move(*stream));
    }
    bool lean = false;
    for (std::size_t i = 0; i < streams.size(); ++i) {
        auto extents = streams[i]->finish();
        REQUIRE(extents.ok());
        lean |= extents->size() > 1;
        volumes.catalog.name(*extents);
        CHECK(volumes.read({bytes[i], *extents}).code() == kOk);
    }
    CHECK(lean);
}

TEST_CASE("streams spread over volumes as there are streams") {
    SimVolumes volumes({.disks = 3, .geometry = {2, 1}, .stream_volumes_max = 2});
    auto a = volumes.store->open_stream({1, 1, 0}, 0);
    auto b = volumes.store->open_stream({2, 1, 0}, 0);
    REQUIRE((*a)->write(as_bytes(some_bytes(1000, 1))).ok());
    REQUIRE((*b)->write(as_bytes(some_bytes(1000, 1))).ok());
    const auto in_a = (*a)->finish();
    const auto in_b = (*b)->finish();
    CHECK(in_a->front().volume != in_b->front().volume);
    a->reset();
    b->reset();
    const auto later = volumes.stream(1000, 0);
    CHECK((later[0].extents[0].volume == in_a->front().volume ||
           later[0].extents[0].volume == in_b->front().volume));
}

TEST_CASE("few files stay open") {
    SimVolumes volumes(
        {.disks = 3, .geometry = {2, 1}, .shard_bytes_max = 64 * kKiB, .open_files_max = 5});
    std::vector<Stored> all;
    for (int i = 0; i < 40; ++i) {
        for (Stored& s : volumes.append({50'000})) all.push_back(std::move(s));
    }
    CHECK(volumes.catalog.rows().size() > 20);
    for (int round = 0; round < 2; ++round) {
        for (const Stored& s : all) CHECK(volumes.read(s).code() == kOk);
    }
}

TEST_CASE("space is told in payload") {
    SimVolumes volumes({});
    for (int i = 0; i < 6; ++i) volumes.disk(i).set_capacity(100 * kMiB);
    DiskSpace space = volumes.store->space();
    CHECK(space.total_bytes == 400 * kMiB);
    CHECK(space.free_bytes == 400 * kMiB);
    volumes.disk(2).set_capacity(10 * kMiB);
    space = volumes.store->space();
    CHECK(space.free_bytes == 40 * kMiB);
}
