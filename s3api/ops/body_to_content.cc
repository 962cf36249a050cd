#include "s3api/ops/body_to_content.h"

namespace s3api {

BodyStore::BodyStore(std::unique_ptr<objstore::ContentWriter> content, ExpectedDigests expected)
    : digests_(std::move(expected)), content_(std::move(content)) {}

S3Result<bool> BodyStore::take(BodyReader& body) {
    const objstore::Bytes memory = body.take_in_memory();
    if (!memory.empty()) {
        digests_.update(memory);
        TRY(content_->write(memory));
    }
    while (!body.ended()) {
        // Room is memory that others can use while this client sends nothing.
        if (body.starved()) return false;
        TRY_ASSIGN(const objstore::MutableBytes room, content_->space());
        TRY_ASSIGN(const std::size_t count, body.read(room));
        digests_.update(room.first(count));
        TRY(content_->advance(count));
    }
    return true;
}

S3Result<StoredBody> BodyStore::finish(const BodyReader& body) {
    ASSERT(body.ended());
    StoredBody stored;
    stored.content = std::move(content_);
    TRY_ASSIGN(stored.digests, digests_.finish(body.trailers()));
    return stored;
}

S3Result<Response> take_whole(S3Result<std::unique_ptr<Intake>> intake, Request& request) {
    if (!intake.ok()) return std::move(intake).error();
    TRY_ASSIGN(const bool all, (*intake)->take(*request.body));
    ASSERT(all);
    return (*intake)->finish(*request.body);
}

}  // namespace s3api
