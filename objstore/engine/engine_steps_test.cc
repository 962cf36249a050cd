// Operations on very many extents: one thread, and much work.
#include <doctest/doctest.h>

#include "objstore/engine/engine_fixture.h"
#include "tests/store/sim_store.h"

namespace objstore {
namespace {

using tests::SimStore;

// A file of that many pieces, one byte each, with a hole behind each.
InodePtr write_pieces(SimStore& store, const std::string& key, std::size_t pieces) {
    REQUIRE(store.put(key, "").ok());
    const InodeId inode = store.engine().stat(store.bucket(), key)->inode->id;
    std::vector<WritePiece> batch;
    for (std::size_t i = 0; i < pieces; ++i) {
        batch.push_back({2 * i, as_bytes(std::string_view("y"))});
        if (batch.size() < 1000 && i + 1 < pieces) continue;
        REQUIRE(store.engine().write({.inode = inode, .time = 1}, batch, {}).ok());
        batch.clear();
    }
    return store.engine().stat(store.bucket(), key)->inode;
}

TEST_CASE("an object of very many extents is copied in steps, and shows when all is there") {
    SimStore store({});
    const InodePtr source = write_pieces(store, "from", 10'001);
    Engine& engine = store.engine();
    REQUIRE(engine.copy({source, 0, source->size}, store.bucket(), "to", {}).ok());
    CHECK(store.read("to").value_or("") == store.read("from").value_or("-"));
    CHECK(engine.stat(store.bucket(), "to")->inode->size == source->size);
    const PutAttributes once{.conditions = {.if_none_match = {"*"}}};
    CHECK(engine.copy({source, 0, source->size}, store.bucket(), "to", once).why() ==
          Why::precondition);
    CHECK(engine.copy({source, 0, source->size}, store.bucket(), "to/", {}).code() ==
          Code::invalid_argument);
    REQUIRE(store.remove("from").ok());
    REQUIRE(store.power_cycle().ok());
    CHECK(store.read("to").value_or("").size() == source->size);
}

TEST_CASE("an upload of very many extents is completed in steps") {
    SimStore store({});
    const InodePtr source = write_pieces(store, "from", 6000);
    Engine& engine = store.engine();
    const UploadRow upload = begin_upload(engine, store.bucket(), "m");
    CompleteUploadOp complete;
    complete.bucket = store.bucket();
    complete.key = "m";
    complete.upload = 77;
    complete.part_bytes_min = 1;
    for (const std::uint32_t number : {1U, 2U, 3U}) {
        PartAttributes attributes{.number = number};
        attributes.etag.digest[0] = static_cast<std::byte>(number);
        REQUIRE(engine.copy_part(upload, {source, 0, source->size}, attributes).ok());
        if (number == 2) continue;
        complete.parts.push_back({number, attributes.etag.to_string(), ""});
    }
    auto rows = engine.names().parts(77, 0, 10).value();
    rows.erase(rows.begin() + 1);
    const auto done = engine.complete_upload(complete, rows);
    REQUIRE(done.ok());
    CHECK(done->inode->size == 2 * source->size);
    const std::string once = store.read("from").value_or("");
    CHECK(store.read("m").value_or("") == once + once);
    CHECK(engine.names().upload(77).code() == Code::not_found);
    REQUIRE(store.power_cycle().ok());
    CHECK(store.read("m").value_or("") == once + once);
}

TEST_CASE("a part is no range of very many extents") {
    SimStore store({});
    const InodePtr source = write_pieces(store, "from", 10'001);
    Engine& engine = store.engine();
    const UploadRow upload = begin_upload(engine, store.bucket(), "m");
    CHECK(engine.copy_part(upload, {source, 0, source->size}, {.number = 1}).code() ==
          Code::invalid_argument);
    CHECK(engine.copy_part(upload, {source, 0, source->size - 2}, {.number = 1}).ok());
}

}  // namespace
}  // namespace objstore
