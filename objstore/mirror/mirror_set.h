#pragma once

#include <functional>
#include <mutex>
#include <span>
#include <vector>

#include "objstore/base/clock.h"
#include "objstore/base/guarded.h"
#include "objstore/mirror/mirror.h"
#include "objstore/mirror/records.h"

namespace objstore {

// Which mirrors there are, as the records of the disks say. Threads: any. What it is given must
// outlive it.
class MirrorSet final {
public:
    struct Deps {
        MirrorRecords& records;
        const Clock& clock;
        spdlog::logger& log;
        std::chrono::nanoseconds limit;
    };
    MirrorSet(Deps deps, std::vector<MirrorPtr> members);

    // Those that have not failed.
    std::vector<MirrorPtr> members() const;
    // Of the record in force.
    MirrorEpoch epoch() const;
    std::chrono::nanoseconds limit() const { return deps_.limit; }
    std::int64_t steady_ns() const { return deps_.clock.steady().count(); }
    spdlog::logger& log() const { return deps_.log; }

    // What `call` answers for each mirror. With one mirror it runs here, else in their lanes for
    // writes, within the limit: it owns all that it uses.
    using Call = std::function<Status(const MirrorPlace&)>;
    std::vector<Status> on_each(const std::vector<MirrorPtr>& mirrors, const Call& call) const;

    // The outcome of an operation that every one of `mirrors` was asked for. Where some did it,
    // those that did not have failed, and it is ok once none of those that ever failed is named by
    // a record in force (unavailable, read_only: too few disks are left for one). Where none did
    // it, it is what all said, or outcome_unknown.
    Status settle(std::span<const MirrorPtr> mirrors, std::span<const Status> answers);

    // The members, for the first time: of a namespace that was just made.
    Status publish();
    // A mirror that has all, and takes part in each write and sync, becomes a member.
    Status admit(const MirrorPtr& mirror);
    // What `call` answers for one that is no member, in its lane; without an answer within the
    // limit it has failed.
    Status ask(const MirrorPtr& mirror, const Call& call) const;
    // Those that failed since the last call.
    std::vector<MirrorPtr> take_failed();
    // What the record in force names; none while one of them has failed.
    std::vector<MirrorPtr> settled_members();

private:
    struct State {
        MirrorEpoch epoch;
        std::vector<MirrorPtr> members;
        // Named by the record in force, or by one proposed since.
        std::vector<MirrorPtr> named;
        std::vector<MirrorPtr> failed;
    };
    enum class Outcome { none_did, settled, unsettled };
    Outcome judge(std::span<const MirrorPtr> mirrors, std::span<const Status> answers);
    Status propose_locked();

    const Deps deps_;
    std::mutex change_mutex_;  // held while records are written; before state_
    Guarded<State> state_;
};

}  // namespace objstore
