#include "objstore/meta/reader.h"

namespace objstore {

namespace {

constexpr auto kLeaseWaitMax = std::chrono::seconds(10);

}  // namespace

ReaderPool::ReaderPool(Connection::Options options, std::size_t connections_max)
    : options_(std::move(options)), connections_max_(connections_max) {
    ASSERT(connections_max > 0);
    ASSERT(options_.read_only);
}

ReaderPool::~ReaderPool() {
    ASSERT(lent_ == 0);
}

ReaderPool::Lease::Lease(ReaderPool& pool, std::unique_ptr<Connection> connection)
    : pool_(&pool), connection_(std::move(connection)) {}

ReaderPool::Lease::~Lease() {
    if (connection_ != nullptr) pool_->give_back(std::move(connection_));
}

Result<ReaderPool::Lease> ReaderPool::lease() {
    std::unique_ptr<Connection> connection;
    {
        std::unique_lock lock(mutex_);
        const bool ready = changed_.wait_for(lock, kLeaseWaitMax, [&] {
            return refusing_ || (!paused_ && lent_ < connections_max_);
        });
        if (!ready) return Status::unavailable("namespace: all readers are busy", Why::busy);
        if (refusing_) return Status::unavailable("namespace: the database is closed");
        ++lent_;
        if (!idle_.empty()) {
            connection = std::move(idle_.back());
            idle_.pop_back();
        }
    }
    if (connection == nullptr) {
        auto opened = Connection::open(options_);
        if (!opened.ok()) {
            give_back(nullptr);
            return std::move(opened).error();
        }
        connection = std::move(opened).value();
    }
    return Lease(*this, std::move(connection));
}

void ReaderPool::give_back(std::unique_ptr<Connection> connection) {
    {
        const std::lock_guard lock(mutex_);
        ASSERT(lent_ > 0);
        --lent_;
        if (connection != nullptr) idle_.push_back(std::move(connection));
    }
    // All: readers and a writer that pauses wait for different things.
    changed_.notify_all();
}

bool ReaderPool::pause(std::chrono::milliseconds wait_max) {
    std::unique_lock lock(mutex_);
    paused_ = true;
    if (changed_.wait_for(lock, wait_max, [&] { return lent_ == 0; })) return true;
    paused_ = false;
    lock.unlock();
    changed_.notify_all();
    return false;
}

void ReaderPool::pause_and_close_all() {
    std::unique_lock lock(mutex_);
    paused_ = true;
    changed_.wait(lock, [&] { return lent_ == 0; });
    const std::vector<std::unique_ptr<Connection>> closing = std::move(idle_);
    idle_.clear();
    lock.unlock();
}

void ReaderPool::resume() {
    {
        const std::lock_guard lock(mutex_);
        paused_ = false;
        refusing_ = false;
    }
    changed_.notify_all();
}

void ReaderPool::refuse() {
    {
        const std::lock_guard lock(mutex_);
        ASSERT(lent_ == 0);
        refusing_ = true;
        paused_ = false;
    }
    changed_.notify_all();
}

Result<std::uint64_t> Snapshot::begin() {
    TRY_ASSIGN(const bool found, state_.next());
    if (!found) return Status::corruption("namespace: no state row");
    return state_.number(0);
}

}  // namespace objstore
