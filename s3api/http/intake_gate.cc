#include "s3api/http/intake_gate.h"

#include <atomic>
#include <optional>

#include <boost/asio/post.hpp>

namespace s3api {

namespace {

constexpr std::int64_t kNotNow = -1;

}  // namespace

struct IntakeVisitor {
    IntakeVisitor(objstore::Stream& own, objstore::Event& wakes)
        : executor(own.executor()), event(wakes), stream(&own) {}

    // Bytes for each second of waiting; nothing while it is not waited for, or too new to tell.
    std::optional<double> rate(std::chrono::nanoseconds now, std::chrono::nanoseconds young) const {
        const std::int64_t begun = wait_begun_ns.load();
        if (begun == kNotNow) return std::nullopt;
        const std::int64_t waited = waited_ns.load() + now.count() - begun;
        if (waited < young.count() || waited <= 0) return std::nullopt;
        return static_cast<double>(received_bytes.load()) * 1e9 / static_cast<double>(waited);
    }

    const objstore::IoExecutor executor;
    objstore::Event& event;
    bool granted = false;  // guarded by the gate's lock
    std::atomic<std::int64_t> waited_ns{0};
    std::atomic<std::int64_t> wait_begun_ns{kNotNow};
    std::atomic<std::uint64_t> received_bytes{0};
    // The stream's thread alone:
    objstore::Stream* stream;  // null once the pass is gone
    bool revoked = false;
};

IntakeGate::Pass::Pass(IntakeGate& gate, objstore::Stream& stream, objstore::Event& event)
    : gate_(gate) {
    auto visitor = std::make_shared<IntakeVisitor>(stream, event);
    gate_.visitors_.with([&](Visitors& visitors) {
        if (visitors.inside.size() < gate_.options_.count_max) {
            visitor->granted = true;
            visitors.inside.push_back(visitor);
        } else if (visitors.waiting.size() < gate_.options_.waiting_max) {
            visitors.waiting.push_back(visitor);
        } else {
            return;
        }
        visitor_ = std::move(visitor);
    });
    if (refused() || !granted()) press();
}

IntakeGate::Pass::~Pass() {
    if (visitor_ == nullptr) return;
    visitor_->stream = nullptr;
    gate_.visitors_.with([&](Visitors& visitors) {
        visitors.waiting.remove(visitor_);
        visitors.inside.remove(visitor_);
        if (visitors.waiting.empty() || visitors.inside.size() >= gate_.options_.count_max) return;
        visitors.inside.splice(visitors.inside.end(), visitors.waiting, visitors.waiting.begin());
        IntakeVisitor& next = *visitors.inside.back();
        next.granted = true;
        // With the lock held: whose event it is cannot leave meanwhile. It only posts.
        next.event.set();
    });
}

bool IntakeGate::Pass::granted() const {
    return gate_.visitors_.with([&](const Visitors&) { return visitor_->granted; });
}

void IntakeGate::Pass::begin_wait(std::uint64_t expected_bytes) {
    visitor_->received_bytes += expected_bytes;
    visitor_->wait_begun_ns.store(gate_.clock_.steady().count());
}

void IntakeGate::Pass::end_wait(std::size_t received_bytes) {
    visitor_->waited_ns +=
        gate_.clock_.steady().count() - visitor_->wait_begun_ns.exchange(kNotNow);
    visitor_->received_bytes += received_bytes;
}

bool IntakeGate::Pass::revoked() const {
    return visitor_->revoked;
}

void IntakeGate::send_slowest_away() {
    const std::chrono::nanoseconds now = clock_.steady();
    const auto slowest = visitors_.with([&](const Visitors& visitors) {
        std::shared_ptr<IntakeVisitor> found;
        double least = kSlowBytesPerSecond;
        for (const auto& visitor : visitors.inside) {
            const auto rate = visitor->rate(now, options_.young);
            if (!rate || *rate >= least) continue;
            least = *rate;
            found = visitor;
        }
        return found;
    });
    if (slowest == nullptr) return;
    boost::asio::post(slowest->executor, [slowest] {
        if (slowest->stream == nullptr) return;
        slowest->revoked = true;
        slowest->stream->cancel();
    });
}

}  // namespace s3api
