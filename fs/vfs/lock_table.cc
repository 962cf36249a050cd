#include "fs/vfs/lock_table.h"

#include <algorithm>
#include <utility>

namespace fs {
namespace {

bool same_holder(const Lock& a, const Lock& b) {
    return a.owner == b.owner && a.kind == b.kind;
}

bool overlap(const Lock& a, const Lock& b) {
    return a.first <= b.last && b.first <= a.last;
}

// Whether b begins right after a.
bool follows(const Lock& a, const Lock& b) {
    return a.last != ~std::uint64_t{0} && a.last + 1 == b.first;
}

}  // namespace

const Lock* LockTable::conflicting(const File& file, const Lock& wanted) {
    const Lock* found = nullptr;
    for (const Lock& held : file.locks) {
        if (held.kind != wanted.kind || held.owner == wanted.owner) continue;
        if (!overlap(held, wanted)) continue;
        if (held.type == LockType::shared && wanted.type == LockType::shared) continue;
        if (found == nullptr || held.first < found->first) found = &held;
    }
    return found;
}

// The owner's locks in the range give way; what sticks out stays, and equal neighbours join.
void LockTable::apply(State& state, File& file, const Lock& wanted) {
    const std::size_t before = file.locks.size();
    Lock added = wanted;
    std::vector<Lock> kept;
    kept.reserve(before + 2);
    for (const Lock& held : file.locks) {
        if (!same_holder(held, wanted)) {
            kept.push_back(held);
            continue;
        }
        const bool same = held.type == added.type && held.handle == added.handle;
        if (same && (overlap(held, added) || follows(held, added) || follows(added, held))) {
            added.first = std::min(added.first, held.first);
            added.last = std::max(added.last, held.last);
            continue;
        }
        if (!overlap(held, wanted)) {
            kept.push_back(held);
            continue;
        }
        if (held.first < wanted.first) {
            kept.push_back(held);
            kept.back().last = wanted.first - 1;
        }
        if (held.last > wanted.last) {
            kept.push_back(held);
            kept.back().first = wanted.last + 1;
        }
    }
    if (wanted.type != LockType::unlock) kept.push_back(added);
    file.locks = std::move(kept);
    state.locks = state.locks - before + file.locks.size();
}

std::vector<LockGranted> LockTable::grant_waiting(State& state, InodeId inode) {
    std::vector<LockGranted> granted;
    const auto found = state.files.find(inode);
    if (found == state.files.end()) return granted;
    File& file = found->second;
    for (auto it = file.waiting.begin(); it != file.waiting.end();) {
        if (conflicting(file, it->lock) != nullptr) {
            ++it;
            continue;
        }
        apply(state, file, it->lock);
        granted.push_back(std::move(it->granted));
        state.waits.erase(it->id);
        it = file.waiting.erase(it);
    }
    if (file.locks.empty() && file.waiting.empty()) state.files.erase(found);
    return granted;
}

void LockTable::change(InodeId inode, const std::function<void(State&, File&)>& edit) {
    const auto granted = state_.with([&](State& state) {
        const auto found = state.files.find(inode);
        if (found == state.files.end()) return std::vector<LockGranted>();
        edit(state, found->second);
        return grant_waiting(state, inode);
    });
    for (const LockGranted& tell : granted) tell();
}

std::optional<Lock> LockTable::test(const Lock& wanted) const {
    return state_.with([&](const State& state) -> std::optional<Lock> {
        const auto found = state.files.find(wanted.inode);
        if (found == state.files.end()) return std::nullopt;
        const Lock* lock = conflicting(found->second, wanted);
        return lock == nullptr ? std::nullopt : std::optional(*lock);
    });
}

Status LockTable::set(const Lock& wanted) {
    ASSERT(wanted.first <= wanted.last);
    if (wanted.type == LockType::unlock) {
        change(wanted.inode, [&](State& state, File& file) { apply(state, file, wanted); });
        return {};
    }
    std::vector<LockGranted> granted;
    Status status = state_.with([&](State& state) -> Status {
        // A change splits one lock into three at most.
        if (state.locks + 2 > limits_.locks_max) return Status::no_space("too many locks");
        File& file = state.files[wanted.inode];
        if (conflicting(file, wanted) != nullptr) return Status::conflict("locked");
        apply(state, file, wanted);
        granted = grant_waiting(state, wanted.inode);  // A downgrade may let others in.
        return {};
    });
    for (const LockGranted& tell : granted) tell();
    return status;
}

Result<LockWait> LockTable::wait(const Lock& wanted, LockGranted granted) {
    ASSERT(wanted.first <= wanted.last);
    ASSERT(wanted.type != LockType::unlock);
    Status status = set(wanted);
    if (status.code() != objstore::Code::conflict) {
        if (!status.ok()) return status;
        return LockWait{0};
    }
    std::vector<LockGranted> others;
    auto id = state_.with([&](State& state) -> Result<LockWait> {
        if (state.waits.size() >= limits_.waits_max || state.locks + 2 > limits_.locks_max) {
            return Status::no_space("too many lock waits");
        }
        File& file = state.files[wanted.inode];
        if (conflicting(file, wanted) == nullptr) {  // Given up between the two looks.
            apply(state, file, wanted);
            return LockWait{0};
        }
        if (wanted.kind == LockKind::whole) {
            // As flock(2): a change of type gives up the old lock while it waits.
            Lock old = wanted;
            old.type = LockType::unlock;
            apply(state, file, old);
        }
        const LockWait wait = state.next_wait++;
        file.waiting.push_back({wait, wanted, std::move(granted)});
        state.waits.emplace(wait, wanted.inode);
        others = grant_waiting(state, wanted.inode);
        return wait;
    });
    for (const LockGranted& tell : others) tell();
    return id;
}

bool LockTable::cancel(LockWait wait) {
    return state_.with([&](State& state) {
        const auto found = state.waits.find(wait);
        if (found == state.waits.end()) return false;
        const auto file = state.files.find(found->second);
        ASSERT(file != state.files.end());
        std::erase_if(file->second.waiting, [&](const Waiting& w) { return w.id == wait; });
        state.waits.erase(found);
        if (file->second.locks.empty() && file->second.waiting.empty()) state.files.erase(file);
        return true;
    });
}

void LockTable::release_owner(InodeId inode, LockOwner owner, LockKind kind) {
    change(inode, [&](State& state, File& file) {
        state.locks -= std::erase_if(
            file.locks, [&](const Lock& held) { return held.owner == owner && held.kind == kind; });
    });
}

void LockTable::release_handle(InodeId inode, std::uint64_t handle) {
    change(inode, [&](State& state, File& file) {
        state.locks -=
            std::erase_if(file.locks, [&](const Lock& held) { return held.handle == handle; });
    });
}

std::size_t LockTable::lock_count() const {
    return state_.with([](const State& state) { return state.locks; });
}

}  // namespace fs
