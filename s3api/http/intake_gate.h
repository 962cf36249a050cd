#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>

#include "objstore/base/bytes.h"
#include "objstore/base/clock.h"
#include "objstore/base/guarded.h"
#include "objstore/net/event.h"
#include "objstore/net/stream.h"

namespace s3api {

struct IntakeVisitor;

// How many long bodies come in at a time: each takes memory on its way to the disks. Others wait,
// first come, first served; and while they do, the slowest client is sent away, if it is slow
// indeed: so nobody holds the door shut for little. The clock must outlive it. Threads: any; a Pass
// belongs to its stream's.
class IntakeGate final {
public:
    // Averages over the time that the client was waited for; after little of that none can be told.
    static constexpr std::uint64_t kSlowBytesPerSecond = 32 * objstore::kKiB;

    struct Options {
        std::size_t count_max = 56;
        std::size_t waiting_max = 1024;
        std::chrono::milliseconds young{3'000};
    };
    IntakeGate(Options options, const objstore::Clock& clock) : options_(options), clock_(clock) {}
    IntakeGate(const IntakeGate&) = delete;
    IntakeGate& operator=(const IntakeGate&) = delete;

    // The right to receive one long body, or a place in the queue for it. All must outlive it.
    class Pass final {
    public:
        // `event` is set when it is granted later.
        Pass(IntakeGate& gate, objstore::Stream& stream, objstore::Event& event);
        ~Pass();
        Pass(const Pass&) = delete;
        Pass& operator=(const Pass&) = delete;

        bool granted() const;
        bool refused() const { return visitor_ == nullptr; }  // the queue is full
        // While waiting: makes room if a client is slow. Now and then.
        void press() { gate_.send_slowest_away(); }

        // Around each wait for the client: nobody is slow who waits for us. What is waited for in
        // one go counts from the beginning.
        void begin_wait(std::uint64_t expected_bytes = 0);
        void end_wait(std::size_t received_bytes);
        // The client was sent away: what it was waited for has been cancelled.
        bool revoked() const;

    private:
        IntakeGate& gate_;
        std::shared_ptr<IntakeVisitor> visitor_;  // shared with who sends it away
    };

private:
    struct Visitors {
        std::list<std::shared_ptr<IntakeVisitor>> inside;
        std::list<std::shared_ptr<IntakeVisitor>> waiting;
    };

    void send_slowest_away();

    const Options options_;
    const objstore::Clock& clock_;
    objstore::Guarded<Visitors> visitors_;
};

}  // namespace s3api
