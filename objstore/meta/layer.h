#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace objstore {

// The rows of one table that a batch has read or changed, in key order, with the way back for the
// running Txn. `Row` says for itself whether the row is there. Threads: one.
template <typename Key, typename Row, typename Less = std::less<>>
class Layer final {
public:
    struct Slot {
        Row row{};
        bool dirty = false;
        std::uint64_t txn = 0;  // that changed it last
    };
    using Map = std::map<Key, Slot, Less>;

    // Null: nothing is known of the row here.
    template <typename K>
    const Row* find(const K& key) const {
        const auto it = rows_.find(key);
        return it == rows_.end() ? nullptr : &it->second.row;
    }
    template <typename K>
    bool is_dirty(const K& key) const {
        const auto it = rows_.find(key);
        return it != rows_.end() && it->second.dirty;
    }
    // Remembers a row as the database has it.
    const Row& load(Key key, Row row) {
        Slot& slot = rows_[std::move(key)];
        slot.row = std::move(row);
        return slot.row;
    }
    // The row, to be changed; `Row{}` when nothing was known. What it was before the Txn is kept
    // until `keep` or `drop`. `fresh`: whether this is the Txn's first change of it.
    template <typename K>
    Row& change(const K& key, bool* fresh = nullptr) {
        auto it = rows_.find(key);
        const bool known = it != rows_.end();
        if (!known) it = rows_.emplace(Key(key), Slot{}).first;
        Slot& slot = it->second;
        const bool first = !known || slot.txn != txn_;
        if (first) undo_.push_back({it, known ? std::optional<Slot>(slot) : std::nullopt});
        if (fresh != nullptr) *fresh = first;
        slot.dirty = true;
        slot.txn = txn_;
        return slot.row;
    }

    void begin(std::uint64_t txn) { txn_ = txn; }
    void keep() { undo_.clear(); }
    void drop() {
        for (auto it = undo_.rbegin(); it != undo_.rend(); ++it) {
            if (it->before) {
                it->row->second = std::move(*it->before);
            } else {
                rows_.erase(it->row);
            }
        }
        undo_.clear();
    }
    void clear() {
        rows_.clear();
        undo_.clear();
    }

    const Map& rows() const { return rows_; }
    // fn(key, dirty row), in key order.
    template <typename Fn>
    void for_each_dirty(Fn&& fn) const {
        for (const auto& [key, slot] : rows_) {
            if (slot.dirty) fn(key, slot.row);
        }
    }
    // fn(key, row before or null, row now) for each row that the running Txn changed.
    template <typename Fn>
    void for_each_touched(Fn&& fn) const {
        for (const Undo& undo : undo_) {
            fn(undo.row->first, undo.before ? &undo.before->row : nullptr, undo.row->second.row);
        }
    }
    bool touched() const { return !undo_.empty(); }
    std::size_t size() const { return rows_.size(); }

private:
    struct Undo {
        typename Map::iterator row;
        std::optional<Slot> before;
    };

    Map rows_;
    std::vector<Undo> undo_;
    std::uint64_t txn_ = 0;
};

}  // namespace objstore
