#include "objstore/meta/overlay.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "objstore/meta/schema.h"
#include "objstore/meta/sqlite_vfs.h"
#include "tests/sim/check_status.h"
#include "tests/sim/sim_clock.h"
#include "tests/sim/sim_disk.h"
#include "tests/sim/sim_namespace.h"

namespace objstore {

namespace {

using tests::check_error;
using tests::SimNamespace;

constexpr std::uint64_t kFirstId = 100;  // as MapTables counts

// An overlay on a database, without a writer.
struct Bench {
    tests::SimWorld world{1};
    SqliteVfs vfs{world.add_disk("d"), "overlay_test"};
    tests::SimClock clock;
    Caches caches{kMiB};
    Resident resident;
    Holds holds;
    RecentDirectories recent{clock};
    IdSource ids;
    std::unique_ptr<Connection> connection;
    std::unique_ptr<Overlay> overlay;
    std::uint64_t sequence = 0;

    Bench() {
        auto opened = Connection::open({"t.db", vfs.name(), false, 1024});
        REQUIRE(opened.ok());
        connection = std::move(opened).value();
        REQUIRE(open_schema(*connection, {}).ok());
        REQUIRE(resident.load(rows()).ok());
        ids.restart(kFirstId);
        overlay = std::make_unique<Overlay>(
            Overlay::Deps{*connection, caches, resident, holds, recent, ids, clock});
    }
    RowReader rows() const { return RowReader(*connection); }

    Status txn(std::span<const Op> ops) {
        overlay->begin_txn();
        for (const Op& op : ops) {
            OpResult result;
            Status status = apply(op, *overlay, result);
            if (status.ok()) status = overlay->problem();
            if (status.ok()) continue;
            overlay->drop();
            return status;
        }
        overlay->keep();
        return {};
    }
    Status txn(const Op& op) { return txn(std::span(&op, 1)); }

    void end_batch() {
        REQUIRE(connection->execute("BEGIN").ok());
        MetaStore::Totals totals;
        const Status status = overlay->flush(totals);
        CAPTURE(status.message());
        REQUIRE(status.ok());
        REQUIRE(connection->execute("COMMIT").ok());
        overlay->publish(++sequence, totals);
        overlay->clear();
        holds.lift_bars();
    }
};

CreateOp file_op(InodeId parent, const std::string& name, FileType type = FileType::regular) {
    CreateOp op;
    op.parent = parent;
    op.name = name;
    op.inode.type = type;
    op.inode.mode = 0644;
    return op;
}

Inode plain(InodeId id, InodeId parent, const std::string& name) {
    Inode inode;
    inode.id = id;
    inode.nlink = 1;
    inode.parent = parent;
    inode.name = name;
    return inode;
}

Entry entry_of(const Inode& inode, std::uint64_t cookie) {
    return {inode.parent, inode.name, inode.id, inode.type, cookie, 5};
}

// What the model has, the database has, in the rows and in the caches.
void check_same(Bench& bench, const tests::NamespaceRows& model) {
    const RowReader rows = bench.rows();
    std::map<InodeId, std::vector<Entry>> directories;
    for (const auto& [id, inode] : model.inodes) {
        const auto shown = id;  // clang 14 captures no bindings
        CAPTURE(shown);
        const auto stored = rows.inode(id);
        REQUIRE(stored.ok());
        REQUIRE(*stored != nullptr);
        CHECK(**stored == inode);
        if (const auto cached = bench.caches.inodes.find(id).value) CHECK(**cached == inode);
        if (inode.is_directory()) directories[id];
    }
    CHECK(bench.resident.totals().inodes == model.inodes.size());
    CHECK(*bench.connection->number("SELECT count(*) FROM inode") ==
          static_cast<std::int64_t>(model.inodes.size()));
    for (const auto& [key, entry] : model.entries) directories[key.first].push_back(entry);
    for (const auto& [id, entries] : directories) {
        const auto shown = id;  // clang 14 captures no bindings
        CAPTURE(shown);
        ListQuery all;
        all.parent = id;
        all.limit = SIZE_MAX;
        const auto stored = rows.entries(all);
        REQUIRE(stored.ok());
        REQUIRE(stored->size() == entries.size());
        for (std::size_t i = 0; i < entries.size(); ++i) {
            const StoredEntry& found = (*stored)[i];
            CHECK(found.entry == entries[i]);
            if (found.inode != nullptr) CHECK(*found.inode == model.inodes.at(entries[i].inode));
            const auto cached = bench.caches.entries.find(EntryRef{id, entries[i].name}).value;
            if (cached) CHECK(cached->entry({id, entries[i].name}) == entries[i]);
        }
    }
    std::uint64_t inline_bytes = 0;
    for (const auto& [id, row] : model.inlines) {
        const auto stored = rows.inline_row(id);
        REQUIRE(stored.ok());
        CHECK(*stored == row);
        inline_bytes += row.bytes.size();
    }
    CHECK(bench.resident.totals().inline_bytes == inline_bytes);
    CHECK(*rows.inline_bytes() == inline_bytes);
}

void check_same_small(Bench& bench, const tests::NamespaceRows& model) {
    const RowReader rows = bench.rows();
    for (const auto& [id, extents] : model.extents) {
        std::vector<Extent> wanted;
        for (const auto& [offset, extent] : extents) wanted.push_back(extent);
        const auto stored = rows.extents(id, {0, ~std::uint64_t{0}}, SIZE_MAX);
        REQUIRE(stored.ok());
        CHECK(*stored == wanted);
    }
    for (const auto& [key, row] : model.xattrs) CHECK(*rows.xattr(key.first, key.second) == row);
    const auto count = [&](const std::string& table) {
        return static_cast<std::size_t>(*bench.connection->number("SELECT count(*) FROM " + table));
    };
    std::size_t extents = 0;
    for (const auto& [id, of_inode] : model.extents) extents += of_inode.size();
    CHECK(count("extent") == extents);
    CHECK(count("xattr") == model.xattrs.size());
    CHECK(count("object_parts") == model.object_parts.size());
    for (const auto& [id, parts] : model.object_parts) CHECK(*rows.object_parts(id) == parts);
    CHECK(count("shared") == model.shared.size());
    CHECK(count("inline_data") == model.inlines.size());
    for (const auto& [key, row] : model.shared) {
        const auto stored = rows.shared({row.volume, row.place}, {0, ~std::uint64_t{0}}, SIZE_MAX);
        REQUIRE(stored.ok());
        CHECK(std::find(stored->begin(), stored->end(), row) != stored->end());
    }
    const auto orphans = rows.orphans(SIZE_MAX);
    REQUIRE(orphans.ok());
    REQUIRE(orphans->size() == model.orphans.size());
    for (const OrphanRow& row : *orphans) {
        CHECK(model.orphans.at(row.inode) == row);
        CHECK(bench.resident.orphan_since(row.inode) == row.since);
    }
    for (const auto& [id, row] : model.volumes) {
        const auto kept = bench.resident.volume(id);
        REQUIRE(kept.has_value());
        CHECK(kept->live_bytes == row.live_bytes);
        CHECK(kept->named_end == row.named_end);
    }
    CHECK(rows.volumes()->size() == model.volumes.size());
    CHECK(bench.resident.totals().live_bytes == rows.volumes()->at(0).live_bytes);
}

// Random operations on few names, so that they meet.
class Generator final {
public:
    Generator(SimNamespace& model, std::uint64_t seed) : model_(model), random_(seed) {}

    std::vector<Op> txn() {
        std::vector<Op> ops(1 + random_.below(3), Op(SetSettingOp{}));
        for (Op& op : ops) op = next();
        return ops;
    }

private:
    std::string name() { return std::string(1, static_cast<char>('a' + random_.below(5))); }
    std::string key() { return random_.percent(50) ? name() : name() + "/" + name(); }
    std::string bytes() { return std::string(1 + random_.below(3000), 'x'); }
    InodeId any(bool directory) {
        std::vector<InodeId> ids;
        for (const auto& [id, inode] : model_.tables.rows().inodes) {
            if (inode.is_directory() == directory && inode.bucket == model_.bucket) {
                ids.push_back(id);
            }
        }
        if (directory) ids.push_back(model_.bucket);
        return ids.empty() ? 999'999 : ids[random_.below(ids.size())];
    }
    Op next() {
        const InodeId parent = any(true);
        switch (random_.below(14)) {
            case 0:
            case 1:
                return file_op(parent, name());
            case 2:
                return file_op(parent, name(), FileType::directory);
            case 3:
                return LinkOp{any(false), parent, name(), model_.tick()};
            case 4:
            case 5:
                return UnlinkOp{parent, name(), model_.tick()};
            case 6:
                return RmdirOp{parent, name(), model_.tick()};
            case 7:
            case 8: {
                RenameOp op{parent, name(), any(true), name()};
                op.exchange = random_.percent(20);
                op.time = model_.tick();
                return op;
            }
            case 9: {
                PutObjectOp op = model_.put_op(key(), bytes());
                if (random_.percent(30)) op.content = SimNamespace::kept(0, std::string(100, 'i'));
                if (random_.percent(30)) op.inode.size = 100;
                return op;
            }
            case 10: {
                DeleteObjectOp op;
                op.bucket = model_.bucket;
                op.key = key();
                op.time = model_.tick();
                return op;
            }
            default:
                return content_op(any(false));
        }
    }
    Op content_op(InodeId id) {
        switch (random_.below(4)) {
            case 0: {
                WriteOp op;
                op.inode = id;
                const std::uint64_t offset = random_.below(100'000);
                op.content = random_.percent(40) ? SimNamespace::kept(offset, bytes())
                                                 : model_.stored(offset, bytes());
                op.time = model_.tick();
                return op;
            }
            case 1:
                return TruncateOp{id, random_.below(100'000), false, model_.tick()};
            case 2:
                return SetXattrOp{{id, name(), bytes()}, false, false, model_.tick()};
            default:
                return RemoveXattrOp{id, name(), model_.tick()};
        }
    }

    SimNamespace& model_;
    tests::SimRandom random_;
};

}  // namespace

TEST_CASE("what a Txn changes is seen by the next one of its batch and, later, in the database") {
    Bench bench;
    bench.overlay->begin_txn();
    Inode* added = bench.overlay->add_inode(plain(100, kRootInode, "a"));
    bench.overlay->put_entry(entry_of(*added, 9));
    bench.overlay->keep();
    bench.overlay->begin_txn();
    CHECK((*bench.overlay->inode(100))->name == "a");
    CHECK((*bench.overlay->entry(kRootInode, "a"))->inode == 100);
    bench.overlay->keep();
    CHECK_FALSE(bench.rows().entry(kRootInode, "a")->has_value());
    bench.end_batch();
    const auto stored = bench.rows().entry(kRootInode, "a");
    REQUIRE(stored->has_value());
    CHECK((*stored)->entry.cookie == 9);
    REQUIRE((*stored)->inode != nullptr);
    CHECK(*(*stored)->inode == plain(100, kRootInode, "a"));
}

TEST_CASE("a Txn that fails leaves nothing behind, whatever it did") {
    Bench bench;
    bench.overlay->begin_txn();
    Inode* added = bench.overlay->add_inode(plain(100, kRootInode, "a"));
    bench.overlay->put_entry(entry_of(*added, 9));
    bench.overlay->put_xattr({100, "user.x", "1"});
    bench.overlay->keep();

    bench.overlay->begin_txn();
    (*bench.overlay->edit_inode(100))->size = 77;
    (*bench.overlay->edit_inode(kRootInode))->mode = 0;
    bench.overlay->erase_entry(kRootInode, "a");
    bench.overlay->put_xattr({100, "user.x", "2"});
    bench.overlay->put_xattr({100, "user.y", "2"});
    bench.overlay->put_inline({.id = 200, .inode = 100, .bytes = "bytes"});
    bench.overlay->put_setting("s", "v");
    bench.overlay->prune_later(100);
    bench.overlay->erase_inode(100);
    check_error(bench.overlay->inode(100).error(), Code::not_found, Why::stale);
    bench.overlay->drop();

    bench.overlay->begin_txn();
    CHECK((*bench.overlay->inode(100))->size == 0);
    CHECK((*bench.overlay->inode(kRootInode))->mode == 0755);
    CHECK((*bench.overlay->entry(kRootInode, "a"))->inode == 100);
    CHECK(bench.overlay->xattrs(100)->size() == 1);
    CHECK((*bench.overlay->xattr(100, "user.x"))->value == "1");
    CHECK_FALSE(bench.overlay->inline_row(200)->has_value());
    bench.overlay->keep();
    bench.end_batch();
    CHECK((*bench.rows().inode(100))->size == 0);
    CHECK_FALSE(bench.rows().setting("s")->has_value());
    CHECK(bench.resident.prunes_due(INT64_MAX, 9).empty());
}

TEST_CASE("an edit moves the change counter once a Txn and a dropped one not at all") {
    Bench bench;
    bench.overlay->begin_txn();
    bench.overlay->add_inode(plain(100, 0, ""));
    bench.overlay->keep();
    for (int i = 0; i < 3; ++i) {
        bench.overlay->begin_txn();
        (void)bench.overlay->edit_inode(100);
        (void)bench.overlay->edit_inode(100);
        i == 1 ? bench.overlay->drop() : bench.overlay->keep();
    }
    bench.end_batch();
    CHECK((*bench.rows().inode(100))->change == 2);
}

TEST_CASE("an inode's record moves with its one name and to the inode with a second") {
    Bench bench;
    REQUIRE(bench.txn(file_op(kRootInode, "x", FileType::directory)).code() ==
            Code::permission_denied);
    bench.overlay->begin_txn();
    bench.overlay->put_entry(entry_of(*bench.overlay->add_inode(plain(50, kRootInode, "a")), 9));
    bench.overlay->keep();
    bench.end_batch();
    CHECK(*bench.connection->number("SELECT record IS NULL FROM inode WHERE ino = 50") == 1);

    // A second name.
    bench.overlay->begin_txn();
    Inode* inode = *bench.overlay->edit_inode(50);
    inode->parent = 0;
    inode->name.clear();
    inode->nlink = 2;
    bench.overlay->put_entry({kRootInode, "b", 50, FileType::regular, 10, 5});
    bench.overlay->keep();
    bench.end_batch();
    CHECK(*bench.connection->number("SELECT count(*) FROM entry WHERE record IS NULL") == 2);
    CHECK(*bench.connection->number("SELECT record IS NULL FROM inode WHERE ino = 50") == 0);
    CHECK((*bench.rows().inode(50))->nlink == 2);

    // Back to one, and renamed, in one batch.
    bench.overlay->begin_txn();
    inode = *bench.overlay->edit_inode(50);
    inode->parent = kRootInode;
    inode->name = "c";
    inode->nlink = 1;
    bench.overlay->erase_entry(kRootInode, "a");
    bench.overlay->erase_entry(kRootInode, "b");
    bench.overlay->put_entry({kRootInode, "c", 50, FileType::regular, 11, 5});
    bench.overlay->keep();
    bench.end_batch();
    CHECK(*bench.connection->number("SELECT count(*) FROM entry") == 1);
    CHECK((*bench.rows().entry(kRootInode, "c"))->inode->nlink == 1);
    CHECK((*bench.rows().inode(50))->name == "c");
}

TEST_CASE("a name that leads elsewhere than its inode says fails the batch") {
    Bench bench;
    bench.overlay->begin_txn();
    bench.overlay->add_inode(plain(50, kRootInode, "a"));
    bench.overlay->put_entry(entry_of(*bench.overlay->add_inode(plain(51, kRootInode, "b")), 9));
    bench.overlay->put_entry({kRootInode, "a", 51, FileType::regular, 10, 5});
    bench.overlay->keep();
    MetaStore::Totals totals;
    check_error(bench.overlay->flush(totals), Code::corruption);
}

TEST_CASE("changes tell names without slash, attributes and content, and nothing new") {
    Bench bench;
    bench.overlay->begin_txn();
    bench.overlay->put_entry(entry_of(*bench.overlay->add_inode(plain(50, kRootInode, "d/")), 9));
    (*bench.overlay->edit_inode(kRootInode))->mtime = 4;
    auto changes = bench.overlay->changes();
    REQUIRE(changes.size() == 2);
    CHECK(changes[0].kind == Change::Kind::entry);
    CHECK(changes[0].inode == kRootInode);
    CHECK(changes[0].name == "d");
    CHECK(changes[1].kind == Change::Kind::attributes);
    CHECK(changes[1].inode == kRootInode);
    bench.overlay->keep();

    bench.overlay->begin_txn();
    CHECK(bench.overlay->changes().empty());
    (*bench.overlay->edit_inode(50))->generation = 2;
    changes = bench.overlay->changes();
    REQUIRE(changes.size() == 1);
    CHECK(changes[0].kind == Change::Kind::content);
    CHECK(changes[0].inode == 50);
}

TEST_CASE("extents of the database and of the batch are read as one") {
    Bench bench;
    const auto extent = [](std::uint64_t offset, std::uint64_t length) {
        Extent e;
        e.logical_offset = offset;
        e.length = length;
        e.volume = 7;
        return e;
    };
    const auto offsets = [&](std::uint64_t from, std::uint64_t to, std::size_t limit = SIZE_MAX) {
        std::vector<std::uint64_t> found;
        const auto extents = bench.overlay->extents(5, from, to, limit);
        REQUIRE(extents.ok());
        for (const Extent& e : *extents) found.push_back(e.logical_offset);
        return found;
    };
    using List = std::vector<std::uint64_t>;
    bench.overlay->begin_txn();
    for (const std::uint64_t offset : {0, 10, 20, 40}) {
        bench.overlay->put_extent(5, extent(offset, 10));
    }
    bench.overlay->keep();
    bench.end_batch();
    bench.overlay->begin_txn();
    CHECK(offsets(0, ~std::uint64_t{0}) == List{0, 10, 20, 40});
    CHECK(offsets(5, 21) == List{0, 10, 20});
    CHECK(offsets(30, 40).empty());
    CHECK(offsets(30, 41) == List{40});
    CHECK(offsets(10, 50, 2) == List{10, 20});
    bench.overlay->erase_extent(5, 10);
    bench.overlay->erase_extent(5, 20);
    bench.overlay->put_extent(5, extent(12, 20));
    CHECK(offsets(0, 100) == List{0, 12, 40});
    CHECK(offsets(31, 100) == List{12, 40});
    CHECK(offsets(10, 12).empty());
    CHECK(offsets(0, 100, 2) == List{0, 12});
    bench.overlay->keep();
    bench.end_batch();
    CHECK(offsets(0, 100) == List{0, 12, 40});
}

TEST_CASE("an extent that the batch has cut does not come back behind what replaced its end") {
    Bench bench;
    const auto put = [&](std::uint64_t offset, std::uint64_t length) {
        Extent e;
        e.logical_offset = offset;
        e.length = length;
        e.volume = 7;
        bench.overlay->put_extent(5, e);
    };
    bench.overlay->begin_txn();
    put(0, 100);
    bench.overlay->keep();
    bench.end_batch();
    bench.overlay->begin_txn();
    put(0, 20);
    put(20, 30);
    const auto behind = bench.overlay->extents(5, 60, 70, SIZE_MAX);
    REQUIRE(behind.ok());
    CHECK(behind->empty());
    const auto all = bench.overlay->extents(5, 10, 70, SIZE_MAX);
    REQUIRE(all.ok());
    REQUIRE(all->size() == 2);
    CHECK(all->front().length == 20);
}

TEST_CASE("entries of the database and of the batch are read as one") {
    Bench bench;
    const auto names = [&](std::string_view from, std::size_t limit) {
        std::string found;
        const auto entries = bench.overlay->entries(kRootInode, from, limit);
        REQUIRE(entries.ok());
        for (const Entry& e : *entries) found += e.name;
        return found;
    };
    const auto add = [&](InodeId id, const std::string& name) {
        bench.overlay->put_entry(
            entry_of(*bench.overlay->add_inode(plain(id, kRootInode, name)), id));
    };
    bench.overlay->begin_txn();
    add(50, "a");
    add(51, "b");
    add(52, "d");
    bench.overlay->keep();
    bench.end_batch();
    bench.overlay->begin_txn();
    bench.overlay->erase_entry(kRootInode, "a");
    bench.overlay->erase_inode(50);
    add(53, "c");
    CHECK(names("", 10) == "bcd");
    CHECK(names("", 1) == "b");
    CHECK(names("c", 10) == "cd");
    CHECK(names("e", 10).empty());
}

TEST_CASE("live bytes of a volume without a row, or below none, fail the Txn") {
    Bench bench;
    bench.overlay->begin_txn();
    bench.overlay->add_live(9, 5, 100);
    check_error(bench.overlay->problem(), Code::corruption);
    bench.overlay->drop();
    bench.overlay->begin_txn();
    CHECK(bench.overlay->problem().ok());
    VolumeRow row;
    row.id = 9;
    bench.overlay->put_volume(row);
    bench.overlay->add_live(9, 5, 100);
    bench.overlay->add_live(9, -2, 50);
    CHECK(bench.overlay->problem().ok());
    bench.overlay->keep();
    bench.overlay->begin_txn();
    bench.overlay->add_live(9, -4, 0);
    check_error(bench.overlay->problem(), Code::corruption);
    bench.overlay->drop();
    bench.end_batch();
    CHECK(bench.resident.volume(9)->live_bytes == 3);
    CHECK(bench.resident.volume(9)->named_end == 100);
    CHECK(bench.rows().volumes()->at(0).live_bytes == 3);
    CHECK(bench.resident.totals().live_bytes == 3);
}

TEST_CASE("settings of the schema cannot be changed by operations") {
    Bench bench;
    check_error(bench.txn(SetSettingOp{"format.incompatible", "0"}), Code::invalid_argument);
    CHECK(bench.txn(SetSettingOp{"other", "1"}).ok());
    bench.end_batch();
    CHECK(**bench.rows().setting("other") == "1");
}

TEST_CASE("a holder of shared bytes that changes within its size class stays") {
    Bench bench;
    SharedRow row{.volume = 7, .place = 4096, .inode = 5, .logical_offset = 8};
    for (const std::uint64_t length : {1000, 900, 600, 1024, 1025}) {
        bench.overlay->begin_txn();
        if (row.length != 0) bench.overlay->erase_shared(row);
        row.length = length;
        bench.overlay->put_shared(row);
        bench.overlay->keep();
        bench.end_batch();
        const auto holders = bench.overlay->shared(7, 4096, 0, 10'000, 10).value();
        REQUIRE(holders.size() == 1);
        CHECK(holders[0].length == length);
    }
}

TEST_CASE("random Txns leave the same rows as the plain model, batch after batch") {
    for (std::uint64_t seed = tests::test_seed(); seed < tests::test_seed() + 4; ++seed) {
        CAPTURE(seed);
        SimNamespace model;
        Bench bench;
        VolumeRow volume;
        volume.id = SimNamespace::kVolume;
        volume.geometry = {.data = 4, .parity = 2};
        REQUIRE(bench.txn(AddVolumeOp{volume}).ok());
        BucketRow bucket = *model.tables.bucket("b").value();
        bucket.inode = 0;
        REQUIRE(bench.txn(CreateBucketOp{bucket}).ok());
        Generator generator(model, seed);
        tests::SimRandom random(seed + 1000);
        for (int batch = 0; batch < 60; ++batch) {
            CAPTURE(batch);
            if (random.percent(20)) bench.caches.inodes.clear(bench.sequence);
            if (random.percent(20)) bench.caches.entries.clear(bench.sequence);
            for (std::uint64_t left = 1 + random.below(20); left > 0; --left) {
                const std::vector<Op> ops = generator.txn();
                OpResult result;
                const Status expected = model.tables.commit(ops, &result);
                const Status got = bench.txn(ops);
                CAPTURE(expected.message());
                CAPTURE(got.message());
                REQUIRE(got.code() == expected.code());
            }
            bench.end_batch();
            check_same(bench, model.tables.rows());
            check_same_small(bench, model.tables.rows());
        }
        CHECK(model.problems().empty());
    }
}

}  // namespace objstore
