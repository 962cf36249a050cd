#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>

#include "objstore/disk/disk.h"
#include "objstore/volume/disk_set.h"
#include "objstore/volume/format.h"

namespace objstore {

// The writer's end of one shard file: the descriptor that writes is the one that syncs. An error
// puts the disk out of use; after a failed sync all later ones fail too. Durability: a `sync` that
// returned ok covers all writes that had returned when it was called. Threads: any.
class ShardFile final {
public:
    ShardFile(std::unique_ptr<File> file, DiskSet& disks, int disk);

    Status write(std::uint64_t offset, std::span<const Bytes> pieces);
    // One sync of the device for all who ask while another is on its way. Costs nothing when
    // nothing was written since the last.
    Status sync();
    // Reserves [from, to), or only [from, least) when there is no more space. Returns how far.
    Result<std::uint64_t> allocate(std::uint64_t from, std::uint64_t to, std::uint64_t least);
    Status truncate(std::uint64_t size_bytes);
    void start_write_out(std::uint64_t offset, std::uint64_t length);
    void drop_cache(std::uint64_t offset, std::uint64_t length);

    int disk() const { return disk_; }
    bool failed() const;  // ever, other than by lack of space

private:
    Status fail(Status status);
    Result<std::uint64_t> allocate_to(std::uint64_t from, std::uint64_t to);

    const std::unique_ptr<File> file_;
    DiskSet& disks_;
    const int disk_;
    mutable std::mutex mutex_;
    std::condition_variable synced_;
    // Under mutex_:
    std::uint64_t writes_ = 0;         // that have returned
    std::uint64_t synced_writes_ = 0;  // of these are durable
    bool syncing_ = false;
    Status sync_failure_;
    bool failed_ = false;
};

// Ends a shard file: writes its footer, gives back what was reserved past it, syncs. no_space: all
// but the footer, which the headers can give again.
Status write_footer(ShardFile& file,
                    const FooterFields& fields,
                    std::span<const FooterEntry> index);

// Errors as parse_superblock, and the file's.
Result<Superblock> read_superblock(const File& file);
// Of a file of so many bytes. not_found: it does not end in a footer of this file.
Result<Footer> read_footer(const File& file, std::uint64_t size);

}  // namespace objstore
