#include "objstore/meta/writer.h"

#include <algorithm>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "objstore/base/named_thread.h"
#include "objstore/meta/schema.h"

namespace objstore {

namespace {

// The limit of ids in the database is moved up by a block, durably, when half a block is left. So
// every id that anybody has seen is below a durable limit, and none is given again after a crash.
constexpr std::uint64_t kIdBlock = 65'536;

constexpr auto kReopenEvery = std::chrono::seconds(1);
constexpr auto kReadersWaitMax = std::chrono::milliseconds(2000);

std::size_t weight_of(const NewContent& content) {
    std::size_t bytes = content.extents.size() * sizeof(Extent);
    for (const NewContent::Inline& data : content.inlines) bytes += data.bytes.size();
    return bytes;
}

std::size_t weight_of(const Inode& inode) {
    std::size_t bytes = inode.target.size();
    for (const auto& [name, value] : inode.headers) bytes += name.size() + value.size();
    return bytes;
}

struct Weigh {
    std::size_t operator()(const PutObjectOp& op) const {
        return op.key.size() + weight_of(op.inode) + weight_of(op.content) +
               op.clones.size() * sizeof(CloneRange);
    }
    std::size_t operator()(const PutPartOp& op) const {
        return weight_of(op.content) + op.clones.size() * sizeof(CloneRange);
    }
    std::size_t operator()(const CompleteUploadOp& op) const {
        return op.key.size() + weight_of(op.inode) + op.parts.size() * sizeof(op.parts[0]);
    }
    std::size_t operator()(const WriteOp& op) const {
        return weight_of(op.content) + op.clones.size() * sizeof(CloneRange);
    }
    std::size_t operator()(const CreateOp& op) const {
        return op.name.size() + weight_of(op.inode);
    }
    std::size_t operator()(const SetXattrOp& op) const { return op.xattr.value.size(); }
    std::size_t operator()(const PackInlineOp& op) const {
        return op.extents.size() * sizeof(Extent);
    }
    template <typename Other>
    std::size_t operator()(const Other&) const {
        return 0;
    }
};

TxnResult refused(Status status) {
    TxnResult result;
    result.status = std::move(status);
    return result;
}

}  // namespace

std::size_t weight_of(const Txn& txn) {
    std::size_t bytes = sizeof(Txn);
    for (const Op& op : txn.ops) bytes += sizeof(Op) + std::visit(Weigh(), op);
    return bytes;
}

Writer::Writer(WriterOptions options, Deps deps) : options_(options), deps_(std::move(deps)) {}

Writer::~Writer() {
    const Status stopped = stop();
    if (!stopped.ok()) deps_.log.error("namespace: stop: {}", stopped.message());
}

Status Writer::start(bool create) {
    const std::lock_guard stop_lock(stop_mutex_);
    ASSERT(!thread_.joinable());
    TRY(open_session(create));
    deps_.readers.resume();
    queue_.open = true;
    thread_ = named_thread("namespace", [this] { run(); });
    return {};
}

void Writer::submit(Txn txn, Completion done) {
    ASSERT(done != nullptr);
    const std::size_t bytes = weight_of(txn);
    Status refusal;
    {
        const std::lock_guard lock(mutex_);
        if (!queue_.open) {
            refusal = Status::unavailable("namespace: stopped");
        } else if (queue_.items.size() >= options_.queue_txns_max ||
                   queue_.bytes >= options_.queue_bytes_max) {
            refusal = Status::unavailable("namespace: too many changes are waiting", Why::busy);
        } else {
            queue_.bytes += bytes;
            queue_.items.push_back({std::move(txn), std::move(done), bytes});
            if (queue_.waiting) ready_.notify_one();
        }
    }
    // NOLINTNEXTLINE(bugprone-use-after-move): what is refused was not moved
    if (!refusal.ok()) done(refused(std::move(refusal)));
}

Status Writer::stop() {
    const std::lock_guard stop_lock(stop_mutex_);
    {
        const std::lock_guard lock(mutex_);
        queue_.open = false;
        ready_.notify_one();
    }
    if (thread_.joinable()) thread_.join();
    return stop_status_;
}

void Writer::run() {
    for (;;) {
        std::vector<Item> batch;
        const Wake wake = wait_for_work(batch);
        if (wake == Wake::stop) break;
        process(std::move(batch), wake == Wake::sync);
    }
    stop_status_ = close_for_good();
}

// Waits for something to do: Txns, or commits that are due to be synced, or a closed database that
// is worth another try.
Writer::Wake Writer::wait_for_work(std::vector<Item>& batch) {
    const bool open = session_.connection != nullptr;
    const auto overdue = deps_.clock.steady() - unsynced_since_;
    std::unique_lock lock(mutex_);
    const auto has_work = [&] { return !queue_.items.empty() || !queue_.open; };
    queue_.waiting = true;
    bool timed_out = false;
    if (!open) {
        timed_out = !ready_.wait_for(lock, kReopenEvery, has_work);
    } else if (unsynced_) {
        timed_out = !ready_.wait_for(lock, options_.sync_interval - overdue, has_work);
    } else {
        ready_.wait(lock, has_work);
    }
    queue_.waiting = false;
    if (timed_out) return Wake::sync;
    if (queue_.items.empty()) return Wake::stop;
    take_batch(batch);
    // A stream of batches that need not be durable must not put the sync off for ever.
    return unsynced_ && overdue >= options_.sync_interval ? Wake::sync : Wake::batch;
}

void Writer::take_batch(std::vector<Item>& batch) {
    std::size_t bytes = 0;
    while (!queue_.items.empty() && batch.size() < options_.batch_txns_max &&
           (batch.empty() || bytes < options_.batch_bytes_max)) {
        bytes += queue_.items.front().bytes;
        batch.push_back(std::move(queue_.items.front()));
        queue_.items.pop_front();
    }
    queue_.bytes -= bytes;
}

Status Writer::open_session(bool create) {
    Session session;
    Connection::Options options = deps_.connection;
    options.create = create;
    TRY_ASSIGN(session.connection, Connection::open(options));
    Connection& connection = *session.connection;
    TRY(open_schema(connection, {deps_.clock.now(), deps_.deployment, create}));
    TRY(connection.execute("PRAGMA synchronous=FULL"));
    durable_mode_ = true;
    const RowReader rows(connection);
    TRY(deps_.resident.load(rows));
    // No number is given to two commits, not even when those that others have seen were lost.
    const std::uint64_t sequence_before = state_.sequence;
    TRY_ASSIGN(state_, rows.state());
    recovered_ = state_.sequence;
    // Ids of a block that was in use are not given again, whether or not they were used.
    deps_.ids.restart(std::max(deps_.ids.given(), state_.id_limit));
    deps_.caches.clear(recovered_);
    deps_.published.set(recovered_);
    deps_.durable.lose(recovered_ + 1, sequence_before);
    state_.sequence = std::max(recovered_, sequence_before);
    session.overlay = std::make_unique<Overlay>(Overlay::Deps{connection,
                                                              deps_.caches,
                                                              deps_.resident,
                                                              deps_.holds,
                                                              deps_.recent,
                                                              deps_.ids,
                                                              deps_.clock});
    session_ = std::move(session);
    in_doubt_ = false;
    // What recovery found in the log may not be durable: it is so within the interval.
    unsynced_ = true;
    unsynced_since_ = deps_.clock.steady();
    // Makes room: the next commit begins the log anew. A full disk must not keep readers out.
    checkpointed_at_ = 0;
    Status status = session_.connection->checkpoint(false).error();
    read_only_ = status.why() == Why::read_only;
    if (read_only_) unsynced_ = false;
    if (status.ok() || status.code() == Code::no_space || read_only_) return {};
    close_session();
    return status;
}

void Writer::close_session() {
    session_.overlay.reset();
    session_.connection.reset();
}

// All connections are closed first: only then does the database forget what a failed sync left in
// doubt, and recover from what is on the disk.
bool Writer::reopen() {
    deps_.readers.pause_and_close_all();
    close_session();
    const Status status = open_session(false);
    if (!status.ok()) {
        if (!cannot_open_) {
            deps_.log.error("namespace: cannot be opened again: {}", status.message());
        }
        cannot_open_ = true;
        deps_.readers.refuse();
        return false;
    }
    cannot_open_ = false;
    deps_.log.warn("namespace: opened again at commit {}", state_.sequence);
    deps_.readers.resume();
    return true;
}

Status Writer::begin(bool durable) {
    Connection& connection = *session_.connection;
    if (durable != durable_mode_) {
        TRY(connection.execute(durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL"));
        durable_mode_ = durable;
    }
    return Cursor(connection, Sql::begin).run();
}

// SQLite's transaction may have ended when the Txn has failed.
TxnResult Writer::run_txn(Txn& txn) {
    Overlay& overlay = *session_.overlay;
    TxnResult result;
    result.results.reserve(txn.ops.size());
    overlay.begin_txn();
    for (const Op& op : txn.ops) {
        if (const auto* prune = std::get_if<PruneOp>(&op)) overlay.forget_prune(prune->directory);
        result.status = apply(op, overlay, result.results.emplace_back());
        if (result.status.ok()) result.status = overlay.problem();
        if (!result.status.ok()) break;
    }
    if (result.status.ok() && !session_.connection->in_transaction()) {
        result.status = Status::io_error("namespace: a read failed");
    }
    if (result.status.ok()) {
        result.changes = overlay.changes();
        overlay.keep();
    } else {
        overlay.drop();
    }
    return result;
}

void Writer::process(std::vector<Item> batch, bool sync) {
    if (session_.connection == nullptr) reopen();
    // Without Txns there is still a sync to do.
    if (batch.empty()) run_some(batch, sync);
    run_all(batch, sync);
}

void Writer::run_all(std::span<Item> items, bool sync) {
    while (!items.empty()) {
        items = items.subspan(run_some(items, sync));
        if (session_.connection != nullptr && !read_only_) checkpoint();
    }
}

bool Writer::is_durable(std::span<const Item> items, bool sync) const {
    if (sync || options_.sync_interval.count() == 0) return true;
    if (deps_.ids.given() + kIdBlock / 2 > state_.id_limit) return true;
    return std::any_of(
        items.begin(), items.end(), [](const Item& item) { return item.txn.durable; });
}

// Runs Txns in one transaction and answers them. Returns how many.
std::size_t Writer::run_some(std::span<Item> items, bool sync) {
    const bool durable = is_durable(items, sync);
    std::vector<TxnResult> results;
    Status status;
    if (session_.connection == nullptr) {
        status = Status::unavailable("namespace: the database cannot be opened");
        results.resize(items.size());
    }
    if (read_only_) {
        status = Status::unavailable("namespace: too few disks are left to write", Why::read_only);
        results.resize(items.size());
    }
    if (status.ok()) status = begin(durable);
    if (status.ok()) {
        status = run_txns(items, durable, results);
        status = finish(std::move(status), durable);
    }
    if (!results.empty()) items = items.first(results.size());
    // A row that can not be written, as where a page beside it is rotten, is looked for by halves.
    const bool unreadable = status.code() == Code::corruption || status.code() == Code::io_error;
    if (unreadable && status.why() != Why::outcome_unknown && items.size() > 1) {
        const std::size_t half = items.size() / 2;
        run_all(items.first(half), sync);
        run_all(items.subspan(half), sync);
        return items.size();
    }
    // After a failed commit no answer holds, not even a refusal: it may rest on a change of the
    // same batch that is not there.
    results.resize(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
        results[i].sequence = state_.sequence;
        items[i].done(status.ok() ? std::move(results[i]) : refused(status));
    }
    return items.size();
}

// As many as a batch may have, one at least.
Status Writer::run_txns(std::span<Item> items, bool durable, std::vector<TxnResult>& results) {
    results.reserve(items.size());
    for (Item& item : items) {
        results.push_back(run_txn(item.txn));
        // The changes of those before are still in memory alone, and nobody else writes: they go
        // on in another transaction as if nothing had happened.
        if (!session_.connection->in_transaction()) TRY(begin(durable));
        if (session_.overlay->row_count() >= options_.batch_rows_max) break;
    }
    return {};
}

Status Writer::roll_back() {
    if (!session_.connection->in_transaction()) return {};
    return Cursor(*session_.connection, Sql::rollback).run();
}

// Ends the batch's transaction: if `status` is ok, commits what it changed and shows it to readers.
Status Writer::finish(Status status, bool durable) {
    Overlay& overlay = *session_.overlay;
    if (status.ok() && (overlay.dirty() || (durable && unsynced_))) {
        status = commit(durable);
    } else {
        const Status rolled_back = roll_back();
        if (status.ok()) status = rolled_back;
        in_doubt_ = !rolled_back.ok();
    }
    if (in_doubt_ || (session_.connection->broken() && !status.ok())) {
        status = after_failed_commit(std::move(status));
    } else if (session_.connection->broken()) {
        reopen();
    }
    if (session_.overlay != nullptr) session_.overlay->clear();
    deps_.holds.lift_bars();
    return status;
}

Status Writer::commit(bool durable) {
    Connection& connection = *session_.connection;
    // Each row would be a commit of its own.
    if (!connection.in_transaction()) return Status::io_error("namespace: no transaction");
    MetaStore::Totals totals;
    Status status = session_.overlay->flush(totals);
    StateRow next = state_;
    ++next.sequence;
    next.inodes = totals.inodes;
    if (deps_.ids.given() + kIdBlock / 2 > next.id_limit) {
        next.id_limit = deps_.ids.given() + kIdBlock;
    }
    if (status.ok()) status = RowWriter(connection).put_state(next);
    if (!status.ok()) {
        // Nothing has happened, if the transaction can be taken back.
        in_doubt_ = !roll_back().ok();
        return status;
    }
    status = Cursor(connection, Sql::commit).run();
    in_doubt_ = !status.ok();
    TRY(std::move(status));

    state_ = next;
    if (durable) {
        unsynced_ = false;
        deps_.durable.reach(state_.sequence);
    } else if (!unsynced_) {
        unsynced_ = true;
        unsynced_since_ = deps_.clock.steady();
    }
    session_.overlay->publish(state_.sequence, totals);
    deps_.published.set(state_.sequence);
    return {};
}

Status Writer::after_failed_commit(Status status) {
    const std::uint64_t sequence = state_.sequence + 1;
    deps_.log.error("namespace: commit {} failed: {}", sequence, status.message());
    const bool open = reopen();
    // Once the log was recovered without it, it can not happen any more. Only a full disk is told
    // so exactly: the caller can do something about it.
    if (open && recovered_ < sequence && status.code() == Code::no_space) return status;
    return Status::io_error(fmt::format("namespace: commit failed: {}", status.message()),
                            Why::outcome_unknown);
}

void Writer::checkpoint() {
    Connection& connection = *session_.connection;
    const int pages = connection.wal_pages();
    if (pages < checkpointed_at_) checkpointed_at_ = 0;  // the log began anew
    if (pages < options_.checkpoint_pages ||
        pages < checkpointed_at_ + options_.checkpoint_pages / 2) {
        return;
    }
    checkpointed_at_ = pages;
    // Readers that come one upon another can keep the log from ever beginning anew.
    const bool full = pages >= options_.wal_pages_max && deps_.readers.pause(kReadersWaitMax);
    const Status status = connection.checkpoint(full).error();
    if (full) deps_.readers.resume();
    if (status.ok()) return;
    deps_.log.error("namespace: {}", status.message());
    // Without space everything is as before. After any other error a sync may have failed.
    if (status.code() != Code::no_space) reopen();
}

Status Writer::close_for_good() {
    Status status;
    if (session_.connection == nullptr) {
        status = Status::unavailable("namespace: the database was closed after an error");
    }
    if (status.ok() && unsynced_) {
        status = begin(true);
        if (status.ok()) status = finish({}, true);
    }
    deps_.readers.pause_and_close_all();
    deps_.readers.refuse();
    // What it copies the next start need not. The log stays: a start compares those of all mirrors.
    if (status.ok() && !read_only_) status = session_.connection->checkpoint(true).error();
    close_session();
    return status;
}

}  // namespace objstore
