#pragma once

#include <array>
#include <condition_variable>
#include <list>
#include <mutex>

#include "objstore/base/bytes.h"
#include "s3api/ops/md5_blocks.h"

namespace s3api {

// Hashes for several threads at once: whoever finds no processor free for his stream leaves it to
// one that is at work, which takes up to eight streams along in one vector. Threads: any.
class Md5Lanes final {
public:
    explicit Md5Lanes(std::size_t workers_max) : workers_max_(workers_max) {}
    // With as many workers as the machine has processors.
    static Md5Lanes& of_process();

    // Returns when it is done.
    void hash(Md5Words& state, const std::byte* data, std::size_t blocks);

private:
    struct Job {
        Md5Words& state;
        const std::byte* data;
        std::size_t blocks;  // left; 0: done
        bool taken = false;  // by a worker
        std::condition_variable ready{};
    };
    using Jobs = std::list<Job*>;

    void work(Jobs own, std::unique_lock<std::mutex>& lock);
    static std::size_t hash_some(const Jobs& jobs);

    const std::size_t workers_max_;
    std::mutex mutex_;
    std::size_t workers_ = 0;
    Jobs waiting_;
};

// The MD5 of one stream. Threads: one at a time.
class Md5 final {
public:
    using Digest = std::array<std::byte, 16>;

    explicit Md5(Md5Lanes& lanes = Md5Lanes::of_process()) : lanes_(lanes) {}
    void update(objstore::Bytes bytes);
    Digest finish();  // once

private:
    Md5Lanes& lanes_;
    Md5Words state_ = kMd5Start;
    std::uint64_t size_bytes_ = 0;
    std::array<std::byte, kMd5BlockBytes> begun_;  // a block that is not whole yet
};

}  // namespace s3api
