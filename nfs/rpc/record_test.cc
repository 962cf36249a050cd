#include "nfs/rpc/record.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "nfs/xdr/endian.h"

using namespace nfs;

namespace {

constexpr std::size_t kRecordBytesMax = objstore::kMiB + 4096;

std::string fragment(std::string_view bytes, bool last) {
    std::string out(4, '\0');
    store_u32(reinterpret_cast<std::byte*>(out.data()),
              static_cast<std::uint32_t>(bytes.size()) | (last ? 0x80000000U : 0U));
    return out += bytes;
}

// Receives at most `size_bytes`; returns how many fitted.
std::size_t receive(RecordWindow& window, std::string_view bytes) {
    const auto space = window.space();
    REQUIRE(!space.empty());
    const std::size_t now = std::min(space.size(), bytes.size());
    std::copy_n(bytes.data(), now, reinterpret_cast<char*>(space.data()));
    window.received(now);
    return now;
}

// All records of `stream`, which arrives in pieces of at most `piece_bytes`.
std::vector<std::string> records_of(RecordWindow& window,
                                    std::string_view stream,
                                    std::size_t piece_bytes) {
    std::vector<std::string> found;
    while (!stream.empty()) {
        stream.remove_prefix(receive(window, stream.substr(0, piece_bytes)));
        while (true) {
            const auto record = window.next();
            REQUIRE(record.ok());
            if (!record->has_value()) break;
            found.emplace_back(objstore::as_text((*record)->bytes));
        }
    }
    return found;
}

}  // namespace

TEST_CASE("records come out whole however the stream is cut") {
    BlockPool pool({});
    const std::string stream = fragment("first", true) + fragment("second", true) +
                               fragment("in ", false) + fragment("", false) +
                               fragment("three ", false) + fragment("parts", true) +
                               fragment("last", true);
    for (std::size_t piece_bytes = 1; piece_bytes <= stream.size(); ++piece_bytes) {
        CAPTURE(piece_bytes);
        RecordWindow window(pool, kRecordBytesMax);
        CHECK(records_of(window, stream, piece_bytes) ==
              std::vector<std::string>{"first", "second", "in three parts", "last"});
        CHECK_FALSE(window.mid_record());
    }
}

TEST_CASE("records of all sizes, fragments and cuts survive") {
    const unsigned seed = 11;
    std::mt19937 random(seed);
    CAPTURE(seed);
    BlockPool pool({});
    for (int round = 0; round < 20; ++round) {
        std::string stream;
        std::vector<std::string> expected;
        for (int i = 0; i < 30; ++i) {
            std::string record(random() % (i % 7 == 0 ? kRecordBytesMax : 3000), '\0');
            for (std::size_t j = 0; j < record.size(); j += 97) {
                record[j] = static_cast<char>(random());
            }
            std::string_view rest = record;
            while (random() % 3 == 0) {
                const auto part = rest.substr(0, random() % (rest.size() + 1));
                stream += fragment(part, false);
                rest.remove_prefix(part.size());
            }
            stream += fragment(rest, true);
            expected.push_back(std::move(record));
        }
        RecordWindow window(pool, kRecordBytesMax);
        CHECK(records_of(window, stream, 1 + random() % 300000) == expected);
    }
    CHECK(pool.lent_bytes() == 0);
}

TEST_CASE("a record keeps its bytes while later ones arrive") {
    BlockPool pool({});
    RecordWindow window(pool, kRecordBytesMax);
    std::vector<Record> held;
    std::vector<std::string> expected;
    for (int i = 0; i < 300; ++i) {
        expected.emplace_back(5000, static_cast<char>(i));
        const std::string stream = fragment(expected.back(), true);
        for (std::string_view rest = stream; !rest.empty();) {
            rest.remove_prefix(receive(window, rest));
            auto record = window.next();
            REQUIRE(record.ok());
            if (record->has_value()) held.push_back(std::move(**record));
        }
    }
    REQUIRE(held.size() == expected.size());
    for (std::size_t i = 0; i < held.size(); ++i) {
        CHECK(objstore::as_text(held[i].bytes) == expected[i]);
    }
}

TEST_CASE("a record may be as long as the maximum and no longer") {
    BlockPool pool({});
    const std::string longest(kRecordBytesMax, 'x');
    RecordWindow window(pool, kRecordBytesMax);
    CHECK(records_of(window, fragment(longest, true), 100000).size() == 1);
    RecordWindow other(pool, kRecordBytesMax);
    receive(other, fragment("", true).substr(0, 0) + std::string("\x80\x10\x10\x01", 4));
    CHECK(other.next().code() == objstore::Code::invalid_argument);
}

TEST_CASE("a record that is announced takes no more memory than has come of it") {
    BlockPool pool({});
    RecordWindow window(pool, kRecordBytesMax);
    const std::string stream = fragment(std::string(objstore::kMiB, 'x'), true);
    CHECK(records_of(window, stream.substr(0, 100), 100).empty());
    CHECK_FALSE(window.wants_large());
    CHECK(window.space().size() > 4000);
    CHECK(pool.lent_bytes() == pool.small_bytes());
    std::string_view rest = std::string_view(stream).substr(100);
    while (!window.wants_large()) {
        rest.remove_prefix(receive(window, rest.substr(0, 5000)));
        REQUIRE_FALSE(window.next()->has_value());
    }
    CHECK(window.large_bytes() == 0);
    CHECK(stream.size() - rest.size() > pool.small_bytes() - 10'000);
    CHECK(records_of(window, rest, 100'000) == std::vector<std::string>{stream.substr(4)});
}

TEST_CASE("a hostile length is refused from its marker alone, and no memory is taken for it") {
    BlockPool pool({});
    for (const char* marker : {"\xff\xff\xff\xff", "\x7f\xff\xff\xff", "\x40\x00\x00\x01"}) {
        RecordWindow window(pool, kRecordBytesMax);
        receive(window, std::string_view(marker, 4));
        CHECK(window.next().code() == objstore::Code::invalid_argument);
        CHECK(pool.lent_bytes() <= pool.small_bytes());
    }
}

TEST_CASE("fragments count together against the maximum") {
    BlockPool pool({});
    RecordWindow window(pool, 10000);
    const std::string stream = fragment(std::string(6000, 'x'), false) +
                               fragment(std::string(4000, 'x'), false) + fragment("x", true);
    receive(window, stream);
    CHECK(window.next().code() == objstore::Code::invalid_argument);
}

TEST_CASE("a record of endless empty fragments is refused") {
    BlockPool pool({});
    RecordWindow window(pool, kRecordBytesMax);
    std::string stream;
    for (std::uint32_t i = 0; i <= RecordWindow::kFragmentsMax; ++i) stream += fragment("", false);
    receive(window, stream);
    CHECK(window.next().code() == objstore::Code::invalid_argument);
}

TEST_CASE("an idle window holds no memory, one in the middle of a record keeps it") {
    BlockPool pool({});
    RecordWindow window(pool, kRecordBytesMax);
    CHECK(records_of(window, fragment("x", true), 100).size() == 1);
    window.release_if_idle();
    CHECK(pool.lent_bytes() == 0);
    const std::string stream = fragment("second", true);
    CHECK(records_of(window, stream.substr(0, 3), 100).empty());
    CHECK(window.mid_record());
    window.release_if_idle();
    CHECK(records_of(window, stream.substr(3), 100) == std::vector<std::string>{"second"});
}
