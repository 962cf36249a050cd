#include "objstore/mirror/mirror_set.h"

#include <algorithm>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace objstore {

MirrorSet::MirrorSet(Deps deps, std::vector<MirrorPtr> members) : deps_(deps) {
    ASSERT(!members.empty());
    state_.with([&](State& state) {
        if (!deps_.records.is_new()) state.named = members;
        state.epoch = deps_.records.current().epoch;
        state.members = std::move(members);
    });
}

std::vector<MirrorPtr> MirrorSet::members() const {
    auto members = state_.with([](const State& state) { return state.members; });
    std::erase_if(members, [](const MirrorPtr& mirror) { return mirror->has_failed(); });
    return members;
}

MirrorEpoch MirrorSet::epoch() const {
    return state_.with([](const State& state) { return state.epoch; });
}

std::vector<Status> MirrorSet::on_each(const std::vector<MirrorPtr>& mirrors,
                                       const Call& call) const {
    if (mirrors.size() == 1) return {call(mirrors.front()->place())};
    const auto answers = std::make_shared<Answers>(mirrors.size());
    const auto shared_call = std::make_shared<const Call>(call);
    for (std::size_t i = 0; i < mirrors.size(); ++i) {
        mirrors[i]->writes().post([i, answers, shared_call, place = mirrors[i]->place()] {
            answers->give(i, (*shared_call)(place));
        });
    }
    return answers->wait(deps_.limit);
}

Status MirrorSet::settle(std::span<const MirrorPtr> mirrors, std::span<const Status> answers) {
    ASSERT(mirrors.size() == answers.size());
    std::size_t good = 0;
    for (std::size_t i = 0; i < answers.size(); ++i) {
        if (answers[i].ok() && mirrors[i]->is_member()) ++good;
    }
    if (good == 0) {
        // None of them may be left out for it. What all say is so.
        const auto first = std::ranges::find_if(answers, [](const Status& s) { return !s.ok(); });
        if (first == answers.end()) return Status::unavailable("no mirror is left");
        const bool all_say_so = std::ranges::all_of(answers, [&](const Status& status) {
            return status.code() == first->code() && status.why() == first->why();
        });
        if (all_say_so) return *first;
        return Status(Code::io_error, std::string(first->message()), Why::outcome_unknown);
    }
    for (std::size_t i = 0; i < answers.size(); ++i) {
        if (answers[i].ok() || mirrors[i]->has_failed()) continue;
        mirrors[i]->fail();
        deps_.log.error("namespace: the mirror on {} failed: {}",
                        describe(mirrors[i]->label()),
                        answers[i].message());
    }
    const bool settled = state_.with([](const State& state) {
        return std::ranges::none_of(state.named,
                                    [](const MirrorPtr& m) { return m->has_failed(); });
    });
    if (settled) return {};
    const std::lock_guard lock(change_mutex_);
    return propose_locked();
}

// The members that have not failed, in force.
Status MirrorSet::propose_locked() {
    std::vector<MirrorPtr> left = members();
    if (left.empty()) return Status::unavailable("no mirror is left");
    std::vector<MirrorEntry> entries;
    for (const MirrorPtr& mirror : left) entries.push_back(mirror->entry());
    // A mirror that fails from here on is found by the next who asks.
    state_.with([&](State& state) {
        for (const MirrorPtr& mirror : left) {
            if (std::ranges::count(state.named, mirror) == 0) state.named.push_back(mirror);
        }
    });
    TRY(deps_.records.propose(std::move(entries)));
    const MirrorEpoch epoch = deps_.records.current().epoch;
    state_.with([&](State& state) {
        state.members = state.named = left;
        state.epoch = epoch;
    });
    deps_.log.info(
        "namespace: {} mirrors in force as of {}.{}", left.size(), epoch.start, epoch.step);
    return {};
}

Status MirrorSet::publish() {
    const std::lock_guard lock(change_mutex_);
    return propose_locked();
}

Status MirrorSet::admit(const MirrorPtr& mirror) {
    const std::lock_guard lock(change_mutex_);
    state_.with([&](State& state) { state.members.push_back(mirror); });
    Status proposed = propose_locked();
    if (proposed.ok() && !mirror->has_failed()) mirror->admit();
    return proposed;
}

}  // namespace objstore
