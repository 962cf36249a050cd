// Copies and completed uploads of very many extents: what one transaction must not do at once is
// prepared in steps, in a file without a name, so that others' changes come in between. It gets the
// name, and all of it shows, in the last step. A crash leaves what upkeep reaps.
#include <fmt/format.h>

#include "objstore/engine/local_engine.h"
#include "objstore/meta/extent_steps.h"

namespace objstore {

namespace {

// Held until it has a name, or is not wanted any more.
class Prepared final {
public:
    Prepared(MetaStore& meta, const Clock& clock)
        : meta_(meta), clock_(clock), inode_(meta.new_inode_id()) {}
    ~Prepared() {
        if (held_) meta_.release(inode_);
    }
    Prepared(const Prepared&) = delete;
    Prepared& operator=(const Prepared&) = delete;

    InodeId inode() const { return inode_; }
    Status make(InodeId bucket) {
        TRY(meta_.commit(PrepareContentOp{bucket, inode_, clock_.now()}, false).status);
        TRY(meta_.hold(inode_));
        held_ = true;
        return {};
    }
    // Shares a range that has some kStepExtents extents.
    Status share(const CloneRange& range) {
        WriteOp op{.inode = inode_, .clones = {range}, .time = clock_.now()};
        op.size_at_least = range.offset + range.length;
        return meta_.commit(std::move(op), false).status;
    }

private:
    MetaStore& meta_;
    const Clock& clock_;
    const InodeId inode_;
    bool held_ = false;
};

Status share_object(MetaStore& meta, Prepared& into, const CopySource& source) {
    for (std::uint64_t at = 0; at < source.length;) {
        const std::uint64_t from = source.offset + at;
        TRY_ASSIGN(const std::uint64_t to,
                   step_end(meta, source.inode->id, {from, source.offset + source.length}));
        TRY(into.share({.source = source.inode->id,
                        .source_generation = source.inode->generation,
                        .source_offset = from,
                        .length = to - from,
                        .offset = at}));
        at += to - from;
    }
    return {};
}

Status share_part(Prepared& into, const PartRow& part, std::uint64_t offset) {
    CloneRange range{.source = part.upload, .part = part.number, .part_etag = part.etag};
    for (std::size_t next = 0; range.source_offset < part.size;) {
        next += kStepExtents;
        const std::uint64_t to =
            next < part.extents.size() ? part.extents[next].logical_offset : part.size;
        range.length = to - range.source_offset;
        range.offset = offset + range.source_offset;
        TRY(into.share(range));
        range.source_offset = to;
    }
    return {};
}

// `parts` are those of the object.
Status share_parts(MetaStore& meta, Prepared& into, std::span<const PartRow> parts) {
    std::uint64_t offset = 0;
    for (const PartRow& listed : parts) {
        TRY_ASSIGN(const auto found, meta.parts(listed.upload, listed.number - 1, 1));
        if (found.empty() || found[0].number != listed.number || found[0].etag != listed.etag) {
            return Status::conflict("a part has changed");
        }
        TRY(share_part(into, found[0], offset));
        offset += found[0].size;
    }
    return {};
}

bool wants_steps(const Result<OpResult>& done) {
    return done.code() == Code::unsupported && done.why() == Why::too_large;
}

}  // namespace

Result<OpResult> LocalEngine::copy_in_steps(const CopySource& source, PutObjectOp op) {
    auto done = apply(op, {.door = Door::s3}, nullptr);
    if (!wants_steps(done)) return done;
    Prepared prepared(meta_, clock_);
    TRY(prepared.make(op.bucket));
    TRY(share_object(meta_, prepared, source));
    op.clones.clear();
    op.prepared = prepared.inode();
    return apply(std::move(op), {.door = Door::s3}, nullptr);
}

Result<OpResult> LocalEngine::complete_in_steps(std::span<const PartRow> parts,
                                                CompleteUploadOp op) {
    auto done = apply(op, {.door = Door::s3}, nullptr);
    if (!wants_steps(done)) return done;
    Prepared prepared(meta_, clock_);
    TRY(prepared.make(op.bucket));
    Status shared = share_parts(meta_, prepared, parts.first(op.parts.size()));
    if (shared.code() == Code::conflict) {
        return Status::invalid_argument(std::string(shared.message()), Why::invalid_part);
    }
    TRY(std::move(shared));
    op.prepared = prepared.inode();
    return apply(std::move(op), {.door = Door::s3}, nullptr);
}

}  // namespace objstore
