// Power is cut at each operation on any disk; what was acknowledged is there afterwards.
#include <functional>

#include <doctest/doctest.h>

#include "objstore/engine/engine.h"
#include "tests/store/sim_store.h"

namespace objstore {
namespace {

using tests::SimStore;
using tests::some_bytes;

// Runs `work` with power cut after 0, 1, 2 … operations, until it gets through without a cut. Each
// time `before` prepares a fresh store, and `check` looks at it after the power cycle, told whether
// `work` was acknowledged.
struct CrashLoop {
    std::function<void(SimStore&)> before;
    std::function<bool(SimStore&)> work;
    std::function<void(SimStore&, bool acknowledged)> check;

    void run() const {
        bool cut = true;
        for (std::uint64_t crash_at = 0; cut; ++crash_at) {
            CAPTURE(crash_at);
            SimStore store({.seed = tests::test_seed(crash_at + 1)});
            before(store);
            store.cut_power_after(crash_at);
            const bool acknowledged = work(store);
            cut = store.power_was_cut();
            const Status opened = store.power_cycle();
            CAPTURE(std::string(opened.message()));
            REQUIRE(opened.ok());
            check(store, acknowledged);
            // Work goes on after it.
            REQUIRE(store.put("after", "x").ok());
            CHECK(store.read("after").value_or("") == "x");
        }
    }
};

const std::string kOld = some_bytes(5000, 1);
const std::string kNew = some_bytes(7000, 2);
const std::string kLarge = some_bytes(700000, 3);

TEST_CASE("a put is there or not at every crash point") {
    const CrashLoop loop{[](SimStore&) {},
                         [](SimStore& store) { return store.put("a/b/k", kNew).ok(); },
                         [](SimStore& store, bool acknowledged) {
                             const auto found = store.read("a/b/k");
                             CHECK((found.value_or("") == kNew ||
                                    (!acknowledged && found.code() == Code::not_found)));
                         }};
    loop.run();
}

TEST_CASE("an overwrite is all or nothing at every crash point") {
    const CrashLoop loop{[](SimStore& store) { REQUIRE(store.put("k", kOld).ok()); },
                         [](SimStore& store) { return store.put("k", kLarge).ok(); },
                         [](SimStore& store, bool acknowledged) {
                             const auto found = store.read("k").value_or("");
                             CHECK((found == kLarge || (!acknowledged && found == kOld)));
                         }};
    loop.run();
}

TEST_CASE("a delete is done or not at every crash point") {
    const CrashLoop loop{[](SimStore& store) {
                             REQUIRE(store.put("d/k", kOld).ok());
                             REQUIRE(store.put("other", kLarge).ok());
                         },
                         [](SimStore& store) { return store.remove("d/k").ok(); },
                         [](SimStore& store, bool acknowledged) {
                             const auto found = store.read("d/k");
                             CHECK((found.code() == Code::not_found ||
                                    (!acknowledged && found.value_or("") == kOld)));
                             CHECK(store.read("other").value_or("") == kLarge);
                         }};
    loop.run();
}

TEST_CASE("a rename over a file leaves one of the two at every crash point") {
    const CrashLoop loop{
        [](SimStore& store) {
            REQUIRE(store.put("from", kNew).ok());
            REQUIRE(store.put("to", kOld).ok());
        },
        [](SimStore& store) {
            RenameOp op{.parent = store.bucket(),
                        .name = "from",
                        .new_parent = store.bucket(),
                        .new_name = "to",
                        .time = 1};
            return store.engine().apply(op, {}).ok();
        },
        [](SimStore& store, bool acknowledged) {
            const auto to = store.read("to").value_or("");
            const bool renamed = to == kNew && store.read("from").code() == Code::not_found;
            const bool untouched = to == kOld && store.read("from").value_or("") == kNew;
            CHECK((renamed || (!acknowledged && untouched)));
        }};
    loop.run();
}

TEST_CASE("a write in place is whole or absent at every crash point") {
    std::string changed = kLarge;
    changed.replace(100000, kNew.size(), kNew);
    const CrashLoop loop{[](SimStore& store) { REQUIRE(store.put("k", kLarge).ok()); },
                         [](SimStore& store) {
                             const auto object = store.engine().stat(store.bucket(), "k");
                             REQUIRE(object.ok());
                             const WritePiece piece{100000, as_bytes(kNew)};
                             const WriteOp op{.inode = object->inode->id, .time = 1};
                             return store.engine().write(op, {&piece, 1}, {}).ok();
                         },
                         [&](SimStore& store, bool acknowledged) {
                             const auto found = store.read("k").value_or("");
                             CHECK((found == changed || (!acknowledged && found == kLarge)));
                         }};
    loop.run();
}

TEST_CASE("a multipart upload completes whole or stays an upload at every crash point") {
    const std::string part = some_bytes(300000, 4);
    const CrashLoop loop{[&](SimStore& store) {
                             CreateUploadOp create;
                             create.upload.id = 9;
                             create.upload.bucket = store.bucket();
                             create.upload.key = "m";
                             REQUIRE(store.engine().apply(create, {}).ok());
                         },
                         [&](SimStore& store) {
                             Engine& engine = store.engine();
                             const auto upload = engine.names().upload(9);
                             REQUIRE(upload.ok());
                             CompleteUploadOp op;
                             op.bucket = store.bucket();
                             op.key = "m";
                             op.upload = 9;
                             op.part_bytes_min = 1;
                             std::vector<PartRow> rows;
                             for (const std::uint32_t number : {1U, 2U}) {
                                 auto content =
                                     engine.new_content({.inode = upload->inode}, part.size());
                                 if (!content->write(as_bytes(part)).ok()) return false;
                                 const auto stored = engine.put_part(
                                     *upload, std::move(content), {.number = number});
                                 if (!stored.ok()) return false;
                                 op.parts.push_back({number, stored->etag.to_string(), ""});
                                 rows.push_back(*stored);
                             }
                             return engine.complete_upload(op, rows).ok();
                         },
                         [&](SimStore& store, bool acknowledged) {
                             const auto found = store.read("m");
                             CHECK((found.value_or("") == part + part ||
                                    (!acknowledged && found.code() == Code::not_found)));
                             const bool upload_there = store.engine().names().upload(9).ok();
                             CHECK(upload_there == !found.ok());
                         }};
    loop.run();
}

TEST_CASE("packing inline bytes loses none at every crash point") {
    const CrashLoop loop{[](SimStore& store) {
                             REQUIRE(store.put("one", kOld).ok());
                             REQUIRE(store.put("two", kNew).ok());
                         },
                         [](SimStore& store) { return store.engine().pack().ok(); },
                         [](SimStore& store, bool) {
                             CHECK(store.read("one").value_or("") == kOld);
                             CHECK(store.read("two").value_or("") == kNew);
                         }};
    loop.run();
}

TEST_CASE("a start that is cut can be started again") {
    const CrashLoop loop{
        [](SimStore& store) {
            REQUIRE(store.put("k", kLarge).ok());
            store.close();
        },
        [](SimStore& store) { return store.open().ok(); },
        [](SimStore& store, bool) { CHECK(store.read("k").value_or("") == kLarge); }};
    loop.run();
}

}  // namespace
}  // namespace objstore
