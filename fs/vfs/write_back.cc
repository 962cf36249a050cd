#include "fs/vfs/write_back.h"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "objstore/base/named_thread.h"
#include "objstore/meta/extent_steps.h"

namespace fs {

using objstore::CallOptions;
using objstore::OpResult;
using objstore::WriteOp;
using objstore::WritePiece;

namespace {

// What one write takes from the budget at a time.
constexpr std::size_t kWriteBytesMax = objstore::kMiB;
// Runs from here on get stripes of their own, shorter ones share them.
constexpr std::size_t kLongRunBytes = objstore::kMiB;

}  // namespace

WriteBack::WriteBack(Options options, Deps deps)
    : options_(options), deps_(deps), budget_(options.total_bytes_max) {
    ASSERT(options.total_bytes_max >= kWriteBytesMax);
    ASSERT(options.threads > 0);
    for (std::size_t i = 0; i < options.threads; ++i) {
        threads_.push_back(objstore::named_thread("write-back", [this] { run(); }));
    }
}

WriteBack::~WriteBack() {
    if (Status status = stop(); !status.ok()) {
        deps_.log.error("event=write_back_stop error=\"{}\"", status.message());
    }
}

// ---- gathering

// A node's size is learnt before its first write and kept from then on: every change of it passes
// here, so none can come between what the namespace says and what is noted.
Status WriteBack::learn_size(Node& node) {
    if (node.state.with([](const Node::State& state) { return state.size_known; })) return {};
    TRY_ASSIGN(const objstore::InodePtr inode, deps_.engine.names().getattr(node.inode));
    node.state.with([&](Node::State& state) {
        if (state.size_known) return;
        state.size_known = true;
        state.size = std::max({inode->size, state.active.end(), state.flight.end()});
    });
    return {};
}

Result<WriteBack::Written> WriteBack::write(const NodeRef& node,
                                            const WriteArgs& args,
                                            Bytes bytes) {
    TRY(learn_size(*node));
    WriteArgs rest = args;
    std::optional<Written> all;
    while (!bytes.empty()) {
        const Bytes some = bytes.first(std::min(bytes.size(), kWriteBytesMax));
        TRY_ASSIGN(const Written written, write_some(node, rest, some));
        if (!all) all = written;
        all->size_after = written.size_after;
        all->written_after = written.written_after;
        rest.offset = written.offset + some.size();
        rest.append = false;
        bytes = bytes.subspan(some.size());
    }
    return all.value_or(Written{.offset = args.offset});
}

Result<WriteBack::Written> WriteBack::write_some(const NodeRef& node,
                                                 const WriteArgs& args,
                                                 Bytes bytes) {
    take_room(bytes.size());
    std::size_t grown = 0;
    bool queue = false, urgent = false, full = false;
    auto written = node->state.with([&](Node::State& state) -> Result<Written> {
        Written w;
        w.offset = args.append ? state.size : args.offset;
        if (w.offset > kFileBytesMax - bytes.size()) {
            return Status::invalid_argument("a file has 2^63 - 1 bytes at most",
                                            objstore::Why::too_large);
        }
        w.size_before = state.size;
        w.failures = state.failures;
        w.written_before = node->dirty ? state.written_at : 0;
        grown = state.active.write(w.offset, bytes);
        state.size = std::max(state.size, w.offset + bytes.size());
        state.written_at = deps_.clock.now();
        state.foreign |= args.door != Door::fuse;
        node->dirty = true;
        w.size_after = state.size;
        w.written_after = state.written_at;
        const bool much = state.active.size_bytes() >= options_.flush_bytes ||
                          state.active.run_count() >= options_.runs_max;
        urgent = much && !std::exchange(state.urgent, state.urgent || much);
        queue = !std::exchange(state.queued, true);
        full = state.waiting_bytes() >= options_.file_bytes_max || in_trouble_;
        return w;
    });
    budget_.give_back(bytes.size() - grown);
    if (!written.ok()) return written;
    if (queue) full |= !queue_flush(node, false);
    if (urgent) full |= !queue_flush(node, true);
    if (full) TRY(flush(*node, written->failures));
    return written;
}

void WriteBack::take_room(std::size_t bytes) {
    if (budget_.try_take(bytes)) return;
    {
        const std::lock_guard lock(mutex_);
        ++pressed_;
    }
    wake_.notify_all();
    budget_.take(bytes);
    const std::lock_guard lock(mutex_);
    --pressed_;
}

// False: the flushers have gone home.
bool WriteBack::queue_flush(const NodeRef& node, bool urgent) {
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) return false;
        if (urgent) {
            urgent_.push_back(node.share());
        } else {
            queue_.push_back({deps_.clock.steady() + options_.flush_after, node.share()});
        }
    }
    wake_.notify_one();
    return true;
}

// ---- looking

Result<std::size_t> WriteBack::read(Node& node, std::uint64_t offset, MutableBytes out) {
    if (!node.dirty) return deps_.engine.read(node.inode, offset, out);
    std::vector<Range> gaps;
    std::size_t size = 0;
    // The bytes that wait are copied first: should they be stored meanwhile, the rest is the same.
    node.state.with([&](const Node::State& state) {
        if (offset >= state.size) return;
        size = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), state.size - offset));
        for (const Range& gap : state.active.read({offset, offset + size}, out)) {
            const auto below = state.flight.read(gap, out.subspan(gap.from - offset));
            gaps.insert(gaps.end(), below.begin(), below.end());
        }
    });
    for (const Range& gap : gaps) {
        const MutableBytes part = out.subspan(gap.from - offset, gap.to - gap.from);
        TRY_ASSIGN(const std::size_t got, deps_.engine.read(node.inode, gap.from, part));
        std::fill(part.begin() + static_cast<std::ptrdiff_t>(got), part.end(), std::byte{0});
    }
    return size;
}

std::optional<std::size_t> WriteBack::try_read(Node& node, std::uint64_t offset, MutableBytes out) {
    if (node.dirty) return std::nullopt;
    return deps_.engine.try_read(node.inode, offset, out);
}

void WriteBack::overlay(Node& node, Attributes& attributes) {
    if (!node.dirty) return;
    node.state.with([&](const Node::State& state) {
        if (state.waiting_bytes() == 0) return;
        attributes.size = state.size;
        attributes.mtime = state.written_at;
        attributes.ctime = std::max(attributes.ctime, state.written_at);
        attributes.used_bytes = std::min(attributes.used_bytes + state.waiting_bytes(),
                                         std::max(attributes.used_bytes, attributes.size));
        attributes.change += 1;
    });
}

// ---- storing

Status WriteBack::flush(Node& node) {
    if (!node.dirty) return {};
    const auto count = [](const Node::State& state) { return state.failures; };
    return flush(node, node.state.with(count));
}

// The bytes may have gone with another's flush, which alone would hear that it failed.
Status WriteBack::flush(Node& node, std::uint64_t failures) {
    if (node.dirty) {
        const std::lock_guard lock(node.flush_mutex);
        (void)flush_locked(node);  // Counted in the node if it fails.
    }
    return node.state.with([&](const Node::State& state) {
        return state.failures == failures ? Status() : state.failure;
    });
}

Status WriteBack::flush_locked(Node& node) {
    WriteOp op;
    CallOptions options;
    const bool anything = node.state.with([&](Node::State& state) {
        ASSERT(state.flight.empty());
        if (state.active.empty()) return false;
        std::swap(state.flight, state.active);
        op.inode = node.inode;
        op.time = state.written_at;
        op.size_at_least = state.size;
        options.door = std::exchange(state.foreign, false) ? Door::nfs : Door::fuse;
        return true;
    });
    if (!anything) return {};
    Status status = store(node, op, options);
    land(node, status);
    return status;
}

// Long runs first: the last call, which is the durable one, ends what came before.
Status WriteBack::store(Node& node, WriteOp op, CallOptions options) {
    std::vector<WritePiece> runs =
        node.state.with([](const Node::State& state) { return state.flight.pieces(); });
    const auto is_short = [](const WritePiece& run) { return run.bytes.size() < kLongRunBytes; };
    const auto middle = std::stable_partition(runs.begin(), runs.end(), std::not_fn(is_short));
    const std::span short_runs(middle, runs.end());
    for (auto run = runs.begin(); run != middle; ++run) {
        options.durable = short_runs.empty() && std::next(run) == middle;
        TRY(store_run(*run, op, options));
    }
    options.durable = true;
    if (short_runs.empty()) return {};
    TRY(deps_.engine.write(std::move(op), short_runs, options).error());
    return {};
}

Status WriteBack::store_run(const WritePiece& run, WriteOp op, CallOptions options) {
    TRY_ASSIGN(const auto inode, deps_.engine.names().getattr(op.inode));
    const objstore::Owner owner{op.inode, inode->generation + 1, run.offset};
    auto content = deps_.engine.new_content(owner, run.bytes.size());
    TRY(content->write(run.bytes));
    return deps_.engine.write_content(std::move(op), std::move(content), options).error();
}

// The flight is over: its bytes are stored, or lost.
void WriteBack::land(Node& node, Status outcome) {
    std::optional<std::uint64_t> stored_size;
    in_trouble_ = !outcome.ok();
    if (!outcome.ok()) {
        ++failures_;
        const auto inode = deps_.engine.names().getattr(node.inode);
        if (inode.ok()) stored_size = (*inode)->size;
    }
    const std::size_t bytes = node.state.with([&](Node::State& state) {
        const std::size_t landed = state.flight.size_bytes();
        state.flight = DirtyRanges();
        if (!outcome.ok()) {
            ++state.failures;
            state.failure = std::move(outcome);
            state.size_known = stored_size.has_value();  // Else the next writer asks again.
            if (stored_size) state.size = std::max(*stored_size, state.active.end());
        }
        node.dirty = !state.active.empty();
        return landed;
    });
    budget_.give_back(bytes);
}

Status WriteBack::flush_all() {
    std::vector<NodeRef> nodes;
    {
        const std::lock_guard lock(mutex_);
        for (const Due& due : queue_) nodes.push_back(due.node.share());
    }
    Status first;
    for (const NodeRef& node : nodes) {
        Status status = flush(*node);
        if (status.ok()) continue;
        log_failure(*node, status);
        if (first.ok()) first = std::move(status);
    }
    return first;
}

void WriteBack::log_failure(const Node& node, const Status& status) {
    deps_.log.error("event=write_back_failed inode={} error=\"{}\"", node.inode, status.message());
}

// ---- the flusher threads

void WriteBack::run() {
    std::unique_lock lock(mutex_);
    while (true) {
        if (!urgent_.empty()) {
            flush_urgent(lock);
            continue;
        }
        if (const auto due = find_due(); due != queue_.end()) {
            flush_due(lock, due);
            continue;
        }
        if (stopping_) return;
        const auto next =
            std::find_if(queue_.begin(), queue_.end(), [](const Due& d) { return !d.busy; });
        if (next == queue_.end()) {
            wake_.wait(lock);
        } else {
            wake_.wait_for(lock, next->at - deps_.clock.steady());
        }
    }
}

WriteBack::Queue::iterator WriteBack::find_due() {
    const std::chrono::nanoseconds now = deps_.clock.steady();
    const bool all = stopping_ || pressed_ > 0;
    return std::find_if(queue_.begin(), queue_.end(), [&](const Due& due) {
        return !due.busy && (all || due.at <= now);
    });
}

void WriteBack::flush_urgent(std::unique_lock<std::mutex>& lock) {
    NodeRef node = std::move(urgent_.front());
    urgent_.pop_front();
    lock.unlock();
    node->state.with([](Node::State& state) { state.urgent = false; });
    flush_in_background(*node);
    node = NodeRef();  // Perhaps the last one, which releases the inode: no work under a lock.
    lock.lock();
}

void WriteBack::flush_due(std::unique_lock<std::mutex>& lock, Queue::iterator due) {
    due->busy = true;
    lock.unlock();
    Node& node = *due->node;
    flush_in_background(node);
    const bool again = node.state.with([](Node::State& state) {
        state.queued = !state.active.empty();
        return state.queued;
    });
    Queue done;
    lock.lock();
    if (again) {
        due->busy = false;
        due->at = deps_.clock.steady() + options_.flush_after;
        queue_.splice(queue_.end(), queue_, due);
        return;
    }
    done.splice(done.end(), queue_, due);
    lock.unlock();
    done.clear();
    lock.lock();
}

void WriteBack::flush_in_background(Node& node) {
    if (Status status = flush(node); !status.ok()) log_failure(node, status);
}

Status WriteBack::stop() {
    const std::uint64_t failures = failures_;
    Status status = flush_all();
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) {
        if (thread.joinable()) thread.join();
    }
    if (!status.ok() || failures_ == failures) return status;
    return Status::io_error("written bytes could not be stored");
}

// ---- changes of stored content

Result<OpResult> WriteBack::truncate(Node& node, objstore::TruncateOp op, CallOptions options) {
    const std::lock_guard lock(node.flush_mutex);
    // Where to cut on the way, from the front.
    std::vector<std::uint64_t> steps;
    for (std::uint64_t at = op.size;;) {
        TRY_ASSIGN(at,
                   objstore::step_end(deps_.engine.names(), op.inode, {at, DirtyRanges::kNone}));
        if (at == DirtyRanges::kNone) break;
        steps.push_back(at);
    }
    for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
        objstore::TruncateOp part = op;
        part.size = *step;
        TRY(cut(node, part, {.door = options.door, .durable = false}).error());
    }
    return cut(node, op, options);
}

Result<OpResult> WriteBack::cut(Node& node, const objstore::TruncateOp& op, CallOptions options) {
    TRY_ASSIGN(OpResult result, deps_.engine.apply(op, options));
    // Bytes behind the new end need not be stored first. Who writes at this moment comes before.
    const std::size_t dropped = node.state.with([&](Node::State& state) {
        const std::size_t bytes = state.active.forget({op.size, DirtyRanges::kNone});
        state.size_known = true;
        state.size = op.size;
        state.written_at = std::max(state.written_at, op.time);
        node.dirty = !state.active.empty();
        return bytes;
    });
    budget_.give_back(dropped);
    return result;
}

Result<OpResult> WriteBack::punch(Node& node, objstore::PunchOp op, CallOptions options) {
    const std::lock_guard lock(node.flush_mutex);
    TRY(flush_locked(node));
    const std::uint64_t end = op.offset + op.length;
    while (true) {
        TRY_ASSIGN(const std::uint64_t step,
                   objstore::step_end(deps_.engine.names(), op.inode, {op.offset, end}));
        if (step == end) break;
        objstore::PunchOp part = op;
        part.length = step - op.offset;
        TRY(deps_.engine.apply(part, {.door = options.door, .durable = false}).error());
        op.offset = step;
    }
    op.length = end - op.offset;
    return deps_.engine.apply(std::move(op), options);
}

Result<OpResult> WriteBack::share(Node& target, WriteOp op, CallOptions options) {
    const std::lock_guard lock(target.flush_mutex);
    TRY(flush_locked(target));
    TRY_ASSIGN(OpResult result, deps_.engine.apply(std::move(op), options));
    // Known from here on: a writer that asked for the size before this must not note it after.
    target.state.with([&](Node::State& state) {
        const std::uint64_t grown = std::max(result.inode->size, state.active.end());
        state.size = state.size_known ? std::max(state.size, grown) : grown;
        state.size_known = true;
    });
    return result;
}

}  // namespace fs
