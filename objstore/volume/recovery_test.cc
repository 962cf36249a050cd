#include "objstore/volume/recovery.h"

#include <tuple>

#include "objstore/erasure/checksum.h"
#include "objstore/volume/volume_fixture.h"

using namespace tests;

namespace {

constexpr SimVolumes::Setup kThree{.disks = 3, .geometry = {2, 1}};

// Bytes that are stored, and that nobody names.
std::vector<Extent> store_unnamed(SimVolumes& volumes, std::size_t size) {
    const std::string bytes = some_bytes(size, 9);
    const Piece piece{{1, 1, 0}, as_bytes(bytes)};
    auto extents = volumes.store->append({&piece, 1});
    REQUIRE(extents.ok());
    return (*extents)[0];
}

std::uint64_t end_of(const Extent& e) {
    return e.place + e.header_bytes + e.column_bytes;
}

Result<Footer> footer_of(SimVolumes& volumes, VolumeId id, int shard) {
    const auto file = volumes.disk_of(id, shard).contents(shard_path(id, shard));
    if (!file || file->size() < 4096) return Status::not_found("no file");
    const auto trailer = parse_footer_trailer(as_bytes(*file));
    if (!trailer.ok()) return trailer.error();
    return parse_footer(as_bytes(*file).subspan(trailer->length));
}

// The bytes of a shard's superblock, changed and sealed by its checksum again.
void change_superblock(SimVolumes& volumes,
                       VolumeId id,
                       int shard,
                       const std::function<void(Superblock&)>& change) {
    const auto file = volumes.disk_of(id, shard).open(shard_path(id, shard), OpenMode::write);
    REQUIRE(file.ok());
    std::array<std::byte, kSuperblockBytes> bytes{};
    REQUIRE((*file)->read_at(0, bytes).ok());
    auto superblock = load<Superblock>(bytes);
    change(superblock);
    store(bytes, superblock);
    superblock.crc = crc32c(Bytes(bytes).first(offsetof(Superblock, crc)));
    store(bytes, superblock);
    REQUIRE((*file)->write_at(0, Bytes(bytes)).ok());
    REQUIRE((*file)->sync().ok());
}

}  // namespace

TEST_CASE("whole stripes stay after a crash, named or not, and what follows them is cut") {
    SimVolumes volumes(kThree);
    const auto named = volumes.append({5000});
    const VolumeId id = named[0].extents[0].volume;
    const Extent whole = store_unnamed(volumes, 50'000)[0];
    const Extent torn = store_unnamed(volumes, 60'000)[0];
    volumes.store.reset();
    for (const int shard : {0, 2}) {
        volumes.disk_of(id, shard).corrupt(shard_path(id, shard), torn.place, torn.header_bytes);
    }
    REQUIRE(volumes.reopen().ok());
    const VolumeRow row = volumes.catalog.row(id);
    CHECK(row.state == VolumeState::sealed);
    CHECK(row.length == end_of(whole));
    CHECK(row.payload_bytes == 55'000);
    for (int shard = 0; shard < 3; ++shard) {
        const auto file = volumes.disk_of(id, shard).contents(shard_path(id, shard));
        CHECK(file->size() == row.length + footer_bytes(2));
    }
    CHECK(volumes.read(named[0]).ok());
    CHECK(volumes.read({some_bytes(50'000, 9), {whole}}).ok());
}

TEST_CASE("a volume is left as it is while a shard is away, and sealed once it is back") {
    SimVolumes volumes(kThree);
    const auto named = volumes.append({5000, 40'000});
    const VolumeId id = named[0].extents[0].volume;
    volumes.store.reset();
    const auto before = volumes.files();
    volumes.absent = {static_cast<int>(volumes.catalog.row(id).disks[1] - 100)};
    REQUIRE(volumes.reopen().ok());
    CHECK(volumes.catalog.row(id).state == VolumeState::open);
    for (const Stored& s : named) CHECK(volumes.read(s).ok());
    volumes.store.reset();
    CHECK(volumes.files() == before);
    volumes.absent.clear();
    REQUIRE(volumes.reopen().ok());
    CHECK(volumes.catalog.row(id).state == VolumeState::sealed);
    CHECK(volumes.catalog.row(id).payload_bytes == 45'000);
    for (const Stored& s : named) CHECK(volumes.read(s).ok());
}

TEST_CASE("rotten headers of some shards take no named stripe out of the footer") {
    SimVolumes volumes({});
    std::vector<Stored> all;
    for (const std::size_t size : {5000, 600'000, 7000}) {
        for (Stored& s : volumes.append({size})) all.push_back(std::move(s));
    }
    const VolumeId id = all[0].extents[0].volume;
    const Extent& middle = all[1].extents[0];
    REQUIRE(all[2].extents[0].volume == id);
    volumes.store.reset();
    for (const int shard : {1, 4}) {
        volumes.disk_of(id, shard).corrupt(
            shard_path(id, shard), middle.place, middle.header_bytes);
    }
    REQUIRE(volumes.reopen().ok());
    const VolumeRow row = volumes.catalog.row(id);
    CHECK(row.payload_bytes == row.live_bytes);
    for (int shard = 0; shard < 6; ++shard) {
        const auto footer = footer_of(volumes, id, shard);
        REQUIRE(footer.ok());
        REQUIRE(footer->index.size() == 3);
        CHECK(footer->index[1].place == middle.place);
        CHECK(footer->index[1].nonce == middle.nonce);
    }
    for (const Stored& s : all) CHECK(volumes.read(s).ok());
}

TEST_CASE("the footer after a crash passes over garbage between stripes") {
    SimVolumes volumes(kThree);
    const auto first = volumes.append({5000});
    const VolumeId id = first[0].extents[0].volume;
    const Extent garbage = store_unnamed(volumes, 600'000)[0];
    const auto last = volumes.append({7000});
    REQUIRE(last[0].extents[0].volume == id);
    volumes.store.reset();
    for (int shard = 0; shard < 3; ++shard) {
        volumes.disk_of(id, shard).corrupt(
            shard_path(id, shard), garbage.place, garbage.header_bytes);
    }
    REQUIRE(volumes.reopen().ok());
    const auto footer = footer_of(volumes, id, 0);
    REQUIRE(footer.ok());
    REQUIRE(footer->index.size() == 2);
    CHECK(footer->index[0].place == first[0].extents[0].place);
    CHECK(footer->index[1].place == last[0].extents[0].place);
}

TEST_CASE("a namespace that lost rows stops the start, which changes nothing") {
    SimVolumes volumes(kThree);
    const auto named = volumes.append({5000});
    const std::vector<VolumeRow> rows = volumes.catalog.rows();
    SUBCASE("of volumes that were left open") {
        volumes.store.reset();
    }
    SUBCASE("of volumes that were sealed") {
        REQUIRE(volumes.store->stop().ok());
        volumes.store.reset();
    }
    const auto before = volumes.files();
    volumes.catalog.restore({});
    const Status status = volumes.reopen();
    CHECK(status.code() == Code::corruption);
    const std::string path = shard_path(named[0].extents[0].volume, 0);
    CHECK(status.message().find(path) != std::string_view::npos);
    CHECK(status.message().find("3 files") != std::string_view::npos);
    CHECK(volumes.files() == before);
    volumes.catalog.restore(rows);
    REQUIRE(volumes.reopen().ok());
    CHECK(volumes.read(named[0]).ok());
}

TEST_CASE("an older namespace makes no sealed volume shorter") {
    SimVolumes volumes(kThree);
    auto all = volumes.append({5000});
    const std::vector<VolumeRow> old = volumes.catalog.rows();
    for (Stored& s : volumes.append({70'000})) all.push_back(std::move(s));
    REQUIRE(volumes.store->stop().ok());
    volumes.store.reset();
    const std::vector<VolumeRow> rows = volumes.catalog.rows();
    const auto before = volumes.files();
    volumes.catalog.restore(old);
    REQUIRE(volumes.reopen().ok());
    CHECK(volumes.catalog.row(all[0].extents[0].volume).payload_bytes == 75'000);
    volumes.store.reset();
    CHECK(volumes.files() == before);
    volumes.catalog.restore(rows);
    REQUIRE(volumes.reopen().ok());
    for (const Stored& s : all) CHECK(volumes.read(s).ok());
}

TEST_CASE("an older namespace makes no volume shorter that was open at a crash") {
    SimVolumes volumes(kThree);
    auto all = volumes.append({5000});
    const std::vector<VolumeRow> old = volumes.catalog.rows();
    for (Stored& s : volumes.append({70'000})) all.push_back(std::move(s));
    const std::vector<VolumeRow> rows = volumes.catalog.rows();
    volumes.store.reset();
    volumes.catalog.restore(old);
    REQUIRE(volumes.reopen().ok());
    volumes.store.reset();
    volumes.catalog.restore(rows);
    REQUIRE(volumes.reopen().ok());
    for (const Stored& s : all) CHECK(volumes.read(s).ok());
}

TEST_CASE("files that someone put into lost/ come back when a row names them") {
    SimVolumes volumes(kThree);
    const auto named = volumes.append({50'000});
    const VolumeId id = named[0].extents[0].volume;
    REQUIRE(volumes.store->stop().ok());
    volumes.store.reset();
    const auto before = volumes.files();
    for (int shard = 0; shard < 3; ++shard) {
        SimDisk& disk = volumes.disk_of(id, shard);
        const std::string path = shard_path(id, shard);
        REQUIRE(disk.make_dir("lost").ok());
        REQUIRE(disk.rename(path, "lost/" + path.substr(path.rfind('/') + 1)).ok());
    }
    SimDisk& other = volumes.disk_of(id, 0);
    REQUIRE(other.open("lost/ab00000000000001.2", OpenMode::create_new).ok());
    REQUIRE(volumes.reopen().ok());
    CHECK(volumes.read(named[0]).ok());
    CHECK(*other.list("lost") == std::vector<std::string>{"ab00000000000001.2"});
    REQUIRE(other.remove("lost/ab00000000000001.2").ok());
    CHECK(volumes.files() == before);
}

TEST_CASE("files that have neither a row nor stripes are put aside, others stay") {
    SimVolumes volumes(kThree);
    const auto named = volumes.append({5000});
    volumes.store.reset();
    SimDisk& disk = volumes.disk(0);
    REQUIRE(disk.make_dir("vol/ab").ok());
    {
        const auto file = disk.open("vol/ab/ab00000000000001.2", OpenMode::create_new);
        REQUIRE((*file)->write_at(0, as_bytes(std::string(4096, 'x'))).ok());
    }
    REQUIRE(disk.open("vol/ab/notes.txt", OpenMode::create_new).ok());
    REQUIRE(volumes.reopen().ok());
    CHECK(*disk.list("lost") == std::vector<std::string>{"ab00000000000001.2"});
    CHECK(*disk.list("vol/ab") == std::vector<std::string>{"notes.txt"});
    CHECK(volumes.read(named[0]).ok());
}

TEST_CASE("a copy of another volume's file is nobody's loss, and put aside") {
    SimVolumes volumes(kThree);
    const auto named = volumes.append({50'000});
    const VolumeId id = named[0].extents[0].volume;
    REQUIRE(volumes.store->stop().ok());
    SimDisk& disk = volumes.disk_of(id, 0);
    const std::string bytes = *disk.contents(shard_path(id, 0));
    REQUIRE(disk.make_dir("vol/ab").ok());
    {
        const auto file = disk.open("vol/ab/ab00000000000001.0", OpenMode::create_new);
        REQUIRE((*file)->write_at(0, as_bytes(bytes)).ok());
    }
    REQUIRE(volumes.reopen().ok());
    CHECK(*disk.list("lost") == std::vector<std::string>{"ab00000000000001.0"});
    CHECK(*disk.contents("lost/ab00000000000001.0") == bytes);
}

TEST_CASE("what a superblock says of its file is honoured after a crash") {
    using Change = std::function<void(Superblock&)>;
    const std::vector<std::tuple<const char*, Change, Code>> cases = {
        {"incompatible", [](Superblock& s) { s.incompatible = 2; }, Code::unsupported},
        {"a newer format", [](Superblock& s) { s.format = 2; }, Code::unsupported},
        {"only to be read", [](Superblock& s) { s.ro_compatible = 1; }, Code::ok},
        {"another deployment",
         [](Superblock& s) {
             s.deployment = {1, 2};
         },
         Code::ok},
        {"another volume", [](Superblock& s) { ++s.volume; }, Code::ok},
        {"another shard", [](Superblock& s) { s.shard = 0; }, Code::ok},
        {"another geometry", [](Superblock& s) { s.data = 3; }, Code::ok},
    };
    for (const auto& [name, change, code] : cases) {
        const auto shown = name;  // clang 14 captures no bindings
        CAPTURE(shown);
        SimVolumes volumes(kThree);
        const auto named = volumes.append({50'000});
        const VolumeId id = named[0].extents[0].volume;
        store_unnamed(volumes, 9000);
        volumes.store.reset();
        change_superblock(volumes, id, 1, change);
        const auto before = volumes.files();
        CHECK(volumes.reopen().code() == code);
        if (code == Code::ok) CHECK(volumes.read(named[0]).ok());
        CHECK(volumes.catalog.row(id).state == VolumeState::open);
        volumes.store.reset();
        for (int shard = 0; shard < 3; ++shard) {
            const std::string path =
                volumes.disk_of(id, shard).name() + "/" + shard_path(id, shard);
            CHECK(volumes.files().at(path) == before.at(path));
        }
    }
}

TEST_CASE("footers that could not be written are written by the next start") {
    SimVolumes volumes(kThree);
    const auto named = volumes.append({50'000});
    const VolumeId id = named[0].extents[0].volume;
    SimDisk& bad = volumes.disk_of(id, 1);
    bad.fail({.operation = SimOperation::write, .times = SimFault::kAlways});
    REQUIRE(volumes.store->stop().ok());
    CHECK(volumes.catalog.row(id).state == VolumeState::open);
    CHECK(footer_of(volumes, id, 0).ok());
    CHECK_FALSE(footer_of(volumes, id, 1).ok());
    bad.clear_faults();
    REQUIRE(volumes.reopen().ok());
    const VolumeRow row = volumes.catalog.row(id);
    CHECK(row.state == VolumeState::sealed);
    for (int shard = 0; shard < 3; ++shard) {
        const auto footer = footer_of(volumes, id, shard);
        REQUIRE(footer.ok());
        CHECK(footer->trailer.length == row.length);
        CHECK(footer->index.size() == 1);
    }
    CHECK(volumes.read(named[0]).ok());
}

TEST_CASE("impossible numbers in a row are an error of that volume, not the end of the server") {
    SimVolumes volumes(kThree);
    const auto named = volumes.append({50'000});
    const VolumeId id = named[0].extents[0].volume;
    volumes.store.reset();
    for (const std::uint64_t end : {std::uint64_t{4097}, UINT64_MAX, UINT64_MAX - 4095}) {
        CAPTURE(end);
        std::vector<VolumeRow> rows = volumes.catalog.rows();
        for (VolumeRow& row : rows) {
            if (row.id == id) row.named_end = end;
        }
        volumes.catalog.restore(rows);
        REQUIRE(volumes.reopen().ok());
        CHECK(volumes.catalog.row(id).state == VolumeState::open);
        CHECK_FALSE(footer_of(volumes, id, 0).ok());
        CHECK(volumes.read(named[0]).ok());
        volumes.store.reset();
    }
}
