#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>

#include "objstore/base/bytes.h"
#include "s3api/ops/md5_blocks.h"

namespace s3api {

// Hashes for several threads at once: one of them works for up to eight, whose streams lie side by
// side in a vector. Two streams are as fast each by itself. Of more, the first to come waits a
// moment for others; when they do not come the next ones do not wait. Threads: any.
class Md5Lanes final {
public:
    struct Options {
        std::size_t workers_max = 1;  // threads that hash at a time
        std::chrono::microseconds patience{1000};
    };
    explicit Md5Lanes(Options options) : options_(options) {}
    // With as many workers as the machine has processors.
    static Md5Lanes& of_process();

    // Between them, a stream is one of those that others wait for.
    void enter();
    void leave();
    // Returns when it is done.
    void hash(Md5Words& state, const std::byte* data, std::size_t blocks);

private:
    struct Job {
        Md5Words& state;
        const std::byte* data;
        std::size_t blocks;  // left; 0: done
        bool taken = false;  // by a worker
        bool begun = false;  // by one that has left it
        std::condition_variable ready{};
    };
    using Jobs = std::list<Job*>;

    bool few_streams() const { return streams_ <= kAloneMax; }
    bool may_work(const Job& job) const;
    void wait(Job& job, std::unique_lock<std::mutex>& lock);
    void work(Jobs own, std::unique_lock<std::mutex>& lock);
    static std::size_t hash_some(const Jobs& jobs);

    static constexpr std::size_t kAloneMax = 2;

    const Options options_;
    std::mutex mutex_;
    std::size_t streams_ = 0;
    std::size_t workers_ = 0;
    std::size_t hasty_ = 0;  // so many jobs more do not wait for others
    Jobs waiting_;
};

// The MD5 of one stream. Threads: one at a time.
class Md5 final {
public:
    using Digest = std::array<std::byte, 16>;

    explicit Md5(Md5Lanes& lanes = Md5Lanes::of_process()) : lanes_(lanes) {}
    ~Md5();
    Md5(const Md5&) = delete;
    Md5& operator=(const Md5&) = delete;

    void update(objstore::Bytes bytes);
    Digest finish();  // once

private:
    void hash(const std::byte* data, std::size_t blocks);

    Md5Lanes& lanes_;
    bool entered_ = false;  // the lanes
    Md5Words state_ = kMd5Start;
    std::uint64_t size_bytes_ = 0;
    std::array<std::byte, kMd5BlockBytes> begun_;  // a block that is not whole yet
};

}  // namespace s3api
