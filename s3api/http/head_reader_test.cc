#include "s3api/http/head_reader.h"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

using namespace s3api;

namespace {

// Shows a head as it would come in pieces of so many bytes; how much had been shown when it was
// complete, 0 for never.
std::size_t complete_at(HeadReader& reader, std::string_view text, std::size_t piece_bytes) {
    for (std::size_t shown = piece_bytes;; shown += piece_bytes) {
        const auto complete = reader.read(text.substr(0, shown));
        if (!complete.ok()) return 0;
        if (*complete) return std::min(shown, text.size());
        if (shown >= text.size()) return 0;
    }
}

}  // namespace

TEST_CASE("a head is the same however it is cut, with an empty line before it too") {
    for (const std::string before : {"", "\r\n"}) {
        const std::string head = before +
                                 "PUT http://h/b/k?x=1 HTTP/1.1\r\nHost: h\r\nFolded: a\r\n"
                                 " b\r\nContent-Length: 7\r\nExpect: 100-Continue\r\n\r\n";
        for (std::size_t piece = 1; piece <= head.size(); ++piece) {
            CAPTURE(piece);
            HeadReader reader;
            REQUIRE(complete_at(reader, head, piece) > 0);
            CHECK(reader.consumed_bytes() == head.size());
            CHECK(reader.method() == Method::put);
            CHECK(reader.raw_path() == "/b/k");
            CHECK(reader.raw_query() == "x=1");
            CHECK(reader.content_length() == 7);
            CHECK(reader.expects_continue());
            CHECK(reader.keep_alive());
            CHECK(reader.take_headers().find("folded") == "a b");
        }
    }
}

TEST_CASE("what follows a head is left alone") {
    HeadReader reader;
    const std::string head = "GET /a HTTP/1.1\r\n\r\n";
    const auto complete = reader.read(head + "GET /b HTTP/1.1\r\n\r\n");
    REQUIRE(complete.ok());
    CHECK(*complete);
    CHECK(reader.consumed_bytes() == head.size());
    reader.begin();
    CHECK(reader.consumed_bytes() == 0);
    CHECK(!reader.keep_alive());
}
