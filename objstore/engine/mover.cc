#include "objstore/engine/mover.h"

#include <spdlog/spdlog.h>

#include "objstore/base/named_thread.h"

namespace objstore {

namespace {

constexpr std::size_t kLeftMax = 100'000;

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
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        ready_.wait(lock, [&] { return stopping_ || work_; });
        // Let more gather: a stripe is worth filling.
        ready_.wait_for(lock, options_.pack_after, [&] { return stopping_; });
        if (stopping_) return;
        work_ = false;
        lock.unlock();
        const Status packed = pack();
        const auto kept = meta_.upkeep();
        lock.lock();
        if (packed.ok() && kept.ok()) {
            work_ = work_ || *kept;
            continue;
        }
        const Status failed = packed.ok() ? kept.error() : packed;
        log_.warn("background work failed, will be tried again error=\"{}\"", failed.message());
        ready_.wait_for(lock, options_.upkeep_every, [&] { return stopping_; });
        work_ = true;
    }
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

Status Mover::pack_rows(std::span<const InlineRow* const> rows) {
    std::vector<Piece> pieces;
    for (const InlineRow* row : rows) {
        const Owner owner{row->inode, row->generation, row->logical_offset};
        pieces.push_back({owner, as_bytes(row->bytes)});
    }
    TRY_ASSIGN(auto placed, volumes_.append(pieces));
    std::vector<Op> ops;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        for (Extent& extent : placed[i]) extent.logical_offset -= rows[i]->logical_offset;
        ops.emplace_back(PackInlineOp{rows[i]->id, std::move(placed[i])});
    }
    return name(ops);
}

// All in one Txn. Where that fails for what one of them meets, such as a rotten page, each alone:
// else the same bytes would be appended again and again, never to be named.
Status Mover::name(const std::vector<Op>& ops) {
    const Status all = meta_.commit(Txn{.ops = ops, .durable = false}).status;
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
