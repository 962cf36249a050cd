#include "objstore/engine/mover.h"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "objstore/base/named_thread.h"
#include "objstore/volume/format.h"

namespace objstore {

namespace {

constexpr std::size_t kLeftMax = 100'000;
// Named in one Txn: whoever writes waits for it.
constexpr std::size_t kNamedTogether = 128;
constexpr int kUpkeepSteps = 50;
constexpr std::chrono::milliseconds kStepPause(20);

// Of what is stored, so that it will fail again.
bool is_damage(const Status& status) {
    return status.code() == Code::corruption ||
           (status.code() == Code::io_error && status.why() != Why::outcome_unknown);
}

}  // namespace

Mover::Mover(
    Options options, MetaStore& meta, VolumeStore& volumes, Pins& pins, spdlog::logger& log)
    : options_(options),
      meta_(meta),
      volumes_(volumes),
      pins_(pins),
      log_(log),
      thread_(named_thread("mover", [this] { run(); })) {}

Mover::~Mover() {
    stop();
}

void Mover::wake() {
    {
        const std::lock_guard lock(mutex_);
        if (work_) return;
        work_ = true;
    }
    ready_.notify_one();
}

void Mover::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    ready_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void Mover::run() {
    const auto called = [&] { return stopping_ || work_; };
    const auto stopped = [&] { return stopping_; };
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        // Holds that end and times that come tell nobody.
        if (waiting_) {
            ready_.wait_for(lock, options_.upkeep_every, called);
        } else {
            ready_.wait(lock, called);
        }
        // Let more gather: a stripe is worth filling.
        ready_.wait_for(lock, options_.pack_after, stopped);
        if (stopping_) return;
        work_ = false;
        lock.unlock();
        const Status packed = pack();
        const auto kept = upkeep();
        const bool waiting = meta_.totals().upkeep_waiting > 0;
        lock.lock();
        waiting_ = waiting;
        if (packed.ok() && kept.ok()) {
            work_ = work_ || *kept;
            continue;
        }
        const Status failed = packed.ok() ? kept.error() : packed;
        lock.unlock();
        log_.warn("background work failed, will be tried again error=\"{}\"", failed.message());
        lock.lock();
        ready_.wait_for(lock, options_.upkeep_every, stopped);
        work_ = true;
    }
}

// Some steps, as others want their turn. True while there is more, and it moves on.
Result<bool> Mover::upkeep() {
    const auto before = meta_.totals();
    for (int step = 0; step < kUpkeepSteps; ++step) {
        TRY_ASSIGN(const bool more, meta_.upkeep());
        if (!more) return false;
        std::unique_lock lock(mutex_);
        if (ready_.wait_for(lock, kStepPause, [&] { return stopping_; })) return false;
    }
    return meta_.totals() != before;
}

Status Mover::pack() {
    const std::lock_guard lock(pack_mutex_);
    std::uint64_t after = 0;
    while (true) {
        TRY_ASSIGN(const bool more, pack_batch(after));
        if (!more) return {};
    }
}

// True while there may be more rows above `after`.
Result<bool> Mover::pack_batch(std::uint64_t& after) {
    const Pins::Pin pin = pins_.acquire();
    TRY_ASSIGN(const auto rows, meta_.inline_rows(after, options_.batch_rows));
    std::vector<const InlineRow*> chosen;
    std::size_t bytes = 0;
    std::size_t seen = 0;
    for (; seen < rows.size(); ++seen) {
        const InlineRow& row = rows[seen];
        if (left_.contains(row.id)) continue;
        const Status whole = check_bytes(row);
        if (!whole.ok()) {
            TRY(leave(row.id, whole));
            continue;
        }
        if (!chosen.empty() && bytes + row.bytes.size() > options_.batch_bytes) break;
        chosen.push_back(&row);
        bytes += row.bytes.size();
    }
    if (!chosen.empty()) TRY(pack_rows(chosen));
    if (seen > 0) after = rows[seen - 1].id;
    return seen < rows.size() || rows.size() == options_.batch_rows;
}

// A part's rows are told by their offsets, and by an inode that is none yet.
Result<Owner> Mover::owner_of(const InlineRow& row) const {
    Owner owner{row.inode, row.generation, row.logical_offset};
    if (row.logical_offset < kPartBytesMax) return owner;
    const auto inode = meta_.getattr(row.inode);
    if (inode.ok()) return owner;
    if (inode.code() != Code::not_found) return inode.error();
    static_assert(kPartBytesMax == kOwnerPartBytes);
    owner.part = static_cast<std::uint32_t>(row.logical_offset / kPartBytesMax);
    owner.logical_offset %= kPartBytesMax;
    return owner;
}

Status Mover::pack_rows(std::span<const InlineRow* const> rows) {
    std::vector<Piece> pieces;
    for (const InlineRow* row : rows) {
        TRY_ASSIGN(const Owner owner, owner_of(*row));
        pieces.push_back({owner, as_bytes(row->bytes)});
    }
    TRY_ASSIGN(auto placed, volumes_.append(pieces));
    std::vector<Op> ops;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        for (Extent& extent : placed[i]) extent.logical_offset -= pieces[i].owner.logical_offset;
        ops.emplace_back(PackInlineOp{rows[i]->id, std::move(placed[i])});
    }
    return name(ops);
}

Status Mover::name(std::span<const Op> ops) {
    while (!ops.empty()) {
        const auto some = ops.first(std::min(kNamedTogether, ops.size()));
        TRY(name_some(some));
        ops = ops.subspan(some.size());
    }
    return {};
}

// All in one Txn. Where that fails for what one of them meets, such as a rotten page, each alone:
// else the same bytes would be appended again and again, never to be named.
Status Mover::name_some(std::span<const Op> ops) {
    Txn txn{.ops = {ops.begin(), ops.end()}, .durable = false};
    const Status all = meta_.commit(std::move(txn)).status;
    if (!is_damage(all)) return all;
    for (const Op& op : ops) {
        const Status one = meta_.commit(op, false).status;
        if (!is_damage(one)) {
            TRY(one);
            continue;
        }
        TRY(leave(std::get<PackInlineOp>(op).inline_id, one));
    }
    return {};
}

Status Mover::leave(std::uint64_t id, const Status& why) {
    log_.error("inline bytes stay in the namespace row={} error=\"{}\"", id, why.message());
    if (left_.size() >= kLeftMax) return why;
    left_.insert(id);
    return {};
}

}  // namespace objstore
