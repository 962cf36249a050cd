#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "objstore/base/guarded.h"
#include "objstore/meta/inode.h"

namespace s3api {

// The uploads that were completed lately, so that a client which lost the answer and asks again
// gets it again. In memory: after a restart the second answer is NoSuchUpload. Threads: any.
class CompletedUploads final {
public:
    static constexpr std::size_t kCountMax = 4096;

    struct Completed {
        std::uint64_t upload = 0;
        objstore::InodeId bucket = 0;
        std::string key;
        objstore::InodeId inode = 0;  // of the object that it became
        objstore::ETag etag;
    };
    void add(Completed completed) {
        recent_.with([&](std::deque<Completed>& recent) {
            if (recent.size() == kCountMax) recent.pop_front();
            recent.push_back(std::move(completed));
        });
    }
    std::optional<Completed> find(std::uint64_t upload) const {
        return recent_.with([&](const std::deque<Completed>& recent) {
            for (const Completed& one : recent) {
                if (one.upload == upload) return std::optional(one);
            }
            return std::optional<Completed>();
        });
    }

private:
    objstore::Guarded<std::deque<Completed>> recent_;
};

}  // namespace s3api
