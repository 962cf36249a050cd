#include "nfs/ops/arguments.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "nfs/xdr/writer.h"

using namespace nfs;

namespace {

template <typename Fn>
std::vector<std::byte> encoded(Fn&& fn) {
    Gather out;
    Writer writer(out);
    fn(writer);
    return out.flatten();
}

std::vector<std::byte> write_args(std::uint32_t count, std::uint32_t length) {
    return encoded([&](Writer& out) {
        out.text("handle");
        out.u64(5);
        out.u32(count);
        out.u32(2);
        out.u32(length);
        out.fixed(objstore::as_bytes("data"));
    });
}

}  // namespace

TEST_CASE("the data of a WRITE lies in the record") {
    const auto bytes = write_args(4, 4);
    Reader in(bytes);
    const auto args = WriteArgs::read(in);
    REQUIRE(in.ok());
    CHECK(args.offset == 5);
    CHECK(args.count == 4);
    CHECK(args.stable == Stable::file_sync);
    CHECK(objstore::as_text(args.data) == "data");
    CHECK(args.data.data() == bytes.data() + bytes.size() - 4);
}

TEST_CASE("a WRITE that claims more data than the record has is garbage") {
    for (const std::uint32_t length : {5U, 8U, 0x7fffffffU, 0xfffffff0U, 0xffffffffU}) {
        CAPTURE(length);
        const auto bytes = write_args(length, length);
        Reader in(bytes);
        WriteArgs::read(in);
        CHECK_FALSE(in.ok());
    }
}

TEST_CASE("handles and names above the protocol's limits are garbage") {
    const auto read = [](std::size_t handle_bytes, std::size_t name_bytes) {
        const auto bytes = encoded([&](Writer& out) {
            out.text(std::string(handle_bytes, 'h'));
            out.text(std::string(name_bytes, 'n'));
        });
        Reader in(bytes);
        read_name(in);
        return in.ok();
    };
    CHECK(read(64, 4096));
    CHECK_FALSE(read(65, 1));
    CHECK_FALSE(read(64, 4097));
}

TEST_CASE("an exclusive CREATE without its verifier is garbage") {
    const auto bytes = encoded([](Writer& out) {
        out.text("handle");
        out.text("name");
        out.u32(2);
        out.u32(0);
    });
    Reader in(bytes);
    CreateArgs::read(in);
    CHECK_FALSE(in.ok());
}

TEST_CASE("times of a billion nanoseconds are told apart from garbage") {
    const auto read = [](std::uint32_t nanos) {
        const auto bytes = encoded([&](Writer& out) {
            out.zeros(4);
            out.u32(2);
            out.u32(7);
            out.u32(nanos);
            out.u32(1);
        });
        Reader in(bytes);
        const auto set = read_new_attributes(in);
        REQUIRE(in.ok());
        CHECK(set.atime.how == SetTime::How::client);
        CHECK(set.mtime.how == SetTime::How::server);
        return set;
    };
    CHECK(read(999'999'999).valid);
    CHECK(read(999'999'999).atime.time == 7'999'999'999);
    CHECK_FALSE(read(1'000'000'000).valid);
}

TEST_CASE("members that an enumeration does not have are garbage") {
    const auto bytes = encoded([](Writer& out) {
        out.text("handle");
        out.text("name");
        out.u32(8);
    });
    Reader in(bytes);
    MknodArgs::read(in);
    CHECK_FALSE(in.ok());
}
