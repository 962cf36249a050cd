#include "objstore/meta/row_reader.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "objstore/meta/row_writer.h"
#include "objstore/meta/schema.h"
#include "objstore/meta/sqlite_vfs.h"
#include "tests/sim/sim_disk.h"

namespace objstore {

namespace {

struct Database {
    tests::SimWorld world{1};
    tests::SimDisk& disk = world.add_disk("d");
    SqliteVfs vfs{disk, "row_reader_test"};
    std::unique_ptr<Connection> connection = open();
    RowReader reader{*connection};
    RowWriter writer{*connection};

    std::unique_ptr<Connection> open() {
        auto opened = Connection::open({"t.db", vfs.name(), false, 64});
        REQUIRE(opened.ok());
        REQUIRE(open_schema(**opened, {}).ok());
        return std::move(opened).value();
    }
    void put(std::uint32_t payload_offset, std::uint64_t length, InodeId inode) {
        REQUIRE(writer
                    .put_shared({.volume = 7,
                                 .place = 4096,
                                 .inode = inode,
                                 .payload_offset = payload_offset,
                                 .length = length})
                    .ok());
    }
    std::vector<InodeId> holders(RowReader::Range payload, std::size_t limit = 1000) {
        const auto found = reader.shared({7, 4096}, payload, limit);
        REQUIRE(found.ok());
        std::vector<InodeId> inodes;
        for (const SharedRow& row : *found) inodes.push_back(row.inode);
        std::sort(inodes.begin(), inodes.end());
        return inodes;
    }
};

}  // namespace

TEST_CASE("holders that touch a range are found, whatever their length") {
    Database db;
    std::vector<SharedRow> all;
    InodeId inode = 100;
    for (const std::uint32_t offset : {0U, 1U, 63U, 64U, 100U, 4096U, 65535U}) {
        for (const std::uint64_t length : {std::uint64_t{1},
                                           std::uint64_t{2},
                                           std::uint64_t{36},
                                           std::uint64_t{64},
                                           std::uint64_t{65},
                                           std::uint64_t{4096},
                                           std::uint64_t{1} << 24}) {
            db.put(offset, length, ++inode);
            all.push_back({.inode = inode, .payload_offset = offset, .length = length});
        }
    }
    for (const std::uint64_t from : {0, 1, 62, 64, 99, 101, 4095, 4097, 70'000}) {
        for (const std::uint64_t length : {1, 2, 40, 5000}) {
            CAPTURE(from);
            CAPTURE(length);
            const RowReader::Range range{from, from + length};
            std::vector<InodeId> wanted;
            for (const SharedRow& row : all) {
                if (touches(row, range)) wanted.push_back(row.inode);
            }
            CHECK(db.holders(range) == wanted);
            CHECK(db.holders(range, 3).size() == std::min<std::size_t>(3, wanted.size()));
        }
    }
    const SharedRow gone = {
        .volume = 7, .place = 4096, .inode = 101, .payload_offset = 0, .length = 1};
    REQUIRE(db.writer.erase_shared(gone).ok());
    CHECK(db.holders({0, 1}).front() == 102);
    CHECK(db.reader.shared({7, 8192}, {0, 100}, 10)->empty());
    CHECK(db.reader.shared({8, 4096}, {0, 100}, 10)->empty());
}

TEST_CASE("one holder among many of a stripe is found without reading the others") {
    Database db;
    REQUIRE(db.connection->execute("BEGIN").ok());
    for (std::uint32_t i = 0; i < 20'000; ++i) db.put(i * 200, 200, 1000 + i);
    REQUIRE(db.connection->execute("COMMIT").ok());
    const std::uint64_t before = db.vfs.counts().reads;
    CHECK(db.holders({19'000 * 200, 19'001 * 200}) == std::vector<InodeId>{20'000});
    CHECK(db.vfs.counts().reads - before < 20);
}

}  // namespace objstore
