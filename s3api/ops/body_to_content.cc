#include "s3api/ops/body_to_content.h"

namespace s3api {

namespace {

S3Status read_all(BodyReader& body, objstore::ContentWriter& content, BodyDigests& digests) {
    const objstore::Bytes memory = body.take_in_memory();
    if (!memory.empty()) {
        digests.update(memory);
        TRY(content.write(memory));
    }
    while (true) {
        TRY_ASSIGN(const objstore::MutableBytes room, content.space());
        TRY_ASSIGN(const std::size_t count, body.read(room));
        if (count == 0) return {};
        digests.update(room.first(count));
        TRY(content.advance(count));
    }
}

}  // namespace

S3Result<StoredBody> store_body(OpContext& context,
                                Request& request,
                                objstore::Owner owner,
                                ExpectedDigests expected) {
    BodyDigests digests(std::move(expected));
    StoredBody stored;
    stored.content = context.engine.new_content(owner, request.body->size_bytes());
    TRY(read_all(*request.body, *stored.content, digests));
    TRY_ASSIGN(stored.digests, digests.finish(request.body->trailers()));
    return stored;
}

}  // namespace s3api
