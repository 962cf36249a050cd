#include "objstore/mirror/lane.h"

#include <utility>

#include "objstore/base/named_thread.h"

namespace objstore {

namespace {

// The limit is counted in so many waits: a machine that stood still has lost but one of them.
constexpr int kWaits = 20;

}  // namespace

Lane::Lane(const char* name) : state_(std::make_shared<State>()) {
    thread_ = named_thread(name, [state = state_] { run(*state); });
}

Lane::~Lane() {
    std::unique_lock lock(state_->mutex);
    state_->stopping = true;
    state_->changed.notify_all();
    const bool done = state_->changed.wait_for(
        lock, kPatience, [&] { return state_->jobs.empty() && !state_->busy; });
    lock.unlock();
    if (done) {
        thread_.join();
    } else {
        thread_.detach();
    }
}

void Lane::post(std::function<void()> job) {
    const std::lock_guard lock(state_->mutex);
    ASSERT(!state_->stopping);
    state_->jobs.push_back(std::move(job));
    state_->changed.notify_all();
}

bool Lane::is_idle() const {
    const std::lock_guard lock(state_->mutex);
    return state_->jobs.empty() && !state_->busy;
}

void Lane::run(State& state) {
    std::unique_lock lock(state.mutex);
    for (;;) {
        state.changed.wait(lock, [&] { return !state.jobs.empty() || state.stopping; });
        if (state.jobs.empty()) return;
        {
            const std::function<void()> job = std::move(state.jobs.front());
            state.jobs.pop_front();
            state.busy = true;
            lock.unlock();
            job();
        }
        lock.lock();
        state.busy = false;
        if (state.stopping) state.changed.notify_all();
    }
}

void Answers::give(std::size_t index, Status answer, bool counts) {
    const std::lock_guard lock(mutex_);
    ASSERT(!given_.at(index).has_value());
    one_is_good_ = one_is_good_ || (counts && answer.ok());
    given_[index] = std::move(answer);
    if (++count_ == given_.size()) changed_.notify_all();
}

std::vector<Status> Answers::wait(std::chrono::nanoseconds limit, bool one_is_good) {
    std::unique_lock lock(mutex_);
    one_is_good_ = one_is_good_ || one_is_good;
    const auto all = [&] { return count_ == given_.size(); };
    for (int i = 0; !all() && (i < kWaits || !one_is_good_); ++i) {
        changed_.wait_for(lock, limit / kWaits, all);
    }
    std::vector<Status> answers;
    answers.reserve(given_.size());
    for (const auto& one : given_) {
        answers.push_back(one ? *one : Status::timed_out("does not answer"));
    }
    return answers;
}

}  // namespace objstore
