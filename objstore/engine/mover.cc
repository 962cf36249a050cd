#include "objstore/engine/mover.h"

#include <spdlog/spdlog.h>

#include "objstore/base/named_thread.h"

namespace objstore {

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
        const Status kept = meta_.upkeep();
        lock.lock();
        if (packed.ok() && kept.ok()) continue;
        log_.warn("background work failed, will be tried again error=\"{}\"",
                  packed.ok() ? kept.message() : packed.message());
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
    std::vector<Piece> pieces;
    std::size_t bytes = 0;
    for (const InlineRow& row : rows) {
        if (!pieces.empty() && bytes + row.bytes.size() > options_.batch_bytes) break;
        pieces.push_back({{.inode = row.inode}, as_bytes(row.bytes)});
        bytes += row.bytes.size();
    }
    if (pieces.empty()) return false;
    TRY_ASSIGN(auto placed, volumes_.append(pieces));
    Txn txn{.durable = false};
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        txn.ops.push_back(PackInlineOp{rows[i].id, std::move(placed[i])});
    }
    after = rows[pieces.size() - 1].id;
    TRY(meta_.commit(std::move(txn)).status);
    return pieces.size() < rows.size() || rows.size() == options_.batch_rows;
}

}  // namespace objstore
