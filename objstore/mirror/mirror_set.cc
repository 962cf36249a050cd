#include "objstore/mirror/mirror_set.h"

#include <algorithm>
#include <utility>

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
    if (mirrors.size() == 1 && mirrors.front()->writes().is_idle()) {
        return {call(mirrors.front()->place())};
    }
    const auto answers = std::make_shared<Answers>(mirrors.size());
    const auto shared_call = std::make_shared<const Call>(call);
    for (std::size_t i = 0; i < mirrors.size(); ++i) {
        mirrors[i]->writes().post([i, answers, shared_call, place = mirrors[i]->place()] {
            answers->give(i, (*shared_call)(place));
        });
    }
    return answers->wait(deps_.limit);
}

// At once, so that of two who judge each one's mirror not both are failed.
MirrorSet::Outcome MirrorSet::judge(std::span<const MirrorPtr> mirrors,
                                    std::span<const Status> answers) {
    return state_.with([&](State& state) {
        bool one_did = false;
        for (std::size_t i = 0; i < answers.size(); ++i) {
            one_did = one_did || (answers[i].ok() && mirrors[i]->is_member());
        }
        if (!one_did) return Outcome::none_did;
        for (std::size_t i = 0; i < answers.size(); ++i) {
            if (answers[i].ok() || mirrors[i]->has_failed()) continue;
            mirrors[i]->fail();
            state.failed.push_back(mirrors[i]);
            deps_.log.error("namespace: the mirror on {} failed: {}",
                            describe(mirrors[i]->label()),
                            answers[i].message());
        }
        const bool settled = std::ranges::none_of(
            state.named, [](const MirrorPtr& mirror) { return mirror->has_failed(); });
        return settled ? Outcome::settled : Outcome::unsettled;
    });
}

Status MirrorSet::settle(std::span<const MirrorPtr> mirrors, std::span<const Status> answers) {
    ASSERT(mirrors.size() == answers.size());
    switch (judge(mirrors, answers)) {
        case Outcome::settled:
            return {};
        case Outcome::unsettled: {
            const std::lock_guard lock(change_mutex_);
            return propose_locked();
        }
        case Outcome::none_did:
            break;
    }
    // None of them may be left out for it. What all say is so.
    const auto first = std::ranges::find_if(answers, [](const Status& s) { return !s.ok(); });
    if (first == answers.end()) return Status::unavailable("no mirror is left");
    const bool all_say_so = std::ranges::all_of(answers, [&](const Status& status) {
        return status.code() == first->code() && status.why() == first->why();
    });
    if (all_say_so) return *first;
    return Status(Code::io_error, std::string(first->message()), Why::outcome_unknown);
}

Status MirrorSet::ask(const MirrorPtr& mirror, const Call& call) const {
    const auto answers = std::make_shared<Answers>(1);
    mirror->writes().post(
        [answers, call, place = mirror->place()] { answers->give(0, call(place)); });
    Status answer = answers->wait(deps_.limit, true).front();
    if (answer.code() == Code::timed_out) mirror->fail();
    return answer;
}

std::vector<MirrorPtr> MirrorSet::take_failed() {
    return state_.with([](State& state) { return std::exchange(state.failed, {}); });
}

std::vector<MirrorPtr> MirrorSet::settled_members() {
    const std::lock_guard lock(change_mutex_);
    return state_.with([](const State& state) {
        const bool settled = std::ranges::none_of(
            state.named, [](const MirrorPtr& mirror) { return mirror->has_failed(); });
        return settled ? state.named : std::vector<MirrorPtr>();
    });
}

// The members that have not failed, in force.
Status MirrorSet::propose_locked() {
    const auto has_failed = [](const MirrorPtr& mirror) { return mirror->has_failed(); };
    std::vector<MirrorPtr> left;
    do {
        left = members();
        if (left.empty()) return Status::unavailable("no mirror is left");
        state_.with([&](State& state) {
            for (const MirrorPtr& mirror : left) {
                if (std::ranges::count(state.named, mirror) == 0) state.named.push_back(mirror);
            }
        });
        // Whoever failed one before it was named has passed it over; after that, nobody does.
    } while (std::ranges::any_of(left, has_failed));
    std::vector<MirrorEntry> entries;
    entries.reserve(left.size());
    for (const MirrorPtr& mirror : left) entries.push_back(mirror->entry());
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
