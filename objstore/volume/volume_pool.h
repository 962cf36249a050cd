#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "objstore/volume/deferred.h"
#include "objstore/volume/volume_maker.h"

namespace spdlog {
class logger;
}

namespace objstore {

// Which volumes are open: one for small batches, some for streams, one more made ahead so that
// nobody waits for one. Volumes whose disks failed, or that are narrower than they could be, make
// place for new ones. Threads: any.
class VolumePool final {
public:
    struct Deps {
        DiskSet& disks;
        Background& background;
        spdlog::logger& log;
    };
    VolumePool(VolumeMaker::Options options,
               const VolumeMaker::Deps& maker,
               int stream_volumes_max,
               const Deps& deps);

    // For small batches. Take one for each append: it changes. Errors as VolumeMaker::make;
    // unavailable once stopped.
    Result<std::shared_ptr<OpenVolume>> small() { return take(0); }
    // Streams spread over as many volumes as there are streams, up to the maximum.
    std::size_t enter_stream();
    void leave_stream(std::size_t slot);
    Result<std::shared_ptr<OpenVolume>> for_stream(std::size_t slot) { return take(slot); }

    // Seals all and refuses more. Blocks until all writes on their way are done. What could not be
    // sealed is left to the next start. Safe to repeat.
    void stop();

private:
    struct Slot {
        std::shared_ptr<OpenVolume> volume;
        std::uint64_t epoch = 0;  // of the disks, when the volume was found to fit
        bool opening = false;
        int streams = 0;
    };

    Result<std::shared_ptr<OpenVolume>> take(std::size_t index);
    Result<std::shared_ptr<OpenVolume>> find_or_make(Slot& slot, bool& taken);
    // With the lock held:
    bool fits(Slot& slot) const;
    void expel(std::shared_ptr<OpenVolume> volume);
    // Without:
    void retire_expelled();
    void begin_ahead();
    void make_ahead();
    void drained(const std::shared_ptr<OpenVolume>& volume);

    VolumeMaker maker_;
    const Deps deps_;
    std::mutex mutex_;
    std::condition_variable changed_;
    // Under mutex_:
    std::vector<Slot> slots_;  // 0: small batches
    std::shared_ptr<OpenVolume> ahead_;
    bool making_ahead_ = false;
    bool stopped_ = false;
    std::vector<std::shared_ptr<OpenVolume>> expelled_;  // to be told to retire
    std::vector<std::weak_ptr<OpenVolume>> leaving_;     // told to, perhaps not sealed yet
};

}  // namespace objstore
