#include "objstore/engine/deployment.h"

#include <map>

#include <doctest/doctest.h>

#include "objstore/engine/engine_fixture.h"
#include "objstore/volume/format.h"
#include "tests/store/sim_store.h"

namespace objstore {
namespace {

using tests::SimDisk;
using tests::SimStore;
using tests::some_bytes;

void write_file(SimDisk& disk, const std::string& path, const std::string& bytes) {
    const auto file = disk.open(path, OpenMode::create);
    REQUIRE(file.ok());
    REQUIRE((*file)->truncate(0).ok());
    REQUIRE((*file)->write_at(0, as_bytes(bytes)).ok());
    REQUIRE((*file)->sync().ok());
}

// All stripes that shard 0 of the volumes have.
std::vector<std::pair<StripePrologue, std::vector<OwnerEntry>>> stripes(SimStore& store) {
    std::vector<std::pair<StripePrologue, std::vector<OwnerEntry>>> found;
    const auto volumes = store.engine().names().volumes();
    REQUIRE(volumes.ok());
    for (const VolumeRow& row : *volumes) {
        for (std::size_t i = 0; i < store.world().disk_count(); ++i) {
            const auto file = store.world().disk(i).contents(shard_path(row.id, 0));
            if (!file) continue;
            const Bytes bytes = as_bytes(*file);
            for (std::size_t at = 4096; at < bytes.size(); at += 4096) {
                const auto header = StripeHeader::parse(bytes.subspan(at));
                if (!header.ok()) continue;
                auto& [prologue, owners] =
                    found.emplace_back(header->prologue(), std::vector<OwnerEntry>());
                for (std::size_t o = 0; o < header->owner_count(); ++o) {
                    owners.push_back(header->owner(o));
                }
            }
        }
    }
    return found;
}

// Of the piece of this length.
OwnerEntry owner_of(SimStore& store, std::size_t length) {
    for (const auto& [prologue, owners] : stripes(store)) {
        for (const OwnerEntry& owner : owners) {
            if (owner.length == length) return owner;
        }
    }
    FAIL("no stripe has a piece of that length");
    return {};
}

}  // namespace

TEST_CASE("a namespace is made for empty disks only, and the old one works when it is back") {
    SimStore store({});
    REQUIRE(store.put("small", some_bytes(5000, 1)).ok());
    REQUIRE(store.put("large", some_bytes(900'000, 2)).ok());
    store.close();
    std::vector<std::string> bytes;
    const auto files = store.namespace_files();
    REQUIRE(files.size() == 3);
    for (const auto& [disk, path] : files) bytes.push_back(disk->contents(path).value());
    const auto check_refused = [&] {
        const Status status = store.open();
        CHECK(status.code() == Code::corruption);
        CHECK(status.message().find("no disk has a whole copy") != std::string_view::npos);
        for (const auto& [disk, path] : files) {
            CHECK(status.message().find(disk->name() + " (") != std::string_view::npos);
            CHECK_FALSE(disk->list("lost").ok());
        }
    };
    SUBCASE("it is gone") {
        for (const auto& [disk, path] : files) REQUIRE(disk->remove(path).ok());
        check_refused();
        for (const auto& [disk, path] : files) CHECK_FALSE(disk->contents(path).has_value());
    }
    SUBCASE("it is empty") {
        std::vector<std::string> logs;
        for (const auto& [disk, path] : files) {
            write_file(*disk, path, "");
            logs.push_back(disk->contents(path + "-wal").value());
        }
        check_refused();
        for (std::size_t i = 0; i < files.size(); ++i) {
            CHECK(files[i].disk->contents(files[i].path + "-wal") == logs[i]);
        }
    }
    for (std::size_t i = 0; i < files.size(); ++i) {
        write_file(*files[i].disk, files[i].path, bytes[i]);
    }
    REQUIRE(store.open().ok());
    CHECK(store.read("small").value_or("") == some_bytes(5000, 1));
    CHECK(store.read("large").value_or("") == some_bytes(900'000, 2));
}

TEST_CASE("volumes without any namespace stop the start") {
    SimStore store({});
    REQUIRE(store.put("k", some_bytes(900'000, 1)).ok());
    store.close();
    for (std::size_t i = 0; i < store.world().disk_count(); ++i) {
        SimDisk& disk = store.world().disk(i);
        const auto names = disk.list("meta");
        REQUIRE(names.ok());
        for (const std::string& name : *names) REQUIRE(disk.remove("meta/" + name).ok());
    }
    const Status status = store.open();
    CHECK(status.code() == Code::corruption);
    CHECK(status.message().find("no disk has a namespace") == 0);
}

TEST_CASE("more disks than a stripe has shards are used") {
    SimStore store({.disks = 18});
    CHECK(store.deployment().geometry() == Geometry{12, 4});
    REQUIRE(store.put("k", some_bytes(900'000, 1)).ok());
    CHECK(store.read("k").value_or("") == some_bytes(900'000, 1));
}

TEST_CASE("when too many disks are missing the refusal says which, and where they were") {
    SimStore store({.disks = 4});
    store.close();
    for (const std::size_t i : {1, 2, 3}) store.world().disk(i).set_dead(true);
    const Status status = store.open();
    CHECK(status.code() == Code::unavailable);
    CHECK(status.message().find("3 of 4 disks are missing") == 0);
    for (const char* path : {"d2 (", "d3 (", "d4 ("}) {
        CHECK(status.message().find(path) != std::string_view::npos);
    }
}

TEST_CASE("stripe headers say whose bytes they hold") {
    SimStore store({});
    Engine& engine = store.engine();
    // Small, inline at first; large; in place.
    REQUIRE(store.put("small", some_bytes(5001, 1)).ok());
    REQUIRE(store.put("large", some_bytes(300'001, 2)).ok());
    const auto small = engine.stat(store.bucket(), "small");
    const auto large = engine.stat(store.bucket(), "large");
    REQUIRE(small.ok());
    REQUIRE(large.ok());
    const std::string patch = some_bytes(5002, 3);
    WriteOp op;
    op.inode = large->inode->id;
    const std::vector<WritePiece> pieces = {{7000, as_bytes(patch)}};
    REQUIRE(engine.write(std::move(op), pieces, {}).ok());
    REQUIRE(engine.pack().ok());

    const OwnerEntry packed = owner_of(store, 5001);
    CHECK(packed.inode == small->inode->id);
    CHECK(packed.generation == 1);
    CHECK(packed.offset == 0);
    const OwnerEntry streamed = owner_of(store, 300'001);
    CHECK(streamed.inode == large->inode->id);
    CHECK(streamed.generation == 1);
    const OwnerEntry patched = owner_of(store, 5002);
    CHECK(patched.inode == large->inode->id);
    CHECK(patched.generation == 2);
    CHECK(patched.offset == 7000);
}

TEST_CASE("stripe headers say of which part of an upload the bytes are") {
    SimStore store({});
    Engine& engine = store.engine();
    const UploadRow upload = begin_upload(engine, store.bucket(), "k");
    for (const std::size_t size : {300'003, 5003}) {
        auto content =
            engine.new_content({.inode = upload.inode, .generation = 1, .part = 3}, size);
        REQUIRE(content->write(as_bytes(some_bytes(size, 4))).ok());
        REQUIRE(engine.put_part(upload, std::move(content), {.number = 3}).ok());
        REQUIRE(engine.pack().ok());
        const OwnerEntry owner = owner_of(store, size);
        CHECK(owner.inode == upload.inode);
        CHECK(owner.generation == 1);
        CHECK(owner.offset == kOwnerIsPart + 3 * kOwnerPartBytes);
        CHECK(logical_offset(owner) == 0);
    }
}

TEST_CASE("stripe headers name the directory that has the bytes of a key that ends in /") {
    SimStore store({});
    Engine& engine = store.engine();
    // The first makes the directory.
    for (const std::size_t size : {300'005, 300'006, 5005}) {
        CAPTURE(size);
        REQUIRE(store.put("m/", some_bytes(size, 1)).ok());
        REQUIRE(engine.pack().ok());
        const auto marker = engine.stat(store.bucket(), "m/");
        REQUIRE(marker.ok());
        const OwnerEntry owner = owner_of(store, size);
        CHECK(owner.inode == marker->inode->id);
        CHECK(owner.generation == marker->inode->generation);
        CHECK(owner.offset == 0);
        CHECK_FALSE(marker->inode->extents.at(0).shared);
        CHECK(store.read("m/").value_or("") == some_bytes(size, 1));
    }
}

TEST_CASE(
    "bytes whose stripes name another inode than their directory are found by the namespace") {
    SimStore store({});
    Engine& engine = store.engine();
    // While the body came another made the directory.
    const std::string bytes = some_bytes(300'007, 1);
    auto content = engine.new_object(store.bucket(), "m/", bytes.size());
    REQUIRE(content->write(as_bytes(bytes)).ok());
    REQUIRE(store.put("m/k", "other").ok());
    REQUIRE(engine.put(store.bucket(), "m/", std::move(content), {}).ok());
    const auto marker = engine.stat(store.bucket(), "m/");
    REQUIRE(marker.ok());
    REQUIRE(owner_of(store, bytes.size()).inode != marker->inode->id);
    CHECK(marker->inode->extents.at(0).shared);
    CHECK(store.read("m/").value_or("") == bytes);
}

TEST_CASE("the id of a directory that went is not that of the next one") {
    SimStore store({});
    Engine& engine = store.engine();
    REQUIRE(store.put("m/", "old").ok());
    const InodeId old = engine.stat(store.bucket(), "m/")->inode->id;
    auto content = engine.new_object(store.bucket(), "m/", 300'008);
    REQUIRE(content->write(as_bytes(some_bytes(300'008, 1))).ok());
    REQUIRE(store.remove("m/").ok());
    REQUIRE(engine.put(store.bucket(), "m/", std::move(content), {}).ok());
    const auto marker = engine.stat(store.bucket(), "m/");
    REQUIRE(marker.ok());
    CHECK(marker->inode->id != old);
    CHECK(marker->inode->extents.at(0).shared);
}

TEST_CASE("stripes of one deployment are numbered in the order of their writes") {
    SimStore store({});
    REQUIRE(store.put("a", some_bytes(300'000, 1)).ok());
    REQUIRE(store.put("b", some_bytes(300'001, 2)).ok());
    store.close();
    REQUIRE(store.open().ok());
    REQUIRE(store.put("c", some_bytes(300'002, 3)).ok());
    std::map<std::uint32_t, std::uint64_t> sequences;
    for (const auto& [prologue, owners] : stripes(store)) {
        sequences[prologue.payload_bytes] = prologue.sequence;
    }
    CHECK(sequences.at(300'000) < sequences.at(300'001));
    CHECK(sequences.at(300'001) < sequences.at(300'002));
}

TEST_CASE("stripes are numbered on from what the namespace has, whatever the clock says") {
    SimStore store({});
    const auto set_order = [&](const std::string& text) {
        REQUIRE(store.engine().apply(SetSettingOp{"volume.order", text}, {}).ok());
        store.close();
        return store.open();
    };
    constexpr std::uint64_t kAhead = 9'000'000'000'000'000'000;  // some centuries
    REQUIRE(set_order(std::to_string(kAhead)).ok());
    REQUIRE(store.put("a", some_bytes(300'000, 1)).ok());
    CHECK(stripes(store).at(0).first.sequence == kAhead + 1);
    // Noted before it was used, and given back at a stop.
    REQUIRE(store.power_cycle().ok());
    REQUIRE(store.put("b", some_bytes(300'000, 2)).ok());
    std::uint64_t last = 0;
    for (const auto& [prologue, owners] : stripes(store)) last = std::max(last, prologue.sequence);
    CHECK(last > kAhead + 1);
    store.close();
    REQUIRE(store.open().ok());
    CHECK(store.engine().names().setting("volume.order").value() == std::to_string(last));
    CHECK(set_order("much").code() == Code::corruption);
}

}  // namespace objstore
