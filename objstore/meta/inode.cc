#include "objstore/meta/inode.h"

#include <fmt/format.h>

#include "objstore/base/mix.h"
#include "objstore/meta/record.h"

namespace objstore {

namespace {

constexpr std::uint8_t kInodeFormat = 1;

// Which optional parts follow, in this order. A bit this code does not know is another format.
enum InodeBits : std::uint64_t {
    kHasRdev = 1U << 0U,
    kHasVerifier = 1U << 1U,
    kHasContentModified = 1U << 2U,
    kHasEtag = 1U << 3U,
    kHasHeaders = 1U << 4U,
    kHasChecksums = 1U << 5U,
    kHasParts = 1U << 6U,
    kHasTarget = 1U << 7U,
    kHasDirectory = 1U << 8U,
    kHasXattrs = 1U << 9U,        // nothing follows
    kExtentsInTable = 1U << 10U,  // nothing follows
    kHasExtents = 1U << 11U,
    kInodeBitsKnown = (1U << 12U) - 1,
};

// Differences of times wrap, so that hostile ones do no harm.
std::int64_t minus(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
std::int64_t plus(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

std::uint64_t bits_of(const Inode& inode) {
    std::uint64_t bits = 0;
    if (inode.rdev != 0) bits |= kHasRdev;
    if (inode.verifier != 0) bits |= kHasVerifier;
    if (inode.content_modified != 0) bits |= kHasContentModified;
    if (inode.etag != ETag{}) bits |= kHasEtag;
    if (!inode.headers.empty()) bits |= kHasHeaders;
    if (!inode.checksums.empty()) bits |= kHasChecksums;
    if (inode.part_count != 0) bits |= kHasParts;
    if (!inode.target.empty()) bits |= kHasTarget;
    if (inode.directory != DirectoryState{}) bits |= kHasDirectory;
    if (inode.has_xattrs) bits |= kHasXattrs;
    if (inode.extents_in_table) bits |= kExtentsInTable;
    if (!inode.extents.empty()) bits |= kHasExtents;
    return bits;
}

void put_directory(RecordWriter& out, const DirectoryState& state) {
    out.byte(static_cast<std::uint8_t>(state.kind));
    out.byte(state.marker ? 1 : 0);
    out.zigzag(state.marker_modified);
    out.varint(state.children);
    out.varint(state.hidden);
    out.varint(state.subdirectories);
    out.varint(state.visible);
}

DirectoryState get_directory(RecordReader& in) {
    DirectoryState state;
    const std::uint8_t kind = in.byte();
    if (kind < 1 || kind > 2) in.fail();
    state.kind = kind == 1 ? DirectoryKind::implied : DirectoryKind::made;
    state.marker = in.boolean();
    state.marker_modified = in.zigzag();
    state.children = in.varint();
    state.hidden = in.varint();
    state.subdirectories = in.varint();
    state.visible = in.varint();
    return state;
}

void put_s3_attributes(RecordWriter& out, const Inode& inode, std::uint64_t bits) {
    if ((bits & kHasEtag) != 0) put_etag(out, inode.etag);
    if ((bits & kHasHeaders) != 0) put_headers(out, inode.headers);
    if ((bits & kHasChecksums) != 0) {
        out.varint(inode.checksums.size());
        for (const StoredChecksum& checksum : inode.checksums) put_checksum(out, checksum);
    }
    if ((bits & kHasParts) != 0) out.varint(inode.part_count);
}

void get_s3_attributes(RecordReader& in, Inode& inode, std::uint64_t bits) {
    if ((bits & kHasEtag) != 0) inode.etag = get_etag(in);
    if ((bits & kHasHeaders) != 0) inode.headers = get_headers(in);
    if ((bits & kHasChecksums) != 0) {
        const std::size_t count = in.count(3);
        inode.checksums.reserve(count);
        for (std::size_t i = 0; i < count && !in.failed(); ++i) {
            inode.checksums.push_back(get_checksum(in));
        }
    }
    if ((bits & kHasParts) != 0) inode.part_count = in.varint32();
}

void get_attributes(RecordReader& in, Inode& inode) {
    inode.mode = in.varint32();
    inode.uid = in.varint32();
    inode.gid = in.varint32();
    inode.nlink = in.varint32();
    inode.size = in.varint();
    inode.mtime = in.zigzag();
    inode.ctime = plus(inode.mtime, in.zigzag());
    inode.atime = plus(inode.mtime, in.zigzag());
    inode.btime = plus(inode.mtime, in.zigzag());
    inode.change = in.varint();
    inode.generation = in.varint();
    inode.bucket = in.varint();
}

}  // namespace

std::string ETag::to_string() const {
    std::string text = to_hex(Bytes(digest));
    if (parts > 0) text += fmt::format("-{}", parts);
    return text;
}

ETag derived_etag(InodeId inode, std::uint64_t generation) {
    // A Feistel network is a permutation: two contents never share an ETag, which a hash of 128
    // bits only makes unlikely.
    std::uint64_t left = inode;
    std::uint64_t right = generation;
    for (std::uint64_t round = 1; round <= 4; ++round) {
        const std::uint64_t next = left ^ mix(right + round * 0x9e3779b97f4a7c15);
        left = right;
        right = next;
    }
    ETag etag;
    store(MutableBytes(etag.digest).first(8), left);
    store(MutableBytes(etag.digest).last(8), right);
    etag.parts = 1;
    return etag;
}

bool hidden_from_paths(std::string_view entry_name) {
    constexpr std::size_t kNameBytesMax = 255;
    std::string_view name = entry_name;
    if (!name.empty() && name.back() == '/') name.remove_suffix(1);
    return name.empty() || name == "." || name == ".." || name.size() > kNameBytesMax;
}

void append_inode(std::string& bytes, const Inode& inode) {
    RecordWriter out(bytes);
    const std::uint64_t bits = bits_of(inode);
    out.byte(kInodeFormat);
    out.varint(bits);
    out.byte(static_cast<std::uint8_t>(inode.type));
    out.varint(inode.mode);
    out.varint(inode.uid);
    out.varint(inode.gid);
    out.varint(inode.nlink);
    out.varint(inode.size);
    out.zigzag(inode.mtime);
    out.zigzag(minus(inode.ctime, inode.mtime));
    out.zigzag(minus(inode.atime, inode.mtime));
    out.zigzag(minus(inode.btime, inode.mtime));
    out.varint(inode.change);
    out.varint(inode.generation);
    out.varint(inode.bucket);
    if ((bits & kHasRdev) != 0) out.varint(inode.rdev);
    if ((bits & kHasVerifier) != 0) out.fixed64(inode.verifier);
    if ((bits & kHasContentModified) != 0) out.zigzag(minus(inode.content_modified, inode.mtime));
    put_s3_attributes(out, inode, bits);
    if ((bits & kHasTarget) != 0) out.text(inode.target);
    if ((bits & kHasDirectory) != 0) put_directory(out, inode.directory);
    if ((bits & kHasExtents) != 0) put_extents(out, inode.extents);
}

std::string encode_inode(const Inode& inode) {
    std::string bytes;
    append_inode(bytes, inode);
    return bytes;
}

Result<Inode> decode_inode(Bytes bytes) {
    RecordReader in(bytes);
    const std::uint8_t format = in.byte();
    if (format != kInodeFormat) {
        return Status::corruption(fmt::format("inode: unknown format {}", format));
    }
    const std::uint64_t bits = in.varint();
    if ((bits & ~std::uint64_t{kInodeBitsKnown}) != 0) {
        return Status::corruption(fmt::format("inode: unknown parts {:#x}", bits));
    }
    const std::uint8_t type = in.byte();
    if (type < 1 || type > 7) return Status::corruption(fmt::format("inode: type {}", type));
    Inode inode;
    inode.type = static_cast<FileType>(type);
    get_attributes(in, inode);
    if ((bits & kHasRdev) != 0) inode.rdev = in.varint();
    if ((bits & kHasVerifier) != 0) inode.verifier = in.fixed64();
    if ((bits & kHasContentModified) != 0) inode.content_modified = plus(inode.mtime, in.zigzag());
    get_s3_attributes(in, inode, bits);
    if ((bits & kHasTarget) != 0) inode.target = in.text();
    if ((bits & kHasDirectory) != 0) inode.directory = get_directory(in);
    inode.has_xattrs = (bits & kHasXattrs) != 0;
    inode.extents_in_table = (bits & kExtentsInTable) != 0;
    if ((bits & kHasExtents) != 0) inode.extents = get_extents(in);
    TRY(in.finish("inode"));
    return inode;
}

}  // namespace objstore
