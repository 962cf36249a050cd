#include "s3api/ops/md5.h"

#include <algorithm>
#include <cstring>
#include <thread>

#include "objstore/base/assert.h"

namespace s3api {

namespace {

// Fewer are hashed sooner than handed over.
constexpr std::size_t kSharedBlocksMin = 256;
// Between two looks at who else has come.
constexpr std::size_t kSliceBlocks = 256;
// How long it is remembered that waiting was in vain.
constexpr std::size_t kHastyJobs = 64;

}  // namespace

Md5Lanes& Md5Lanes::of_process() {
    static Md5Lanes lanes({.workers_max = std::max(1U, std::thread::hardware_concurrency())});
    return lanes;
}

void Md5Lanes::enter() {
    const std::lock_guard lock(mutex_);
    ++streams_;
}

void Md5Lanes::leave() {
    const std::lock_guard lock(mutex_);
    --streams_;
}

void Md5Lanes::hash(Md5Words& state, const std::byte* data, std::size_t blocks) {
    Job job{state, data, blocks};
    Jobs place{&job};  // the list's node, wherever the job goes
    std::unique_lock lock(mutex_);
    if (hasty_ > 0) --hasty_;
    waiting_.splice(waiting_.end(), place);
    while (job.blocks > 0 && !may_work(job)) wait(job, lock);
    if (job.blocks == 0) return;
    place.splice(place.end(), waiting_, std::find(waiting_.begin(), waiting_.end(), &job));
    work(std::move(place), lock);
    // What is left of the others is for the next one.
    if (!waiting_.empty()) waiting_.front()->ready.notify_one();
}

bool Md5Lanes::may_work(const Job& job) const {
    if (job.taken || workers_ == options_.workers_max) return false;
    if (few_streams() || waiting_.size() >= kMd5Lanes) return true;
    // A worker takes those along that come while it works.
    if (workers_ > 0) return false;
    const std::size_t most = streams_ - streams_ / 4;
    return job.begun || hasty_ > 0 || waiting_.size() >= most;
}

void Md5Lanes::wait(Job& job, std::unique_lock<std::mutex>& lock) {
    const bool is_first = !job.taken && workers_ == 0 && waiting_.front() == &job;
    if (!is_first) return job.ready.wait(lock);
    const auto waited = job.ready.wait_for(lock, options_.patience);
    if (waited == std::cv_status::timeout && !job.taken) hasty_ = kHastyJobs;
}

// Until the one job of `own` is done, and of others as much as fits in.
void Md5Lanes::work(Jobs own, std::unique_lock<std::mutex>& lock) {
    Jobs jobs = std::move(own);
    const Job& first = *jobs.front();
    ++workers_;
    while (first.blocks > 0) {
        while (jobs.size() < kMd5Lanes && !waiting_.empty() && !few_streams()) {
            jobs.splice(jobs.end(), waiting_, waiting_.begin());
        }
        for (Job* job : jobs) job->taken = true;
        lock.unlock();
        const std::size_t done = hash_some(jobs);
        lock.lock();
        jobs.remove_if([&](Job* job) {
            job->data += done * kMd5BlockBytes;
            job->blocks -= done;
            if (job->blocks == 0) job->ready.notify_one();
            return job->blocks == 0;
        });
    }
    for (Job* job : jobs) {
        job->taken = false;
        job->begun = true;
    }
    waiting_.splice(waiting_.begin(), jobs);
    --workers_;
}

// As many blocks of each as all of them have.
std::size_t Md5Lanes::hash_some(const Jobs& jobs) {
    std::array<Md5Lane, kMd5Lanes> lanes;
    std::size_t count = 0;
    std::size_t blocks = kSliceBlocks;
    for (const Job* job : jobs) {
        lanes.at(count++) = {&job->state, job->data};
        blocks = std::min(blocks, job->blocks);
    }
    md5_blocks(std::span(lanes).first(count), blocks);
    return blocks;
}

Md5::~Md5() {
    if (entered_) lanes_.leave();
}

void Md5::hash(const std::byte* data, std::size_t blocks) {
    if (blocks < kSharedBlocksMin || !md5_has_vectors()) return md5_blocks(state_, data, blocks);
    if (!entered_) lanes_.enter();
    entered_ = true;
    lanes_.hash(state_, data, blocks);
}

void Md5::update(objstore::Bytes bytes) {
    const std::size_t begun = size_bytes_ % kMd5BlockBytes;
    size_bytes_ += bytes.size();
    if (begun > 0) {
        const std::size_t more = std::min(bytes.size(), kMd5BlockBytes - begun);
        std::memcpy(begun_.data() + begun, bytes.data(), more);
        bytes = bytes.subspan(more);
        if (begun + more < kMd5BlockBytes) return;
        md5_blocks(state_, begun_.data(), 1);
    }
    const std::size_t blocks = bytes.size() / kMd5BlockBytes;
    hash(bytes.data(), blocks);
    bytes = bytes.subspan(blocks * kMd5BlockBytes);
    std::copy(bytes.begin(), bytes.end(), begun_.begin());
}

// A one bit, zeros, and the length in bits fill the last blocks.
Md5::Digest Md5::finish() {
    const std::uint64_t size_bits = size_bytes_ * 8;
    static constexpr std::array<std::byte, kMd5BlockBytes> kFill{std::byte{0x80}};
    constexpr std::size_t kLengthAt = kMd5BlockBytes - sizeof(size_bits);
    const std::size_t begun = size_bytes_ % kMd5BlockBytes;
    const std::size_t end = begun < kLengthAt ? kLengthAt : kMd5BlockBytes + kLengthAt;
    update(objstore::Bytes(kFill).first(end - begun));
    update(std::as_bytes(std::span(&size_bits, 1)));
    ASSERT(size_bytes_ % kMd5BlockBytes == 0);
    Digest digest;
    static_assert(sizeof(state_) == sizeof(digest));
    std::memcpy(digest.data(), state_.data(), sizeof(digest));
    return digest;
}

}  // namespace s3api
