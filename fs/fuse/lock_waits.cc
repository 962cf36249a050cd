#include "fs/fuse/lock_waits.h"

#include <cerrno>

#include "fs/fuse/errors.h"
#include "fs/fuse/session.h"

namespace fs {

void LockWaits::wait(fuse_req* req, const Lock& wanted) {
    const std::uint64_t id = state_.with([&](State& state) {
        state.table.emplace(state.next, Waiting{.req = req});
        return state.next++;
    });
    // Before waiting, since `req` is gone once it is answered. What libfuse keeps is a number, not
    // an address: it may call just after the answer. Called from in here it must not answer.
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    auto* const kept = reinterpret_cast<void*>(static_cast<std::uintptr_t>(id));
    fuse_req_interrupt_func(req, &LockWaits::on_interrupt, kept);
    const auto wait = vfs_.wait_lock(wanted, [this, id] { answer(id, 0); });
    if (!wait.ok()) {
        answer(id, errno_of(wait.error()));
    } else if (*wait == 0) {
        answer(id, 0);
    } else {
        waits_as(id, *wait);
    }
}

void LockWaits::on_interrupt(fuse_req* req, void* data) {
    session_of(req).locks.interrupt(reinterpret_cast<std::uintptr_t>(data));
}

void LockWaits::waits_as(std::uint64_t id, LockWait wait) {
    const bool interrupted = state_.with([&](State& state) {
        const auto found = state.table.find(id);
        if (found == state.table.end()) return false;  // Granted and answered already.
        found->second.wait = wait;
        return found->second.interrupted;
    });
    if (interrupted && vfs_.cancel_lock(wait)) answer(id, EINTR);
}

void LockWaits::interrupt(std::uint64_t id) {
    const LockWait wait = state_.with([&](State& state) -> LockWait {
        const auto found = state.table.find(id);
        if (found == state.table.end()) return 0;
        found->second.interrupted = true;
        return found->second.wait;
    });
    if (wait != 0 && vfs_.cancel_lock(wait)) answer(id, EINTR);
}

void LockWaits::answer(std::uint64_t id, int error) {
    fuse_req* const req = state_.with([&](State& state) -> fuse_req* {
        const auto found = state.table.find(id);
        if (found == state.table.end()) return nullptr;
        fuse_req* const waiting = found->second.req;
        state.table.erase(found);
        return waiting;
    });
    if (req != nullptr) fuse_reply_err(req, error);
}

void LockWaits::stop() {
    std::vector<std::uint64_t> ids;
    state_.with([&](const State& state) {
        for (const auto& [id, waiting] : state.table) ids.push_back(id);
    });
    for (const std::uint64_t id : ids) interrupt(id);
}

}  // namespace fs
