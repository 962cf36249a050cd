#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "objstore/base/bytes.h"
#include "objstore/base/extent.h"
#include "objstore/base/status.h"
#include "objstore/meta/inode.h"
#include "objstore/meta/rows.h"

// How records are laid out inside the columns of the namespace (docs/formats.md). Integers are
// varints: 7 bits a byte, lowest first, the top bit set on all but the last, at most 10 bytes and
// no longer than needed. Signed ones are zigzag coded first. Text is its length, then its bytes.
namespace objstore {

class RecordWriter final {
public:
    explicit RecordWriter(std::string& out) : out_(out) {}

    void byte(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
    void varint(std::uint64_t value);
    void zigzag(std::int64_t value);
    void fixed32(std::uint32_t value);
    void fixed64(std::uint64_t value);
    void raw(Bytes bytes);
    void text(std::string_view text);

private:
    std::string& out_;
};

// Reads what RecordWriter wrote, from bytes that may be hostile. The first thing that is wrong
// makes all later reads answer zero or empty; `finish` tells.
class RecordReader final {
public:
    explicit RecordReader(Bytes bytes) : rest_(bytes) {}

    std::uint8_t byte();
    std::uint64_t varint();
    std::uint32_t varint32();
    std::int64_t zigzag();
    std::uint32_t fixed32();
    std::uint64_t fixed64();
    void raw(MutableBytes out);
    std::string_view text();
    bool boolean();
    // A count of things that take at least `bytes_min` each: never more than can follow.
    std::size_t count(std::size_t bytes_min);

    void fail() { failed_ = true; }
    bool failed() const { return failed_; }
    // corruption: something was wrong, or bytes are left over.
    Status finish(std::string_view what) const;

private:
    Bytes take(std::size_t size);

    Bytes rest_;
    bool failed_ = false;
};

// Extents in order. Logical offsets are stored as distances from the end of the one before, so
// overlap cannot be expressed.
void put_extents(RecordWriter& out, const std::vector<Extent>& extents);
std::vector<Extent> get_extents(RecordReader& in);
void put_headers(RecordWriter& out, const HeaderList& headers);
HeaderList get_headers(RecordReader& in);
void put_etag(RecordWriter& out, const ETag& etag);
ETag get_etag(RecordReader& in);
void put_checksum(RecordWriter& out, const StoredChecksum& checksum);
StoredChecksum get_checksum(RecordReader& in);

// Appends the stored record of an inode to `out` (see encode_inode).
void append_inode(std::string& out, const Inode& inode);

// Bodies of other rows: all but their key columns.
std::string encode_extent(const Extent& extent);  // all but the logical offset
Result<Extent> decode_extent(std::uint64_t logical_offset, Bytes bytes);
std::string encode_part(const PartRow& part);
Result<PartRow> decode_part(std::uint64_t upload, std::uint32_t number, Bytes bytes);
std::string encode_object_parts(const std::vector<ObjectPart>& parts);
Result<std::vector<ObjectPart>> decode_object_parts(Bytes bytes);
std::string encode_upload(const UploadRow& upload);  // headers and checksum settings
Status decode_upload(Bytes bytes, UploadRow& upload);

}  // namespace objstore
