#include "objstore/volume/deferred.h"

namespace objstore {

struct Deferred::State {
    enum class Phase : unsigned char { waiting, running, done };

    std::mutex mutex;
    std::condition_variable finished;
    Phase phase = Phase::waiting;
    std::function<void()> job;

    // Does the job unless somebody else has begun it.
    void run() {
        {
            const std::lock_guard lock(mutex);
            if (phase != Phase::waiting) return;
            phase = Phase::running;
        }
        job();
        job = nullptr;
        const std::lock_guard lock(mutex);
        phase = Phase::done;
        finished.notify_all();
    }
};

Deferred::Deferred(Executor& executor, std::function<void()> job)
    : state_(std::make_shared<State>()) {
    state_->job = std::move(job);
    // A full queue is no error: then the job is done here.
    if (!executor.post([state = state_] { state->run(); })) state_->run();
}

Deferred& Deferred::operator=(Deferred&& other) noexcept {
    if (this == &other) return *this;
    wait();
    state_ = std::move(other.state_);
    return *this;
}

Deferred::~Deferred() {
    wait();
}

void Deferred::wait() {
    if (state_ == nullptr) return;
    state_->run();
    std::unique_lock lock(state_->mutex);
    state_->finished.wait(lock, [&] { return state_->phase == State::Phase::done; });
    lock.unlock();
    state_.reset();
}

bool Deferred::done() const {
    if (state_ == nullptr) return true;
    const std::lock_guard lock(state_->mutex);
    return state_->phase == State::Phase::done;
}

void Background::run(std::function<void()> job) {
    Deferred deferred(executor_, std::move(job));
    jobs_.with([&](std::list<Deferred>& jobs) {
        jobs.remove_if([](const Deferred& d) { return d.done(); });
        jobs.push_back(std::move(deferred));
    });
}

void Background::wait_all() {
    while (true) {
        std::list<Deferred> jobs;
        jobs_.with([&](std::list<Deferred>& all) { jobs.swap(all); });
        if (jobs.empty()) return;
        for (Deferred& job : jobs) job.wait();
    }
}

}  // namespace objstore
