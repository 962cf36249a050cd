#pragma once

#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <vector>

#include "objstore/base/bytes.h"
#include "objstore/engine/engine.h"

namespace fs {

// The part [from, to) of a file.
struct Range {
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    bool operator==(const Range&) const = default;
};

// Bytes written to a file and not yet stored: runs in order of offset that never overlap. A run
// grows at its end without copying what it has. Threads: one at a time.
class DirtyRanges final {
public:
    // The later write wins. Returns by how many bytes the ranges grew. Copies.
    std::size_t write(std::uint64_t offset, objstore::Bytes bytes);
    // Drops what lies in [from, to); returns how many bytes that was.
    std::size_t forget(Range range);

    // Copies what it has of the range into `out`, which begins at range.from, and returns the rest.
    std::vector<Range> read(Range range, objstore::MutableBytes out) const;

    // What there is, in order; points into this.
    std::vector<objstore::WritePiece> pieces() const;
    bool empty() const { return runs_.empty(); }
    std::size_t size_bytes() const { return size_bytes_; }
    std::size_t run_count() const { return runs_.size(); }
    std::uint64_t end() const;  // of the last byte; 0 when empty
    // The first byte in the ranges at or after `offset`, and the first that is not; kNone: none.
    static constexpr std::uint64_t kNone = ~std::uint64_t{0};
    std::uint64_t next_data(std::uint64_t offset) const;
    std::uint64_t next_gap(std::uint64_t offset) const;

private:
    // Memory that realloc moves by page tables where it is large.
    class Run final {
    public:
        std::size_t size() const { return size_; }
        std::byte* data() { return data_.get(); }
        const std::byte* data() const { return data_.get(); }
        objstore::Bytes bytes() const { return {data_.get(), size_}; }
        void append(objstore::Bytes bytes);
        void cut(std::size_t size) { size_ = size; }

    private:
        struct Free {
            void operator()(std::byte* p) const { std::free(p); }
        };
        std::unique_ptr<std::byte, Free> data_;
        std::size_t size_ = 0;
        std::size_t capacity_ = 0;
    };
    using Runs = std::map<std::uint64_t, Run>;

    static std::uint64_t end_of(const Runs::value_type& run) {
        return run.first + run.second.size();
    }
    Runs::iterator first_ending_after(std::uint64_t offset);
    Runs::const_iterator first_ending_after(std::uint64_t offset) const;
    Runs::iterator extend(std::uint64_t offset, objstore::Bytes bytes);
    void merge_next(Runs::iterator run);

    Runs runs_;
    std::size_t size_bytes_ = 0;
};

}  // namespace fs
