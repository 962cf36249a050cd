// The engine's calls for multipart uploads.
#include <fmt/format.h>
#include <openssl/evp.h>

#include "objstore/engine/local_engine.h"

namespace objstore {

namespace {

PartRow part_row(const UploadRow& upload, PartAttributes&& attributes, UnixNanos now) {
    PartRow row{.upload = upload.id, .number = attributes.number, .last_modified = now};
    row.etag = attributes.etag;
    row.checksum = std::move(attributes.checksum);
    return row;
}

ETag multipart_etag(const std::string& digests, std::size_t parts) {
    ETag etag{.parts = static_cast<std::uint32_t>(parts)};
    unsigned size = 0;
    const int ok = EVP_Digest(digests.data(),
                              digests.size(),
                              reinterpret_cast<unsigned char*>(etag.digest.data()),
                              &size,
                              EVP_md5(),
                              nullptr);
    ASSERT(ok == 1);
    ASSERT(size == etag.digest.size());
    return etag;
}

}  // namespace

Result<PartRow> LocalEngine::put_part(const UploadRow& upload,
                                      std::unique_ptr<ContentWriter> content,
                                      PartAttributes attributes) {
    PutPartOp op{.part = part_row(upload, std::move(attributes), clock_.now())};
    op.part.size = content->size();
    const PartRow row = op.part;
    std::vector<Placement> placements;
    TRY(take_content(*content, op.content, placements));
    Txn txn;
    txn.ops.emplace_back(std::move(op));
    TRY_ASSIGN(const OpResult done, commit(std::move(txn), std::move(placements), Door::s3));
    return row;
}

Result<PartRow> LocalEngine::copy_part(const UploadRow& upload,
                                       const CopySource& source,
                                       PartAttributes attributes) {
    PutPartOp op{.part = part_row(upload, std::move(attributes), clock_.now())};
    op.part.size = source.length;
    const PartRow row = op.part;
    op.clones.push_back({.source = source.inode->id,
                         .source_generation = source.inode->generation,
                         .source_offset = source.offset,
                         .length = source.length});
    TRY_ASSIGN(const OpResult done, apply(std::move(op), {.door = Door::s3}, nullptr));
    return row;
}

// The writer checks the stored parts against the listed ones, so these rows must be theirs too:
// their digests make the ETag, their sizes and checksums what GET by part number shows.
Result<OpResult> LocalEngine::complete_upload(CompleteUploadOp op, std::span<const PartRow> parts) {
    std::string digests;
    for (std::size_t i = 0; i < op.parts.size(); ++i) {
        const CompleteUploadOp::Part& listed = op.parts[i];
        if (i >= parts.size() || parts[i].number != listed.number ||
            parts[i].etag.to_string() != listed.etag) {
            return Status::invalid_argument(
                fmt::format("part {} is missing or another", listed.number), Why::invalid_part);
        }
        const PartRow& row = parts[i];
        digests.append(as_text(std::as_bytes(std::span(row.etag.digest))));
        op.parts[i].size = row.size;
        if (op.parts[i].checksum.empty()) op.parts[i].checksum = row.checksum.value;
        op.inode.size += row.size;
    }
    op.inode.etag = multipart_etag(digests, op.parts.size());
    op.inode.generation = 1;
    op.time = clock_.now();
    if (op.inode.mtime == 0) op.inode.mtime = op.time;
    return complete_in_steps(parts, std::move(op));
}

}  // namespace objstore
