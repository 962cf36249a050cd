#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "objstore/base/bytes.h"
#include "tests/sim/sim_random.h"

namespace tests {

inline constexpr std::size_t kSectorBytes = 512;

// The bytes of a simulated file: as reads see them, as the platter has them, and every version of
// every sector that was written since. Sectors are atomic, writes are not. Threads: one.
class SimContents final {
public:
    const std::vector<std::byte>& now() const { return now_; }

    void write(std::uint64_t offset, objstore::Bytes bytes);
    void truncate(std::uint64_t size_bytes);
    void zero(std::uint64_t offset, std::uint64_t length);
    // All that was written becomes durable.
    void sync();
    // A sync that failed: of the sectors that were not durable some became so, by seed. The rest
    // counts as clean: reads show it, no later sync writes it, and the next power cut takes it
    // away. The size stays as unsynced as it was.
    void fail_sync(SimRandom& random);
    // Power is cut and back: of each unsynced sector one of its versions or the durable one is
    // there, of the size likewise.
    void cut(SimRandom& random);
    // Puts bytes on the platter and everywhere else behind the file's back, within its size.
    void damage(std::uint64_t offset, objstore::Bytes bytes);
    // Sectors that can not be read until they are written.
    void lose(std::uint64_t offset, std::uint64_t length);
    bool is_lost(std::uint64_t offset, std::uint64_t length) const;
    bool clean() const { return versions_.empty() && sizes_.empty(); }

private:
    using Sector = std::array<std::byte, kSectorBytes>;

    void record(std::uint64_t from, std::uint64_t to);
    Sector image(std::uint64_t sector) const;
    void make_durable(std::uint64_t sector, const Sector& image);

    std::vector<std::byte> now_;
    std::vector<std::byte> durable_;
    std::map<std::uint64_t, std::vector<Sector>> versions_;  // not durable, oldest first
    std::vector<std::uint64_t> sizes_;                       // likewise
    std::set<std::uint64_t> lost_;
};

// A file or directory of a simulated disk.
struct SimInode {
    bool is_directory = false;
    SimContents contents;
    // Of a directory: its entries now, and those on the platter. Shared: an open file keeps its
    // inode after its name is gone.
    using Entries = std::map<std::string, std::shared_ptr<SimInode>, std::less<>>;
    Entries entries;
    Entries durable_entries;
};

}  // namespace tests
