#pragma once

#include <memory>

#include "s3api/http/intake.h"
#include "s3api/ops/checksums.h"
#include "s3api/ops/context.h"

namespace s3api {

struct StoredBody {
    std::unique_ptr<objstore::ContentWriter> content;
    BodyDigests::Values digests;
};

// Takes a request's body into storage, checking it against everything the client said of it.
// Nothing shows before the content is committed. Threads: one at a time.
class BodyStore final {
public:
    BodyStore(std::unique_ptr<objstore::ContentWriter> content, ExpectedDigests expected);

    // Stores what there is of the body. True: that was all of it.
    S3Result<bool> take(BodyReader& body);
    // After that, once.
    S3Result<StoredBody> finish(const BodyReader& body);

private:
    BodyDigests digests_;
    std::unique_ptr<objstore::ContentWriter> content_;
};

// An intake's work on a body that is whole in memory.
S3Result<Response> take_whole(S3Result<std::unique_ptr<Intake>> intake, Request& request);

}  // namespace s3api
