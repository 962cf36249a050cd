#pragma once

#include <atomic>
#include <mutex>

#include "objstore/base/clock.h"
#include "objstore/volume/catalog.h"

namespace objstore {

// Numbers that order the stripes which a server writes: microseconds since 1970, and one more than
// the last where the clock stands or goes back, also while no server runs: the catalog has a number
// that none in use is above, some minutes ahead so that it is seldom written.
// Threads: any. Clock and catalog must outlive it.
class StripeOrder final {
public:
    // `reserved`: what the catalog has. All numbers will be above.
    StripeOrder(const Clock& clock, VolumeCatalog& catalog, std::uint64_t reserved)
        : clock_(clock), catalog_(catalog), last_(reserved), reserved_(reserved) {}

    // Blocks for a commit of the catalog when what is reserved is used up. After its error there is
    // no number.
    Result<std::uint64_t> next();
    // Gives back what was reserved and not used; when no number will be asked for any more.
    Status stop();

private:
    Status reserve(std::uint64_t number);

    const Clock& clock_;
    VolumeCatalog& catalog_;
    std::atomic<std::uint64_t> last_;
    std::atomic<std::uint64_t> reserved_;
    std::mutex reserve_mutex_;  // held while the catalog commits: who needs the number waits
};

}  // namespace objstore
