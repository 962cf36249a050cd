// Multipart uploads.
#include "objstore/meta/ops_uploads.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "objstore/meta/ops_apply.h"
#include "objstore/meta/ops_content.h"
#include "objstore/meta/ops_keys.h"
#include "objstore/meta/ops_objects.h"

namespace objstore {

namespace {

constexpr std::uint32_t kPartNumberMax = 10'000;
constexpr std::size_t kFreedExtentsMax = 1000;  // by one operation, but for those of one part
constexpr std::size_t kFreedPartsMax = 100;
constexpr std::size_t kPartsPage = 16;

Status no_upload(std::uint64_t id) {
    return Status::not_found(fmt::format("there is no upload {:016x}", id), Why::no_upload);
}

Holder holder_of(const UploadRow& upload, std::uint32_t number) {
    // The object that the upload becomes has this generation.
    return {.inode = upload.inode, .base = part_offset(number, 0), .generation = 1};
}

// A copy: ids come from clients, and name the upload of one key alone.
Result<UploadRow> find_upload(Tables& tables,
                              std::uint64_t id,
                              InodeId bucket,
                              std::string_view key) {
    TRY_ASSIGN(auto upload, tables.upload(id));
    if (!upload || bucket == 0 || upload->bucket != bucket || upload->key != key) {
        return no_upload(id);
    }
    return *std::move(upload);
}

// Erases the part's row. Its extents lose their holder, and go to `dropped`.
void drop_part(Tables& tables,
               const UploadRow& upload,
               const PartRow& part,
               std::vector<Extent>& dropped) {
    const Holder holder = holder_of(upload, part.number);
    for (const Extent& e : part.extents) {
        erase_holder(tables, holder, e);
        dropped.push_back(e);
    }
    tables.erase_part(part.upload, part.number);
}

// Erases parts, as many as one operation may. True: none is left.
Result<bool> free_parts(Tables& tables, const UploadRow& upload) {
    TRY_ASSIGN(const auto parts, tables.parts(upload.id, 0, kFreedPartsMax + 1));
    std::vector<Extent> dropped;
    std::size_t count = 0;
    while (count < std::min(parts.size(), kFreedPartsMax) && dropped.size() < kFreedExtentsMax) {
        drop_part(tables, upload, parts[count], dropped);
        ++count;
    }
    TRY(release(tables, std::move(dropped)));
    return count == parts.size();
}

Result<std::vector<Extent>> part_content(Tables& tables,
                                         const Holder& holder,
                                         const PutPartOp& op) {
    TRY_ASSIGN(const bool too_much, is_too_much(tables, op.clones));
    if (too_much) {
        return Status::invalid_argument(
            "the range is stored in over 10,000 pieces; copy smaller ranges");
    }
    TRY_ASSIGN(auto extents, name_content(tables, holder, op.content));
    std::uint64_t end = 0;
    for (const CloneRange& range : op.clones) {
        TRY_ASSIGN(const auto shared, share_range(tables, range));
        extents.insert(extents.end(), shared.begin(), shared.end());
        end = std::max(end, range.offset + range.length);
    }
    std::sort(extents.begin(), extents.end(), [](const Extent& a, const Extent& b) {
        return a.logical_offset < b.logical_offset;
    });
    std::uint64_t at = 0;
    for (const Extent& e : extents) {
        if (e.logical_offset < at) return Status::invalid_argument("new extents overlap");
        at = e.end();
    }
    if (std::max(at, end) > op.part.size) {
        return Status::invalid_argument("content beyond the part's size");
    }
    return extents;
}

bool matches(const CompleteUploadOp::Part& wanted, const PartRow& part) {
    if (wanted.etag != part.etag.to_string()) return false;
    if (wanted.size && *wanted.size != part.size) return false;
    return wanted.checksum.empty() || wanted.checksum == part.checksum.value;
}

using Parts = std::map<std::uint32_t, PartRow>;

// All parts, without their extents when the object's content is prepared. unsupported (too_large):
// it is not, and there are too many extents to join.
Result<Parts> read_parts(Tables& tables, std::uint64_t upload, bool prepared) {
    Parts parts;
    std::size_t extents = 0;
    for (std::uint32_t after = 0;;) {
        TRY_ASSIGN(auto page, tables.parts(upload, after, kPartsPage));
        if (page.empty()) return parts;
        after = page.back().number;
        for (PartRow& row : page) {
            extents += row.extents.size();
            if (prepared) row.extents = std::vector<Extent>();  // gives its memory back, as {} not
            parts.emplace(row.number, std::move(row));
        }
        if (!prepared && extents > kSharedExtentsMax) {
            return Status(Code::unsupported, "too many extents at once", Why::too_large);
        }
    }
}

// The object's size. What the client lists must be there, in order and large enough.
Result<std::uint64_t> check_parts(const CompleteUploadOp& op, const Parts& parts) {
    if (op.parts.empty()) return Status::invalid_argument("no parts are listed");
    std::uint64_t size = 0;
    std::uint32_t before = 0;
    for (const auto& wanted : op.parts) {
        if (wanted.number <= before) {
            return Status::invalid_argument("parts are not in ascending order",
                                            Why::invalid_part_order);
        }
        before = wanted.number;
    }
    for (const auto& wanted : op.parts) {
        const auto found = parts.find(wanted.number);
        if (found == parts.end() || !matches(wanted, found->second)) {
            return Status::invalid_argument(
                fmt::format("part {} is missing or another", wanted.number), Why::invalid_part);
        }
        const PartRow& part = found->second;
        if (part.size < op.part_bytes_min && &wanted != &op.parts.back()) {
            return Status::invalid_argument(fmt::format("part {} is too small", wanted.number),
                                            Why::part_too_small);
        }
        size += part.size;
    }
    if (size > kFileBytesMax) {
        return Status::invalid_argument("a file has 2^63 - 1 bytes at most", Why::too_large);
    }
    if (op.expected_size && *op.expected_size != size) {
        return Status::invalid_argument(
            fmt::format("the parts have {} bytes, {} were announced", size, *op.expected_size));
    }
    // Made by the caller from rows it read; here they are of the parts that were just checked.
    if (op.inode.etag.parts != op.parts.size()) {
        return Status::invalid_argument("the ETag is not of these parts");
    }
    return size;
}

// An inline row's own holder has changed. Rows of others, which the extent shares, stay theirs.
Status move_row(Tables& tables, const Extent& extent, const Holder& from, const Holder& to) {
    TRY_ASSIGN(auto row, tables.inline_row(extent.place));
    if (!row) return Status::corruption(fmt::format("inline row {} is missing", extent.place));
    const std::uint64_t offset = row->logical_offset - from.base;
    if (row->inode != from.inode || row->logical_offset < from.base || offset >= kPartBytesMax) {
        return {};
    }
    row->inode = to.inode;
    row->generation = to.generation;
    row->logical_offset = to.base + offset;
    tables.put_inline(*std::move(row));
    return {};
}

// The part's extents become the object's, from `to.base` on. No byte moves. Of a marker, whose
// directory was there before the upload, the stripes say that they are of the upload's inode.
Status adopt(Tables& tables,
             ContentEdit& content,
             const Holder& from,
             const Holder& to,
             const std::vector<Extent>& extents) {
    for (Extent e : extents) {
        erase_holder(tables, from, e);
        if (e.kind == ExtentKind::inline_data) TRY(move_row(tables, e, from, to));
        e.shared = e.shared || (e.kind == ExtentKind::stripe && to.inode != from.inode);
        e.logical_offset += to.base;
        content.insert(e);
    }
    return {};
}

// `parts`: those that are listed.
Status adopt_parts(Tables& tables, const UploadRow& upload, const Parts& parts, InodeId target) {
    TRY_ASSIGN(const Inode* inode, tables.inode(target));
    const std::uint64_t generation = inode->generation + (inode->is_directory() ? 1 : 0);
    ContentEdit content(tables, *inode);
    TRY(content.cut(0, kFileBytesMax));
    std::uint64_t offset = 0;
    for (const auto& [number, part] : parts) {
        const Holder to{.inode = target, .base = offset, .generation = generation};
        TRY(adopt(tables, content, holder_of(upload, number), to, part.extents));
        offset += part.size;
        tables.erase_part(upload.id, number);
    }
    return content.finish();
}

// Erases those that the client does not list. First of all: the object's offsets are about to take
// the place of part_offset.
std::vector<Extent> drop_unlisted(Tables& tables,
                                  const UploadRow& upload,
                                  const CompleteUploadOp& op,
                                  Parts& parts) {
    std::vector<Extent> dropped;
    auto wanted = op.parts.begin();
    for (auto part = parts.begin(); part != parts.end();) {
        if (wanted != op.parts.end() && wanted->number == part->first) {
            ++wanted;
            ++part;
            continue;
        }
        drop_part(tables, upload, part->second, dropped);
        part = parts.erase(part);
    }
    return dropped;
}

// Nobody finds it any more. Its parts go in the background.
void forget_upload(Tables& tables, UploadRow upload) {
    tables.put_orphan({upload.inode, upload.initiated});
    upload.bucket = 0;
    tables.put_upload(std::move(upload));
}

// The parts that are listed become the object's content, the others go, and the upload with them.
Status join_parts(Tables& tables,
                  const UploadRow& upload,
                  const CompleteUploadOp& op,
                  Parts& parts,
                  InodeId target) {
    std::vector<Extent> dropped = drop_unlisted(tables, upload, op, parts);
    TRY(adopt_parts(tables, upload, parts, target));
    tables.erase_upload(upload.id);
    return release(tables, std::move(dropped));
}

// Of those that are listed.
std::vector<ObjectPart> list_of(const CompleteUploadOp& op, const Parts& parts) {
    std::vector<ObjectPart> list;
    list.reserve(op.parts.size());
    for (const auto& wanted : op.parts) {
        const PartRow& part = parts.at(wanted.number);
        list.push_back({part.number, part.size, part.checksum.value});
    }
    return list;
}

}  // namespace

Status apply_op(const CreateUploadOp& op, Tables& tables, OpResult&) {
    TRY(check_key(op.upload.key));
    TRY(find_bucket(tables, op.upload.bucket).error());
    TRY_ASSIGN(const auto old, tables.upload(op.upload.id));
    if (old) return Status::already_exists(fmt::format("upload {:016x} exists", op.upload.id));
    UploadRow row = op.upload;
    if (row.inode == 0) row.inode = tables.next_id();
    tables.put_upload(std::move(row));
    return {};
}

Status apply_op(const PutPartOp& op, Tables& tables, OpResult&) {
    TRY_ASSIGN(const auto upload, tables.upload(op.part.upload));
    if (!upload || upload->bucket == 0) return no_upload(op.part.upload);
    if (op.part.number < 1 || op.part.number > kPartNumberMax) {
        return Status::invalid_argument("part numbers are 1 to 10,000");
    }
    if (op.part.size >= kPartBytesMax) {
        return Status::invalid_argument("the part is too large", Why::too_large);
    }
    const Holder holder = holder_of(*upload, op.part.number);
    PartRow row = op.part;
    TRY_ASSIGN(row.extents, part_content(tables, holder, op));
    std::vector<Extent> dropped;
    TRY_ASSIGN(const auto old, tables.part(upload->id, row.number));
    if (old) drop_part(tables, *upload, *old, dropped);
    for (const Extent& e : row.extents) enter_holder(tables, holder, e);
    tables.put_part(std::move(row));
    return release(tables, std::move(dropped));
}

Status apply_op(const AbortUploadOp& op, Tables& tables, OpResult&) {
    TRY_ASSIGN(UploadRow upload, find_upload(tables, op.upload, op.bucket, op.key));
    TRY_ASSIGN(const bool all, free_parts(tables, upload));
    if (all) {
        tables.erase_upload(upload.id);
    } else {
        forget_upload(tables, std::move(upload));
    }
    return {};
}

Result<bool> reap_upload(Tables& tables, InodeId inode) {
    TRY_ASSIGN(const auto upload, tables.upload_by_inode(inode));
    if (!upload || upload->bucket != 0) return true;
    TRY_ASSIGN(const bool all, free_parts(tables, *upload));
    if (all) tables.erase_upload(upload->id);
    return all;
}

Status apply_op(const CompleteUploadOp& op, Tables& tables, OpResult& result) {
    TRY_ASSIGN(const UploadRow upload, find_upload(tables, op.upload, op.bucket, op.key));
    TRY_ASSIGN(Parts parts, read_parts(tables, upload.id, op.prepared != 0));
    Inode object = op.inode;
    TRY_ASSIGN(object.size, check_parts(op, parts));
    object.id = op.prepared != 0 ? op.prepared : upload.inode;
    object.headers = upload.headers;
    const KeyWrite write{.bucket = op.bucket,
                         .key = op.key,
                         .object = object,
                         .prepared = op.prepared != 0,
                         .parts = list_of(op, parts),
                         .mode = op.mode,
                         .owner = op.owner,
                         .conditions = op.conditions,
                         .time = op.time};
    TRY_ASSIGN(const KeyTarget target, begin_key_write(tables, write, result));
    if (op.prepared != 0) {
        forget_upload(tables, upload);
    } else {
        TRY(join_parts(tables, upload, op, parts, target.entry.inode));
    }
    return finish_key_write(tables, write, target, result);
}

}  // namespace objstore
