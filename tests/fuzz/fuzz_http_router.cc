#include <cstdint>
#include <string>
#include <string_view>

#include "objstore/base/assert.h"
#include "s3api/base/uri.h"
#include "s3api/http/head_reader.h"
#include "s3api/http/request.h"
#include "s3api/router.h"

using namespace s3api;

namespace {

// Shows a head in steps of so many bytes, as it might come in. True: complete.
bool read(HeadReader& reader, std::string_view text, std::size_t step_bytes) {
    for (std::size_t length = step_bytes;; length += step_bytes) {
        const auto done = reader.read(text.substr(0, length));
        if (!done.ok()) return false;
        if (*done) return true;
        if (length >= text.size()) return false;
    }
}

void check_same(HeadReader& a, HeadReader& b) {
    ASSERT(a.consumed_bytes() == b.consumed_bytes());
    ASSERT(a.method_text() == b.method_text());
    ASSERT(a.raw_path() == b.raw_path());
    ASSERT(a.raw_query() == b.raw_query());
    ASSERT(a.content_length() == b.content_length());
    ASSERT(a.chunked() == b.chunked());
}

void route_head(HeadReader& reader) {
    Request request;
    request.method = reader.method();
    request.headers = reader.take_headers();
    auto query = Query::parse(reader.raw_query());
    if (!query.ok()) return;
    request.query = std::move(*query);
    const std::string_view host = request.header("host").value_or("");
    auto target = parse_target(host, reader.raw_path(), "s3.example.com");
    if (!target.ok()) return;
    ASSERT(target->key.size() <= Request::kKeyBytesMax);
    ASSERT(target->key.empty() || !target->bucket.empty());
    request.bucket = std::move(target->bucket);
    request.key = std::move(target->key);
    const auto operation = route(request);
    if (operation.ok()) ASSERT(!to_string(*operation).empty());
}

void dechunk_all(HeadReader& reader, std::string_view raw) {
    std::byte into[64];
    while (!raw.empty() && !reader.chunked_done()) {
        const auto progress = reader.dechunk(objstore::as_bytes(raw), into);
        if (!progress.ok() || progress->consumed_bytes == 0) return;
        ASSERT(progress->consumed_bytes <= raw.size());
        ASSERT(progress->produced_bytes <= sizeof(into));
        raw.remove_prefix(progress->consumed_bytes);
    }
}

}  // namespace

// What one client sends: a head, routed as far as it goes, and a body after it. How it is cut into
// packets must not matter.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string text(reinterpret_cast<const char*>(data), size);
    HeadReader at_once;
    HeadReader by_byte;
    const bool complete = read(at_once, text, text.size());
    ASSERT(read(by_byte, text, 1) == complete);
    if (!complete) return 0;
    check_same(at_once, by_byte);
    route_head(at_once);
    if (!at_once.chunked()) return 0;
    dechunk_all(at_once, std::string_view(text).substr(at_once.consumed_bytes()));
    return 0;
}
