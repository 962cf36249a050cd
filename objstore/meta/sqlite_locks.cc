#include "objstore/meta/sqlite_locks.h"

#include <cstring>

namespace objstore {

namespace {

// Fields of the WAL's index, as SQLite documents its format.
constexpr std::size_t kFramesAt = 16;
constexpr std::size_t kChecksumAt = 24;
constexpr std::size_t kBackfillAt = 96;

}  // namespace

bool SqliteLocks::lock(Holder& holder, SqliteLockLevel level) {
    const std::lock_guard guard(mutex_);
    if (holder.level >= level) return true;
    const bool other_writes = writer_ != nullptr && writer_ != &holder;
    if (level == SqliteLockLevel::shared) {
        // A pending writer waits for the readers to leave, so none may come.
        if (other_writes && writer_->level >= SqliteLockLevel::pending) return false;
        ++shared_count_;
        holder.level = level;
        return true;
    }
    ASSERT(holder.level >= SqliteLockLevel::shared);
    if (other_writes) return false;
    writer_ = &holder;
    if (level == SqliteLockLevel::reserved) {
        holder.level = level;
        return true;
    }
    holder.level = SqliteLockLevel::pending;
    if (level == SqliteLockLevel::pending) return true;
    if (shared_count_ > 1) return false;
    holder.level = level;
    return true;
}

void SqliteLocks::unlock(Holder& holder, SqliteLockLevel level) {
    ASSERT(level <= SqliteLockLevel::shared);
    const std::lock_guard guard(mutex_);
    if (holder.level <= level) return;
    if (holder.level > SqliteLockLevel::shared) {
        ASSERT(writer_ == &holder);
        writer_ = nullptr;
    }
    if (level == SqliteLockLevel::none) --shared_count_;
    ASSERT(shared_count_ >= 0);
    holder.level = level;
}

bool SqliteLocks::is_reserved() const {
    const std::lock_guard guard(mutex_);
    return writer_ != nullptr;
}

std::byte* SqliteLocks::map(Holder& holder,
                            std::size_t region,
                            std::size_t region_bytes,
                            bool make) {
    const std::lock_guard guard(mutex_);
    if (!holder.mapped) {
        holder.mapped = true;
        ++mapped_count_;
    }
    while (make && regions_.size() <= region) {
        Buffer zeros(region_bytes);
        std::memset(zeros.data(), 0, zeros.size());
        regions_.push_back(std::move(zeros));
    }
    if (regions_.size() <= region) return nullptr;
    ASSERT(regions_[region].size() == region_bytes);
    return regions_[region].data();
}

void SqliteLocks::unmap(Holder& holder) {
    const std::lock_guard guard(mutex_);
    if (!holder.mapped) return;
    give_back(holder, {0, kSlotCount});
    holder.mapped = false;
    // With the last connection the index of the WAL goes: the next one builds it from the file.
    if (--mapped_count_ > 0) return;
    regions_.clear();
    invalid_ = false;
}

bool SqliteLocks::lock_shared(Holder& holder, Slots slots) {
    const std::lock_guard guard(mutex_);
    ASSERT(slots.count == 1);
    const auto slot = static_cast<std::size_t>(slots.first);
    const auto bit = static_cast<std::uint16_t>(1U << slot);
    if ((holder.shared_slots & bit) != 0) return true;
    if (slots_.at(slot) == kExclusive) return false;
    ++slots_.at(slot);
    holder.shared_slots = static_cast<std::uint16_t>(holder.shared_slots | bit);
    return true;
}

bool SqliteLocks::lock_exclusive(Holder& holder, Slots slots) {
    const std::lock_guard guard(mutex_);
    for (int i = slots.first; i < slots.first + slots.count; ++i) {
        const bool mine = ((holder.exclusive_slots >> i) & 1) != 0;
        if (!mine && slots_.at(static_cast<std::size_t>(i)) != 0) return false;
    }
    for (int i = slots.first; i < slots.first + slots.count; ++i) {
        slots_.at(static_cast<std::size_t>(i)) = kExclusive;
        holder.exclusive_slots = static_cast<std::uint16_t>(holder.exclusive_slots | (1U << i));
    }
    return true;
}

void SqliteLocks::unlock_slots(Holder& holder, Slots slots) {
    const std::lock_guard guard(mutex_);
    give_back(holder, slots);
}

// SQLite writes these fields from other threads, without our lock.
std::atomic_ref<std::uint32_t> SqliteLocks::index_field(std::size_t offset) const {
    ASSERT(!regions_.empty());
    return std::atomic_ref(*reinterpret_cast<std::uint32_t*>(regions_.front().data() + offset));
}

SqliteLocks::WalEnd SqliteLocks::wal_end() const {
    const std::lock_guard guard(mutex_);
    if (regions_.empty()) return {};
    const SqliteWalChecksum checksum{index_field(kChecksumAt), index_field(kChecksumAt + 4)};
    return {index_field(kFramesAt), checksum};
}

void SqliteLocks::forget_backfill() {
    const std::lock_guard guard(mutex_);
    if (!regions_.empty()) index_field(kBackfillAt) = 0;
}

void SqliteLocks::invalidate() {
    const std::lock_guard guard(mutex_);
    invalid_ = mapped_count_ > 0;
}

bool SqliteLocks::is_invalid() const {
    const std::lock_guard guard(mutex_);
    return invalid_;
}

void SqliteLocks::give_back(Holder& holder, Slots slots) {
    for (int i = slots.first; i < slots.first + slots.count; ++i) {
        const auto bit = static_cast<std::uint16_t>(1U << i);
        const auto rest = static_cast<std::uint16_t>(~bit);
        int& slot = slots_.at(static_cast<std::size_t>(i));
        if ((holder.exclusive_slots & bit) != 0) {
            ASSERT(slot == kExclusive);
            slot = 0;
        } else if ((holder.shared_slots & bit) != 0) {
            ASSERT(slot > 0);
            --slot;
        }
        holder.exclusive_slots = static_cast<std::uint16_t>(holder.exclusive_slots & rest);
        holder.shared_slots = static_cast<std::uint16_t>(holder.shared_slots & rest);
    }
}

}  // namespace objstore
