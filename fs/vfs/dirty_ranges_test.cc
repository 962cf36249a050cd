#include "fs/vfs/dirty_ranges.h"

#include <random>
#include <string>

#include <doctest/doctest.h>

namespace fs {
namespace {

using objstore::as_bytes;

std::string text_of(const DirtyRanges& ranges, std::size_t size) {
    std::string out(size, '.');
    ranges.read({0, size}, std::as_writable_bytes(std::span(out)));
    return out;
}

TEST_CASE("a later write wins over an earlier one, whatever it overlaps") {
    DirtyRanges ranges;
    CHECK(ranges.write(2, as_bytes("bbb")) == 3);
    CHECK(ranges.write(8, as_bytes("ccc")) == 3);
    CHECK(ranges.write(0, as_bytes("0123456789")) == 5);
    CHECK(text_of(ranges, 12) == "0123456789c.");
    CHECK(ranges.size_bytes() == 11);
    CHECK(ranges.end() == 11);
}

TEST_CASE("writes that follow each other make one run") {
    DirtyRanges ranges;
    ranges.write(4, as_bytes("ef"));
    ranges.write(0, as_bytes("ab"));
    CHECK(ranges.run_count() == 2);
    ranges.write(2, as_bytes("cd"));
    CHECK(ranges.run_count() == 1);
    CHECK(text_of(ranges, 6) == "abcdef");
}

TEST_CASE("forgetting the middle of a run leaves both sides") {
    DirtyRanges ranges;
    ranges.write(0, as_bytes("abcdef"));
    CHECK(ranges.forget({2, 4}) == 2);
    CHECK(text_of(ranges, 6) == "ab..ef");
    CHECK(ranges.size_bytes() == 4);
    CHECK(ranges.forget({1, 100}) == 3);
    CHECK(text_of(ranges, 6) == "a.....");
}

TEST_CASE("a read names the gaps between the runs") {
    DirtyRanges ranges;
    ranges.write(2, as_bytes("cd"));
    ranges.write(6, as_bytes("g"));
    std::string out(8, '.');
    const auto gaps = ranges.read({0, 8}, std::as_writable_bytes(std::span(out)));
    CHECK(gaps == std::vector<Range>{{0, 2}, {4, 6}, {7, 8}});
    CHECK(ranges.next_data(0) == 2);
    CHECK(ranges.next_data(3) == 3);
    CHECK(ranges.next_gap(2) == 4);
    CHECK(ranges.next_data(7) == DirtyRanges::kNone);
}

TEST_CASE("random writes and forgets agree with a plain string") {
    constexpr std::size_t kSize = 300;
    std::mt19937 random(7);
    for (int round = 0; round < 200; ++round) {
        DirtyRanges ranges;
        std::string model(kSize, '.');
        for (int step = 0; step < 60; ++step) {
            const std::size_t from = random() % kSize;
            const std::size_t size = random() % (kSize - from) / (1 + random() % 8);
            if (random() % 4 == 0) {
                ranges.forget({from, from + size});
                model.replace(from, size, size, '.');
            } else {
                const std::string bytes(size, static_cast<char>('a' + random() % 26));
                ranges.write(from, as_bytes(bytes));
                model.replace(from, size, bytes);
            }
            const auto used = static_cast<std::size_t>(
                std::count_if(model.begin(), model.end(), [](char c) { return c != '.'; }));
            REQUIRE(text_of(ranges, kSize) == model);
            REQUIRE(ranges.size_bytes() == used);
        }
    }
}

}  // namespace
}  // namespace fs
