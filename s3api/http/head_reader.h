#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "objstore/base/bytes.h"
#include "s3api/base/error.h"
#include "s3api/http/request.h"

namespace s3api {

// Reads the heads of requests, one after the other, and the framing of chunked transfer encoding.
// Bounded by kHeadBytesMax. Threads: one at a time.
class HeadReader final {
public:
    static constexpr std::size_t kHeadBytesMax = 8 * objstore::kKiB;

    HeadReader();
    ~HeadReader();
    HeadReader(const HeadReader&) = delete;
    HeadReader& operator=(const HeadReader&) = delete;

    // Forgets the request before.
    void begin();

    // `head`: all that has come of it since begin(), growing in place. True when it is complete:
    // then `consumed_bytes` of it were the head, and the views below lie in it. Errors:
    // request_header_section_too_large, bad_request, not_implemented; the connection is then lost.
    S3Result<bool> read(std::string_view head);
    std::size_t consumed_bytes() const;

    // Of a complete head. After an error they tell what had been understood so far.
    Method method() const;
    std::string_view method_text() const;
    std::string_view raw_path() const;
    std::string_view raw_query() const;
    Headers take_headers();
    bool http_1_0() const;
    bool keep_alive() const;  // false after an error
    bool expects_continue() const;
    bool chunked() const;  // Transfer-Encoding
    std::optional<std::uint64_t> content_length() const;

    // Takes the chunked transfer encoding off. `raw` and `into` may overlap when `into` begins no
    // later. Once chunked_done(), the rest of `raw` is the next request's.
    struct Progress {
        std::size_t consumed_bytes = 0;  // 0: more must come first
        std::size_t produced_bytes = 0;
    };
    S3Result<Progress> dechunk(objstore::Bytes raw, objstore::MutableBytes into);
    bool chunked_done() const;

private:
    class Parser;
    std::unique_ptr<Parser> parser_;
};

}  // namespace s3api
