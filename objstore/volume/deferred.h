#pragma once

#include <functional>
#include <list>
#include <memory>

#include "objstore/base/executor.h"
#include "objstore/base/guarded.h"

namespace objstore {

// Work handed to an executor, which whoever needs its outcome does himself when no thread has begun
// it: so waiting for it never depends on a free thread. Its destructor waits. Threads: one at a
// time; different Deferreds are independent. The job must not wait for its own Deferred.
class Deferred final {
public:
    Deferred() = default;  // nothing to wait for
    // Not with a lock held: does the job at once when the executor takes no more.
    Deferred(Executor& executor, std::function<void()> job);
    Deferred(Deferred&& other) noexcept = default;
    Deferred& operator=(Deferred&& other) noexcept;
    ~Deferred();

    // The job has returned when this returns.
    void wait();
    bool done() const;

private:
    struct State;
    // Shared: the executor's copy may be looked at after the waiter did the job and went on.
    std::shared_ptr<State> state_;
};

// Jobs that go on after the call that began them. Its owner calls wait_all before anything that
// they use ends. Threads: any.
class Background final {
public:
    explicit Background(Executor& executor) : executor_(executor) {}
    ~Background() { wait_all(); }

    // Not with a lock held: may do the job at once.
    void run(std::function<void()> job);
    // Jobs started by jobs too. Not from a job.
    void wait_all();

private:
    Executor& executor_;
    Guarded<std::list<Deferred>> jobs_;
};

}  // namespace objstore
