#include "nfs/xdr/gather.h"

#include <algorithm>
#include <random>
#include <string>

#include <doctest/doctest.h>

#include "nfs/xdr/writer.h"

using namespace nfs;
using objstore::as_bytes;

namespace {

Payload payload_of(const std::string& text) {
    auto owner = std::make_shared<std::string>(text);
    return {as_bytes(*owner), owner};
}

std::string text_of(const Gather& gather) {
    const auto bytes = gather.flatten();
    return std::string(objstore::as_text(bytes));
}

void add_text(Gather& gather, std::string_view text) {
    const auto space = gather.extend(text.size());
    std::copy(text.begin(), text.end(), reinterpret_cast<char*>(space.data()));
}

}  // namespace

TEST_CASE("own and lent bytes come out in the order they went in") {
    Gather gather;
    add_text(gather, "one ");
    gather.lend(payload_of("two "));
    gather.lend(payload_of("three "));
    add_text(gather, "four");
    CHECK(text_of(gather) == "one two three four");
    CHECK(gather.size() == 18);
}

TEST_CASE("a lent opaque carries its length and padding") {
    Gather gather;
    Writer writer(gather);
    writer.opaque(payload_of("abcde"));
    CHECK(text_of(gather) == std::string("\0\0\0\5abcde\0\0\0", 12));
}

TEST_CASE("sending any number of bytes at a time sends each byte once") {
    std::mt19937 random(7);
    std::string expected;
    Gather gather;
    for (int i = 0; i < 200; ++i) {
        const std::string piece(random() % 50, static_cast<char>('a' + i % 26));
        expected += piece;
        if (random() % 3 == 0) {
            gather.lend(payload_of(piece));
        } else {
            add_text(gather, piece);
        }
    }
    std::string found;
    while (!gather.empty()) {
        std::array<iovec, 4> slots{};
        const std::size_t used = gather.next(slots);
        REQUIRE(used > 0);
        std::string offered;
        for (std::size_t i = 0; i < used; ++i) {
            offered.append(static_cast<const char*>(slots[i].iov_base), slots[i].iov_len);
        }
        const std::size_t sent = 1 + random() % offered.size();
        found += offered.substr(0, sent);
        gather.sent(sent);
        CHECK(gather.size() == expected.size() - found.size());
    }
    CHECK(found == expected);
}

TEST_CASE("a payload is let go as soon as it has been sent") {
    auto owner = std::make_shared<std::string>("data");
    Gather gather;
    gather.lend({as_bytes(*owner), owner});
    add_text(gather, "rest");
    CHECK(owner.use_count() == 2);
    gather.sent(4);
    CHECK(owner.use_count() == 1);
    CHECK(text_of(gather) == "rest");
}

TEST_CASE("rolling back forgets own and lent bytes behind the mark") {
    Gather gather;
    add_text(gather, "kept");
    const auto mark = gather.mark();
    auto owner = std::make_shared<std::string>("data");
    add_text(gather, "gone");
    gather.lend({as_bytes(*owner), owner});
    gather.rollback(mark);
    CHECK(owner.use_count() == 1);
    CHECK(gather.size() == 4);
    CHECK(text_of(gather) == "kept");
}

TEST_CASE("appending keeps the order and empties the other") {
    Gather first;
    add_text(first, "a");
    Gather second;
    add_text(second, "b");
    second.lend(payload_of("c"));
    add_text(second, "d");
    first.append(second);
    CHECK(second.empty());
    CHECK(first.size() == 4);
    CHECK(text_of(first) == "abcd");
}
