#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "objstore/meta/connection.h"
#include "objstore/meta/row_reader.h"

namespace objstore {

// Read-only connections, made when first needed, each lent to one reader at a time and for short.
// Threads: any; pause to close are the writer's.
class ReaderPool final {
public:
    ReaderPool(Connection::Options options, std::size_t connections_max);
    ~ReaderPool();

    class Lease {
    public:
        Lease(ReaderPool& pool, std::unique_ptr<Connection> connection);
        ~Lease();
        Lease(Lease&& other) noexcept = default;
        Lease& operator=(Lease&&) = delete;
        Connection& connection() const { return *connection_; }

    private:
        ReaderPool* pool_;
        std::unique_ptr<Connection> connection_;  // null: moved away
    };
    // Waits for a connection. unavailable: the database is closed, or all are busy for long.
    Result<Lease> lease();

    // Waits until no lease is out, with new ones waiting. False: not within `wait_max`; then as
    // before.
    bool pause(std::chrono::milliseconds wait_max);
    // The same however long it takes, then closes the connections.
    void pause_and_close_all();
    void resume();
    // From now on, or until `resume`, leases are refused. No lease may be out.
    void refuse();

private:
    void give_back(std::unique_ptr<Connection> connection);

    const Connection::Options options_;
    const std::size_t connections_max_;
    // Not Guarded: waited for.
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::unique_ptr<Connection>> idle_;
    std::size_t lent_ = 0;
    bool paused_ = false;
    bool refusing_ = true;
};

// A read transaction: what is read from the connection while this lives is from one commit.
class Snapshot final {
public:
    explicit Snapshot(Connection& connection) : state_(connection, Sql::state) {}
    // Begins it. Returns the sequence of that commit.
    Result<std::uint64_t> begin();

private:
    Cursor state_;  // an unfinished statement keeps the transaction open
};

}  // namespace objstore
