#include "objstore/meta/record.h"

#include <limits>

#include <fmt/format.h>

namespace objstore {

namespace {

constexpr std::uint8_t kBodyFormat = 1;

enum ExtentBits : std::uint8_t {
    kExtentKindMask = 0x03,
    kExtentShared = 0x04,
    kExtentHasCrc = 0x08,
    kExtentBitsKnown = 0x0f,
};

void put_extent_body(RecordWriter& out, const Extent& extent) {
    const auto kind = static_cast<std::uint8_t>(extent.kind);
    ASSERT(kind >= 1 && kind <= kExtentKindMask);
    ASSERT(extent.length > 0);
    out.byte(static_cast<std::uint8_t>(kind | (extent.shared ? kExtentShared : 0) |
                                       (extent.has_crc ? kExtentHasCrc : 0)));
    out.varint(extent.length);
    if (extent.has_crc) out.fixed32(extent.crc);
    out.varint(extent.place);
    out.varint(extent.payload_offset);
    if (extent.kind == ExtentKind::inline_data) return;
    out.fixed64(extent.volume);
    out.varint(extent.header_bytes);
    out.varint(extent.column_bytes);
    out.fixed32(extent.nonce);
}

Extent get_extent_body(RecordReader& in, std::uint64_t logical_offset) {
    Extent extent;
    const std::uint8_t bits = in.byte();
    const int kind = bits & kExtentKindMask;
    if ((bits & ~kExtentBitsKnown) != 0 || kind < 1 || kind > 2) in.fail();
    extent.kind = kind == 1 ? ExtentKind::inline_data : ExtentKind::stripe;
    extent.shared = (bits & kExtentShared) != 0;
    extent.has_crc = (bits & kExtentHasCrc) != 0;
    extent.logical_offset = logical_offset;
    extent.length = in.varint();
    if (extent.has_crc) extent.crc = in.fixed32();
    extent.place = in.varint();
    extent.payload_offset = in.varint32();
    if (extent.kind == ExtentKind::stripe) {
        extent.volume = in.fixed64();
        extent.header_bytes = in.varint32();
        extent.column_bytes = in.varint32();
        extent.nonce = in.fixed32();
    }
    if (extent.length == 0 ||
        extent.length > std::numeric_limits<std::uint64_t>::max() - logical_offset) {
        in.fail();
        extent.length = 1;
        extent.logical_offset = 0;
    }
    return extent;
}

}  // namespace

void RecordWriter::varint(std::uint64_t value) {
    while (value >= 0x80) {
        byte(static_cast<std::uint8_t>(value | 0x80));
        value >>= 7;
    }
    byte(static_cast<std::uint8_t>(value));
}

void RecordWriter::zigzag(std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value);
    varint((bits << 1) ^ (value < 0 ? ~std::uint64_t{0} : 0));
}

void RecordWriter::fixed32(std::uint32_t value) {
    out_.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void RecordWriter::fixed64(std::uint64_t value) {
    out_.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void RecordWriter::raw(Bytes bytes) {
    out_.append(as_text(bytes));
}

void RecordWriter::text(std::string_view text) {
    varint(text.size());
    out_.append(text);
}

Bytes RecordReader::take(std::size_t size) {
    if (failed_ || size > rest_.size()) {
        failed_ = true;
        return {};
    }
    const Bytes taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
}

std::uint8_t RecordReader::byte() {
    const Bytes taken = take(1);
    return taken.empty() ? std::uint8_t{0} : std::to_integer<std::uint8_t>(taken[0]);
}

std::uint64_t RecordReader::varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const std::uint8_t next = byte();
        if (failed_) return 0;
        value |= std::uint64_t{next & 0x7fU} << shift;
        if ((next & 0x80) != 0) continue;
        // The tenth byte has room for one bit, and a last byte of zero says nothing.
        if ((shift == 63 && next > 1) || (shift > 0 && next == 0)) break;
        return value;
    }
    failed_ = true;
    return 0;
}

std::uint32_t RecordReader::varint32() {
    const std::uint64_t value = varint();
    if (value > std::numeric_limits<std::uint32_t>::max()) {
        failed_ = true;
        return 0;
    }
    return static_cast<std::uint32_t>(value);
}

std::int64_t RecordReader::zigzag() {
    const std::uint64_t bits = varint();
    return static_cast<std::int64_t>((bits >> 1) ^ ((bits & 1) != 0 ? ~std::uint64_t{0} : 0));
}

std::uint32_t RecordReader::fixed32() {
    const Bytes taken = take(sizeof(std::uint32_t));
    return taken.empty() ? 0 : load<std::uint32_t>(taken);
}

std::uint64_t RecordReader::fixed64() {
    const Bytes taken = take(sizeof(std::uint64_t));
    return taken.empty() ? 0 : load<std::uint64_t>(taken);
}

void RecordReader::raw(MutableBytes out) {
    const Bytes taken = take(out.size());
    if (!taken.empty()) std::memcpy(out.data(), taken.data(), taken.size());
}

std::string_view RecordReader::text() {
    const std::uint64_t size = varint();
    if (size > rest_.size()) failed_ = true;
    return failed_ ? std::string_view() : as_text(take(size));
}

bool RecordReader::boolean() {
    const std::uint8_t value = byte();
    if (value > 1) failed_ = true;
    return value == 1;
}

std::size_t RecordReader::count(std::size_t bytes_min) {
    const std::uint64_t count = varint();
    if (count > rest_.size() / bytes_min) {
        failed_ = true;
        return 0;
    }
    return count;
}

Status RecordReader::finish(std::string_view what) const {
    if (failed_) return Status::corruption(fmt::format("{}: the record is damaged", what));
    if (!rest_.empty()) {
        return Status::corruption(fmt::format("{}: {} bytes left over", what, rest_.size()));
    }
    return {};
}

void put_extents(RecordWriter& out, const std::vector<Extent>& extents) {
    out.varint(extents.size());
    std::uint64_t end = 0;
    for (const Extent& extent : extents) {
        ASSERT(extent.logical_offset >= end);
        out.varint(extent.logical_offset - end);
        put_extent_body(out, extent);
        end = extent.end();
    }
}

std::vector<Extent> get_extents(RecordReader& in) {
    constexpr std::size_t kExtentBytesMin = 5;
    const std::size_t count = in.count(kExtentBytesMin);
    std::vector<Extent> extents;
    extents.reserve(count);
    std::uint64_t end = 0;
    for (std::size_t i = 0; i < count && !in.failed(); ++i) {
        const std::uint64_t hole = in.varint();
        if (hole > std::numeric_limits<std::uint64_t>::max() - end) {
            in.fail();
            break;
        }
        extents.push_back(get_extent_body(in, end + hole));
        end = extents.back().end();
    }
    return extents;
}

void put_headers(RecordWriter& out, const HeaderList& headers) {
    out.varint(headers.size());
    for (const auto& [name, value] : headers) {
        out.text(name);
        out.text(value);
    }
}

HeaderList get_headers(RecordReader& in) {
    const std::size_t count = in.count(2);
    HeaderList headers;
    headers.reserve(count);
    for (std::size_t i = 0; i < count && !in.failed(); ++i) {
        std::string name(in.text());
        std::string value(in.text());
        headers.emplace_back(std::move(name), std::move(value));
    }
    return headers;
}

void put_etag(RecordWriter& out, const ETag& etag) {
    out.raw(etag.digest);
    out.varint(etag.parts);
}

ETag get_etag(RecordReader& in) {
    ETag etag;
    in.raw(etag.digest);
    etag.parts = in.varint32();
    return etag;
}

void put_checksum(RecordWriter& out, const StoredChecksum& checksum) {
    out.byte(static_cast<std::uint8_t>(checksum.kind));
    out.varint(checksum.parts);
    out.text(checksum.value);
}

StoredChecksum get_checksum(RecordReader& in) {
    StoredChecksum checksum;
    const std::uint8_t kind = in.byte();
    if (kind > static_cast<std::uint8_t>(ChecksumKind::sha256)) {
        in.fail();
    } else {
        checksum.kind = static_cast<ChecksumKind>(kind);
    }
    checksum.parts = in.varint32();
    checksum.value = in.text();
    return checksum;
}

std::string encode_extent(const Extent& extent) {
    std::string bytes;
    RecordWriter out(bytes);
    out.byte(kBodyFormat);
    put_extent_body(out, extent);
    return bytes;
}

Result<Extent> decode_extent(std::uint64_t logical_offset, Bytes bytes) {
    RecordReader in(bytes);
    if (in.byte() != kBodyFormat) return Status::corruption("extent: unknown format");
    const Extent extent = get_extent_body(in, logical_offset);
    TRY(in.finish("extent"));
    return extent;
}

std::string encode_part(const PartRow& part) {
    std::string bytes;
    RecordWriter out(bytes);
    out.byte(kBodyFormat);
    out.varint(part.size);
    put_etag(out, part.etag);
    put_checksum(out, part.checksum);
    out.zigzag(part.last_modified);
    put_extents(out, part.extents);
    return bytes;
}

Result<PartRow> decode_part(std::uint64_t upload, std::uint32_t number, Bytes bytes) {
    RecordReader in(bytes);
    if (in.byte() != kBodyFormat) return Status::corruption("part: unknown format");
    PartRow part;
    part.upload = upload;
    part.number = number;
    part.size = in.varint();
    part.etag = get_etag(in);
    part.checksum = get_checksum(in);
    part.last_modified = in.zigzag();
    part.extents = get_extents(in);
    TRY(in.finish("part"));
    return part;
}

std::string encode_object_parts(const std::vector<ObjectPart>& parts) {
    std::string bytes;
    RecordWriter out(bytes);
    out.byte(kBodyFormat);
    out.varint(parts.size());
    for (const ObjectPart& part : parts) {
        out.varint(part.number);
        out.varint(part.size);
        out.text(part.checksum);
    }
    return bytes;
}

Result<std::vector<ObjectPart>> decode_object_parts(Bytes bytes) {
    RecordReader in(bytes);
    if (in.byte() != kBodyFormat) return Status::corruption("object parts: unknown format");
    const std::size_t count = in.count(3);
    std::vector<ObjectPart> parts;
    parts.reserve(count);
    for (std::size_t i = 0; i < count && !in.failed(); ++i) {
        ObjectPart part;
        part.number = in.varint32();
        part.size = in.varint();
        part.checksum = in.text();
        parts.push_back(std::move(part));
    }
    TRY(in.finish("object parts"));
    return parts;
}

std::string encode_upload(const UploadRow& upload) {
    std::string bytes;
    RecordWriter out(bytes);
    out.byte(kBodyFormat);
    out.byte(static_cast<std::uint8_t>(upload.checksum_kind));
    out.byte(upload.checksum_full_object ? 1 : 0);
    put_headers(out, upload.headers);
    return bytes;
}

Status decode_upload(Bytes bytes, UploadRow& upload) {
    RecordReader in(bytes);
    if (in.byte() != kBodyFormat) return Status::corruption("upload: unknown format");
    const std::uint8_t kind = in.byte();
    if (kind > static_cast<std::uint8_t>(ChecksumKind::sha256)) {
        return Status::corruption("upload: unknown checksum");
    }
    upload.checksum_kind = static_cast<ChecksumKind>(kind);
    upload.checksum_full_object = in.boolean();
    upload.headers = get_headers(in);
    return in.finish("upload");
}

}  // namespace objstore
