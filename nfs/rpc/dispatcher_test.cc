#include "nfs/rpc/dispatcher.h"

#include <new>

#include <doctest/doctest.h>

using namespace nfs;
using Verdict = Dispatcher::Verdict;

namespace {

using Words = std::vector<std::uint32_t>;

// Program 5, version 2: 0 answers at once, 1 waits, 2 waits and must not be repeated, 3 throws,
// 4 finds its arguments bad, 5 fails.
class FakeService final : public Service {
public:
    Lookup find(std::uint32_t program,
                std::uint32_t version,
                std::uint32_t procedure) const override {
        if (program != 5) return NoProgram{};
        if (version != 2) return VersionRange{2, 2};
        if (procedure > 5) return NoProcedure{};
        return Known{procedure >= 2};
    }
    std::size_t large_reply_bytes(const Call& call) const override {
        return call.procedure <= 1 ? reply_bytes : 0;
    }
    Answer try_call(const Peer&, const Call& call, Writer& out) override {
        out.u32(1000);
        return call.procedure == 0 ? Answer::success : Answer::not_now;
    }
    Answer call(const Peer&, const Call& call, Writer& out) override {
        out.u32(2000 + static_cast<std::uint32_t>(++calls));
        if (call.procedure == 3) throw std::bad_alloc();
        if (call.procedure == 4) return Answer::garbage_args;
        return call.procedure == 5 ? Answer::system_error : Answer::success;
    }
    Answer refuse(const Call&, Writer& out) override {
        out.u32(3000);
        return Answer::success;
    }

    int calls = 0;
    std::size_t reply_bytes = 0;
};

struct Fixture {
    objstore::SystemClock clock;
    FakeService service;
    ReplyCache replies{{}, clock, {1, 2}};
    Dispatcher dispatcher{service, replies};
    Peer peer;
    std::vector<std::byte> record;
    std::size_t room_bytes = 0;

    Dispatcher::Begun begin(std::uint32_t xid, std::array<std::uint32_t, 3> target, Gather& out) {
        Gather encoded;
        Writer writer(encoded);
        for (const std::uint32_t word : {xid, 0U, 2U, target[0], target[1], target[2]}) {
            writer.u32(word);
        }
        writer.zeros(4);
        record = encoded.flatten();
        return dispatcher.begin(peer, record, out, room_bytes);
    }
    static Words words(const Gather& out) {
        const auto bytes = out.flatten();
        Reader in(bytes);
        Words found;
        while (in.remaining() > 0) found.push_back(in.u32());
        return found;
    }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a call that memory can answer is answered at once") {
    Gather out;
    CHECK(begin(9, {5, 2, 0}, out).verdict == Verdict::answered);
    CHECK(words(out) == Words{0x80000000 + 28, 9, 1, 0, 0, 0, 0, 1000});
}

TEST_CASE_FIXTURE(Fixture, "a call that must wait leaves nothing behind until a worker ends it") {
    Gather out;
    const auto begun = begin(9, {5, 2, 1}, out);
    CHECK(begun.verdict == Verdict::wait);
    CHECK(out.empty());
    dispatcher.finish(peer, begun, out);
    CHECK(words(out) == Words{0x80000000 + 28, 9, 1, 0, 0, 0, 0, 2001});
}

TEST_CASE_FIXTURE(Fixture, "a call that must not be repeated is dropped, then answered as before") {
    Gather first;
    const auto begun = begin(9, {5, 2, 2}, first);
    CHECK(begun.verdict == Verdict::wait);
    Gather second;
    CHECK(begin(9, {5, 2, 2}, second).verdict == Verdict::dropped);
    CHECK(second.empty());
    dispatcher.finish(peer, begun, first);
    CHECK(begin(9, {5, 2, 2}, second).verdict == Verdict::answered);
    CHECK(words(first) == words(second));
    CHECK(service.calls == 1);
}

TEST_CASE_FIXTURE(Fixture,
                  "a call refused for lack of workers is carried out when it comes again") {
    Gather out;
    dispatcher.refuse(begin(9, {5, 2, 2}, out), out);
    CHECK(words(out).back() == 3000);
    Gather again;
    CHECK(begin(9, {5, 2, 2}, again).verdict == Verdict::wait);
}

TEST_CASE_FIXTURE(Fixture, "what is not there is told as RFC 5531 says") {
    Gather out;
    begin(9, {6, 2, 0}, out);
    CHECK(words(out) == Words{0x80000000 + 24, 9, 1, 0, 0, 0, 1});
    Gather version;
    begin(9, {5, 3, 0}, version);
    CHECK(words(version) == Words{0x80000000 + 32, 9, 1, 0, 0, 0, 2, 2, 2});
    Gather procedure;
    begin(9, {5, 2, 6}, procedure);
    CHECK(words(procedure) == Words{0x80000000 + 24, 9, 1, 0, 0, 0, 3});
}

TEST_CASE_FIXTURE(Fixture, "bad arguments, failures and exceptions become RPC errors") {
    const std::array<std::pair<std::uint32_t, std::uint32_t>, 3> cases{{{3, 5}, {4, 4}, {5, 5}}};
    for (const auto& one : cases) {
        const std::uint32_t procedure = one.first;
        CAPTURE(procedure);
        Gather out;
        const auto begun = begin(9, {5, 2, procedure}, out);
        REQUIRE(begun.verdict == Verdict::wait);
        dispatcher.finish(peer, begun, out);
        CHECK(words(out) == Words{0x80000000 + 24, 9, 1, 0, 0, 0, one.second});
    }
}

TEST_CASE_FIXTURE(Fixture, "what is not RPC cuts the connection") {
    Gather out;
    CHECK(dispatcher.begin(peer, objstore::as_bytes("GET / HTTP/1.1\r\n"), out, 0).verdict ==
          Verdict::cut);
    CHECK(dispatcher.begin(peer, {}, out, 0).verdict == Verdict::cut);
    CHECK(out.empty());
}

TEST_CASE_FIXTURE(Fixture, "a call with a large reply is begun when there is room for it") {
    service.reply_bytes = 5000;
    Gather out;
    const auto refused = begin(1, {5, 2, 0}, out);
    CHECK(refused.verdict == Verdict::no_room);
    CHECK(refused.reply_bytes == 5000);
    CHECK(out.empty());
    room_bytes = 5000;
    CHECK(begin(1, {5, 2, 0}, out).verdict == Verdict::answered);
    const auto waits = begin(2, {5, 2, 1}, out);
    CHECK(waits.verdict == Verdict::wait);
    CHECK(waits.reply_bytes == 5000);
}
