#include "tests/sim/sim_namespace.h"

#include <algorithm>

#include "objstore/erasure/checksum.h"
#include "objstore/meta/ops_keys.h"
#include "objstore/meta/visibility.h"
#include "tests/sim/check_tables.h"

using namespace objstore;

namespace tests {

namespace {

constexpr std::uint32_t kHeaderBytes = 4096;

}  // namespace

ETag etag_of(std::string_view bytes) {
    ETag etag;
    const std::uint64_t sum = crc64nvme(as_bytes(bytes));
    std::memcpy(etag.digest.data(), &sum, sizeof(sum));
    const std::uint64_t size = bytes.size();
    std::memcpy(etag.digest.data() + sizeof(sum), &size, sizeof(size));
    return etag;
}

SimNamespace::SimNamespace() {
    VolumeRow volume;
    volume.id = kVolume;
    volume.geometry = {.data = 4, .parity = 2};
    ASSERT(run(AddVolumeOp{volume}).ok());
    BucketRow row;
    row.name = "b";
    row.uid = 1000;
    row.gid = 1001;
    row.created = tick();
    ASSERT(run(CreateBucketOp{row}).ok());
    bucket = result.inode->id;
}

Status SimNamespace::run(const Op& op) {
    result = {};
    return tables.commit(op, &result);
}

Extent SimNamespace::place(std::uint64_t offset, std::string_view bytes) {
    Extent e;
    e.logical_offset = offset;
    e.length = bytes.size();
    e.volume = kVolume;
    e.place = next_place_;
    e.header_bytes = kHeaderBytes;
    e.column_bytes = 4096;
    // Not at the start of the payload: others may lie before it.
    e.payload_offset = static_cast<std::uint32_t>(next_place_ / 4096 % 7);
    e.nonce = 1;
    payloads_[e.place] = std::string(e.payload_offset, '!') + std::string(bytes);
    next_place_ += kHeaderBytes + e.column_bytes;
    return e;
}

NewContent SimNamespace::stored(std::uint64_t offset, std::string_view bytes) {
    if (bytes.empty()) return {};
    return {.extents = {place(offset, bytes)}, .inlines = {}};
}

NewContent SimNamespace::kept(std::uint64_t offset, std::string_view bytes) {
    NewContent::Inline row;
    row.logical_offset = offset;
    row.bytes = bytes;
    return {.extents = {}, .inlines = {row}};
}

std::vector<Extent> SimNamespace::packed(std::string_view bytes, std::size_t split) {
    if (split == 0 || split >= bytes.size()) return {place(0, bytes)};
    return {place(0, bytes.substr(0, split)), place(split, bytes.substr(split))};
}

PutObjectOp SimNamespace::put_op(std::string_view key, std::string_view bytes) {
    PutObjectOp op;
    op.bucket = bucket;
    op.key = key;
    op.inode.size = bytes.size();
    op.inode.etag = etag_of(bytes);
    op.content = stored(0, bytes);
    op.time = tick();
    return op;
}

Status SimNamespace::put(std::string_view key, std::string_view bytes) {
    return run(put_op(key, bytes));
}

Status SimNamespace::copy(std::string_view from, std::string_view to) {
    const Inode* source = inode(from);
    ASSERT(source != nullptr);
    PutObjectOp op = put_op(to, "");
    op.inode.size = source->size;
    op.inode.etag = source->etag;
    op.clones = {all_of(source->id)};
    return run(op);
}

Status SimNamespace::remove(std::string_view key) {
    DeleteObjectOp op;
    op.bucket = bucket;
    op.key = key;
    op.time = tick();
    return run(op);
}

Status SimNamespace::create(InodeId parent, std::string_view name, FileType type) {
    CreateOp op;
    op.parent = parent;
    op.name = name;
    op.inode.type = type;
    op.inode.mode = 0640;
    op.inode.uid = 500;
    op.inode.gid = 501;
    op.inode.ctime = tick();
    if (type == FileType::symlink) op.inode.target = "target";
    return run(op);
}

Status SimNamespace::link(InodeId inode, InodeId parent, std::string_view name) {
    return run(LinkOp{inode, parent, std::string(name), tick()});
}

Status SimNamespace::unlink(InodeId parent, std::string_view name) {
    return run(UnlinkOp{parent, std::string(name), tick()});
}

Status SimNamespace::rmdir(InodeId parent, std::string_view name) {
    return run(RmdirOp{parent, std::string(name), tick()});
}

Status SimNamespace::rename(InodeId parent, std::string_view name, std::string_view new_name) {
    RenameOp op;
    op.parent = op.new_parent = parent;
    op.name = name;
    op.new_name = new_name;
    op.time = tick();
    return run(op);
}

Status SimNamespace::write(InodeId inode, std::uint64_t offset, std::string_view bytes) {
    WriteOp op;
    op.inode = inode;
    op.content = stored(offset, bytes);
    op.time = tick();
    return run(op);
}

Status SimNamespace::set_xattr(InodeId inode, std::string_view name, std::string_view value) {
    SetXattrOp op;
    op.xattr = {inode, std::string(name), std::string(value)};
    op.time = tick();
    return run(op);
}

Status SimNamespace::clone(const CloneRange& range, InodeId target) {
    WriteOp op;
    op.inode = target;
    op.clones = {range};
    op.time = tick();
    return run(op);
}

std::optional<Entry> SimNamespace::entry(std::string_view key) {
    InodeId directory = bucket;
    std::optional<Entry> found;
    for (const std::string_view name : split_key(key)) {
        found = *tables.entry(directory, name);
        if (!found) return std::nullopt;
        directory = found->inode;
    }
    return found;
}

InodeId SimNamespace::id(std::string_view key) {
    if (key.empty()) return bucket;
    const auto found = entry(key);
    return found ? found->inode : 0;
}

const Inode* SimNamespace::inode(std::string_view key) {
    return inode(id(key));
}

const Inode* SimNamespace::inode(InodeId id) {
    const auto found = tables.inode(id);
    return found.ok() ? *found : nullptr;
}

std::vector<Extent> SimNamespace::extents(const Inode& inode) {
    if (!inode.extents_in_table) return inode.extents;
    return *tables.extents(inode.id, 0, UINT64_MAX, SIZE_MAX);
}

std::string SimNamespace::read(InodeId id) {
    const Inode* found = inode(id);
    ASSERT(found != nullptr);
    std::string content(found->size, '\0');
    const auto named = extents(*found);
    for (const Extent& e : named) {
        std::string bytes;
        if (e.kind == ExtentKind::inline_data) {
            bytes = (*tables.inline_row(e.place))->bytes;
        } else {
            bytes = payloads_.at(e.place);
        }
        content.replace(e.logical_offset, e.length, bytes.substr(e.payload_offset, e.length));
    }
    ASSERT(content.size() == found->size);
    return content;
}

std::vector<std::string> SimNamespace::list() {
    std::vector<std::string> keys;
    list_below(bucket, "", keys);
    return keys;
}

void SimNamespace::list_below(InodeId directory,
                              const std::string& prefix,
                              std::vector<std::string>& keys) {
    const auto entries = tables.entries(directory, "", SIZE_MAX);
    for (const Entry& entry : *entries) {
        const Inode& found = *inode(entry.inode);
        const std::string key = prefix + entry.name;
        if (!found.is_directory()) {
            if (found.is_regular()) keys.push_back(key);
            continue;
        }
        if (!shows_in_listing(found)) continue;
        if (listed_as_key(found)) keys.push_back(key);
        list_below(entry.inode, key, keys);
    }
}

std::uint64_t SimNamespace::live_bytes() {
    return (*tables.volume(kVolume))->live_bytes;
}

CloneRange SimNamespace::all_of(InodeId id, std::uint64_t offset) {
    const Inode& source = *inode(id);
    return {.source = id,
            .source_generation = source.generation,
            .source_offset = 0,
            .length = source.size,
            .offset = offset};
}

std::string SimNamespace::problems() const {
    std::string all;
    for (const std::string& problem : check_tables(tables.rows())) all += problem + "\n";
    return all;
}

}  // namespace tests
