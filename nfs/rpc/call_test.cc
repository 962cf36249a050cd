#include "nfs/rpc/call.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace nfs;

namespace {

using Kind = ParsedCall::Kind;

struct Auth {
    std::uint32_t flavor = 0;
    std::vector<std::byte> body{};
    std::uint32_t verifier = 0;
};

std::vector<std::byte> sys_body(std::size_t machine_bytes, std::uint32_t groups) {
    Gather out;
    Writer writer(out);
    writer.u32(42);
    writer.text(std::string(machine_bytes, 'm'));
    writer.u32(1000);
    writer.u32(1001);
    writer.u32(groups);
    for (std::uint32_t i = 0; i < groups; ++i) writer.u32(2000 + i);
    return out.flatten();
}

std::vector<std::byte> call_with(const Auth& auth, std::uint32_t rpc_version = 2) {
    Gather out;
    Writer writer(out);
    for (const std::uint32_t value : {77U, 0U, rpc_version, 100003U, 3U, 1U}) writer.u32(value);
    writer.u32(auth.flavor);
    writer.opaque(auth.body);
    writer.u32(auth.verifier);
    writer.u32(0);
    writer.text("args");
    return out.flatten();
}

void check_denied(const Auth& auth, AuthStat why) {
    const auto record = call_with(auth);
    const auto parsed = parse_call(record);
    CHECK(parsed.kind == Kind::denied);
    CHECK(parsed.why == why);
    CHECK(parsed.call.xid == 77);
}

std::vector<std::uint32_t> words_of(const Gather& out) {
    const auto bytes = out.flatten();
    Reader in(bytes);
    std::vector<std::uint32_t> words;
    while (in.remaining() > 0) words.push_back(in.u32());
    return words;
}

}  // namespace

TEST_CASE("a call with AUTH_SYS is understood") {
    const auto record = call_with({.flavor = 1, .body = sys_body(5, 3)});
    const auto parsed = parse_call(record);
    REQUIRE(parsed.kind == Kind::call);
    const Call& call = parsed.call;
    CHECK(call.xid == 77);
    CHECK(call.program == 100003);
    CHECK(call.version == 3);
    CHECK(call.procedure == 1);
    CHECK(call.caller.is_sys);
    CHECK(call.caller.machine == "mmmmm");
    CHECK(call.caller.uid == 1000);
    CHECK(call.caller.gid == 1001);
    REQUIRE(call.caller.groups().size() == 3);
    CHECK(call.caller.groups()[2] == 2002);
    CHECK(call.args.size() == 8);
}

TEST_CASE("a call with AUTH_NONE has no identity") {
    const auto record = call_with({});
    const auto parsed = parse_call(record);
    REQUIRE(parsed.kind == Kind::call);
    CHECK_FALSE(parsed.call.caller.is_sys);
}

TEST_CASE("AUTH_SYS takes names up to 255 bytes and up to 16 groups") {
    const auto most = call_with({.flavor = 1, .body = sys_body(255, 16)});
    CHECK(parse_call(most).kind == Kind::call);
    check_denied({.flavor = 1, .body = sys_body(256, 0)}, AuthStat::bad_credential);
    check_denied({.flavor = 1, .body = sys_body(1, 17)}, AuthStat::bad_credential);
}

TEST_CASE("an AUTH_SYS credential that is cut short or too long is bad") {
    auto body = sys_body(5, 3);
    body.resize(body.size() - 4);
    check_denied({.flavor = 1, .body = body}, AuthStat::bad_credential);
    check_denied({.flavor = 1, .body = {}}, AuthStat::bad_credential);
    body.resize(body.size() + 8);
    check_denied({.flavor = 1, .body = body}, AuthStat::bad_credential);
    check_denied({.flavor = 0, .body = std::vector<std::byte>(401)}, AuthStat::bad_credential);
}

TEST_CASE("flavors that are not offered are denied, each for its reason") {
    check_denied({.flavor = 2}, AuthStat::rejected_credential);
    check_denied({.flavor = 3}, AuthStat::too_weak);
    check_denied({.flavor = 6}, AuthStat::rejected_credential);
    check_denied({.flavor = 7}, AuthStat::rejected_credential);
    check_denied({.flavor = 390003}, AuthStat::too_weak);
    check_denied({.verifier = 6}, AuthStat::bad_verifier);
}

TEST_CASE("another version of RPC is told which one we speak") {
    const auto record = call_with({}, 3);
    CHECK(parse_call(record).kind == Kind::wrong_rpc_version);
    Gather out;
    write_rpc_mismatch(out, 77);
    CHECK(words_of(out) == std::vector<std::uint32_t>{0x80000000 + 24, 77, 1, 1, 0, 2, 2});
}

TEST_CASE("a record cut at any byte is nonsense, denied or a call without its arguments") {
    const auto whole = call_with({.flavor = 1, .body = sys_body(5, 3)});
    for (std::size_t size = 0; size < whole.size() - 8; ++size) {
        CAPTURE(size);
        const std::vector<std::byte> record(whole.begin(),
                                            whole.begin() + static_cast<std::ptrdiff_t>(size));
        CHECK(parse_call(record).kind == (size < 24 ? Kind::nonsense : Kind::denied));
    }
}

TEST_CASE("a reply sent to the server is nonsense") {
    auto record = call_with({});
    record[7] = std::byte{1};
    CHECK(parse_call(record).kind == Kind::nonsense);
}

TEST_CASE("error replies have the form that RFC 5531 gives them") {
    using Words = std::vector<std::uint32_t>;
    Gather auth;
    write_auth_error(auth, 5, AuthStat::too_weak);
    CHECK(words_of(auth) == Words{0x80000000 + 20, 5, 1, 1, 1, 5});
    Gather garbage;
    write_accepted(garbage, 5, AcceptStat::garbage_args);
    CHECK(words_of(garbage) == Words{0x80000000 + 24, 5, 1, 0, 0, 0, 4});
    Gather mismatch;
    write_program_mismatch(mismatch, 5, {.low = 1, .high = 3});
    CHECK(words_of(mismatch) == Words{0x80000000 + 32, 5, 1, 0, 0, 0, 2, 1, 3});
}
