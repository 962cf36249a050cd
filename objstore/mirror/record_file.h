#pragma once

#include <memory>
#include <optional>

#include "objstore/mirror/record.h"

namespace objstore {

// The record of one disk. After a failed write it is never written again.
// Threads: one at a time. The disk must outlive it.
class MirrorRecordFile final {
public:
    explicit MirrorRecordFile(Disk& disk) : disk_(disk) {}

    enum class State : unsigned char {
        absent,    // the disk never had one
        readable,  // record() has it
        rotten,    // neither slot is one, or the disk has a namespace and no record
    };
    // What there is. unsupported: a newer version's. Other errors are the disk's.
    Result<State> read();
    const std::optional<MirrorRecord>& record() const { return record_; }
    // Replaces it; durable and whole when it returns ok. Costs a sync; the first one, three more.
    Status write(MirrorRecord record);

private:
    bool is_blank() const;
    Status create(Bytes slot);
    Status open();

    Disk& disk_;
    std::unique_ptr<File> file_;
    std::optional<MirrorRecord> record_;
    std::size_t slot_ = 1;         // of the record; the next one goes into the other
    bool slot_is_synced_ = false;  // by this process: an earlier one may have failed to
    bool failed_ = false;
};

}  // namespace objstore
