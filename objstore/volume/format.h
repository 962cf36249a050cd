#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "objstore/base/bytes.h"
#include "objstore/base/extent.h"
#include "objstore/base/status.h"
#include "objstore/erasure/volume_row.h"
#include "objstore/volume/volume_store.h"

// The bytes of a shard file. All integers are little-endian; all structures start on multiples of
// 4,096 and what pads them to one is zero; all checksums are CRC32C.
//
//     0               Superblock, 4,096 bytes
//     4,096 ...       stripes, each a header and this shard's column; between them may lie garbage
//                     of writes that were never acknowledged
//     length          Footer: stripe index and trailer; there once the volume is sealed
//
// Shard i of a volume is the file vol/XX/<id>.<i> of disks[i]: the id as 16 hex digits, XX the
// first two of them, i decimal. A stripe lies at the same offset in all shard files of a volume.
// Its payload is one run of bytes, cut into `data` columns of equal length, zeros at the end;
// shard i < data has column i, the others have parity columns (codec.h has the matrix).
namespace objstore {

inline constexpr std::uint64_t kSuperblockMagic = 0x4c4f5652'4c485341;  // "ASHLRVOL"
inline constexpr std::uint64_t kFooterMagic = 0x52544f46'4c485341;      // "ASHLFOTR"
inline constexpr std::uint32_t kStripeMagic = 0x50525453;               // "STRP"
inline constexpr std::uint32_t kVolumeFormat = 1;
inline constexpr std::size_t kSuperblockBytes = 4096;
inline constexpr std::size_t kHeaderBytesMax = 64 * kKiB;
inline constexpr std::size_t kGranulesMax = kColumnBytesMax / kGranuleBytes;
inline constexpr std::size_t kFooterBytesMax = 64 * kMiB;
inline constexpr std::size_t kStripesMax = 2'000'000;  // of a volume

// The first block of a shard file. Who meets an unknown bit in `incompatible` leaves the file
// alone, in `ro_compatible` only reads it, in `compatible` may ignore it. No bit is defined yet.
struct Superblock {
    std::uint64_t magic;                          //   0  kSuperblockMagic
    std::uint32_t format;                         //   8  kVolumeFormat
    std::uint32_t granule_bytes;                  //  12  16,384
    std::uint64_t compatible;                     //  16
    std::uint64_t ro_compatible;                  //  24
    std::uint64_t incompatible;                   //  32
    std::uint64_t volume;                         //  40  id
    std::uint8_t shard;                           //  48  index of this file
    std::uint8_t data;                            //  49  geometry
    std::uint8_t parity;                          //  50
    std::uint8_t code;                            //  51  1: Reed-Solomon, Cauchy matrix
    std::uint8_t checksum;                        //  52  1: CRC32C
    std::uint8_t storage_class;                   //  53
    std::uint8_t pool;                            //  54
    std::uint8_t zero1;                           //  55
    std::uint64_t node;                           //  56  its maker
    std::array<std::uint64_t, 2> deployment;      //  64
    std::array<std::uint64_t, kShardsMax> disks;  //  80  of shard 0, 1 ...; 0 past the last
    std::int64_t created;                         // 208  nanoseconds since 1970
    std::array<std::uint8_t, 3876> zero2;         // 216
    std::uint32_t crc;                            // 4092 of bytes 0 ... 4091
};
static_assert(sizeof(Superblock) == kSuperblockBytes);
static_assert(std::has_unique_object_representations_v<Superblock>);

// The first 64 bytes of a stripe header; sections follow. The same in all shards of the stripe but
// for `shard` and the checksums. An unknown bit in `features` makes the stripe unreadable.
struct StripePrologue {
    std::uint32_t magic;          //  0  kStripeMagic
    std::uint32_t nonce;          //  4  random; extents repeat it
    std::uint64_t volume;         //  8  id
    std::uint64_t place;          // 16  offset of this byte in the shard file
    std::uint32_t stripe_bytes;   // 24  of header and column: where the next stripe may begin
    std::uint32_t header_bytes;   // 28  4,096 ... 65,536
    std::uint32_t column_bytes;   // 32  4,096 ... 1,048,576
    std::uint32_t payload_bytes;  // 36  1 ... data * column_bytes
    std::uint32_t features;       // 40  0
    std::uint8_t shard;           // 44
    std::uint8_t data;            // 45  geometry
    std::uint8_t parity;          // 46
    std::uint8_t section_count;   // 47
    std::uint64_t sequence;       // 48  StripeOrder
    std::uint32_t sections_crc;   // 56  of bytes 64 ... header_bytes - 1, padding too
    std::uint32_t crc;            // 60  of bytes 0 ... 59
};
static_assert(sizeof(StripePrologue) == 64);
static_assert(std::has_unique_object_representations_v<StripePrologue>);

// A section: this, `bytes` of body, zeros up to a multiple of 8. Unknown types are skipped.
struct SectionHead {
    std::uint16_t type;   // 0  SectionType
    std::uint16_t zero;   // 2
    std::uint32_t bytes;  // 4
};
static_assert(sizeof(SectionHead) == 8);
static_assert(std::has_unique_object_representations_v<SectionHead>);

enum class SectionType : std::uint16_t {
    granules = 1,  // a CRC32C (4 bytes) of each 16 KiB of this shard's column, the last maybe short
    owners = 2,    // OwnerEntry, by payload_offset
    log = 3,       // not used yet: namespace operations with a sequence number
};

// Who asked for a piece of the payload: for salvage, what is alive the namespace decides. Where
// pieces of an object overlap, the higher generation is newer, then the stripe's higher sequence.
struct OwnerEntry {
    std::uint64_t inode;           //  0  a part's: of the upload, which becomes the object's
    std::uint64_t generation;      //  8  of the content, once the piece is named
    std::uint64_t offset;          // 16  in the object, or owner_offset of a part
    std::uint32_t payload_offset;  // 24
    std::uint32_t length;          // 28
};
static_assert(sizeof(OwnerEntry) == 32);
static_assert(std::has_unique_object_representations_v<OwnerEntry>);

// Of a part of a multipart upload: bit 63, and the part's number * 2^40 + the offset in the part.
inline constexpr std::uint64_t kOwnerIsPart = std::uint64_t{1} << 63;
inline constexpr std::uint64_t kOwnerPartBytes = std::uint64_t{1} << 40;
constexpr std::uint64_t owner_offset(const Owner& owner, std::uint64_t logical_offset) {
    if (owner.part == 0) return logical_offset;
    return kOwnerIsPart + owner.part * kOwnerPartBytes + logical_offset;
}
constexpr std::uint64_t logical_offset(const OwnerEntry& entry) {  // in the object or the part
    return (entry.offset & kOwnerIsPart) == 0 ? entry.offset : entry.offset % kOwnerPartBytes;
}

// As many owners as the largest header has room for, beside the granules of the largest column.
inline constexpr std::size_t kOwnersMax =
    (kHeaderBytesMax - sizeof(StripePrologue) - 2 * sizeof(SectionHead) - 4 * kGranulesMax) /
    sizeof(OwnerEntry);
static_assert(kOwnersMax == 2037);

// One stripe in the index of a footer, by place.
struct FooterEntry {
    std::uint64_t place;          //  0
    std::uint32_t header_bytes;   //  8
    std::uint32_t column_bytes;   // 12
    std::uint32_t payload_bytes;  // 16
    std::uint32_t nonce;          // 20

    std::uint64_t end() const { return place + header_bytes + column_bytes; }
};
static_assert(sizeof(FooterEntry) == 24);
static_assert(std::has_unique_object_representations_v<FooterEntry>);

// The last 64 bytes of a sealed shard file. The footer is the index from its start, zeros, this.
struct FooterTrailer {
    std::uint64_t magic;                //  0  kFooterMagic
    std::uint64_t volume;               //  8
    std::uint64_t length;               // 16  where the footer begins in the file
    std::uint64_t payload_bytes;        // 24  of all stripes in the index
    std::uint32_t stripe_count;         // 32
    std::uint32_t footer_bytes;         // 36  a multiple of 4,096
    std::uint32_t features;             // 40  0; an unknown bit makes the footer unreadable
    std::uint8_t shard;                 // 44
    std::array<std::uint8_t, 11> zero;  // 45
    std::uint32_t index_crc;            // 56  of all that precedes the trailer in the footer
    std::uint32_t crc;                  // 60  of bytes 0 ... 59
};
static_assert(sizeof(FooterTrailer) == 64);
static_assert(std::has_unique_object_representations_v<FooterTrailer>);

// "vol/3f/3f00c0ffee123456.4"
std::string shard_path(VolumeId id, int shard);
std::string shard_dir(VolumeId id);  // "vol/3f"
inline constexpr std::string_view kVolumesDir = "vol";
struct ShardName {
    VolumeId id = 0;
    int shard = 0;
};
// Of a file name without its directory. not_found: not the name of a shard file.
Result<ShardName> parse_shard_name(std::string_view name);

struct SuperblockFields {
    int shard = 0;
    std::array<std::uint64_t, 2> deployment{};
    UnixNanos created = 0;
};
Superblock make_superblock(const VolumeRow& row, const SuperblockFields& fields);
// corruption: damaged or not a superblock. unsupported: a newer format or unknown features.
Result<Superblock> parse_superblock(Bytes bytes);

// The lengths of a stripe's parts.
struct StripeLayout {
    std::uint32_t payload_bytes = 0;
    std::uint32_t header_bytes = 0;
    std::uint32_t column_bytes = 0;
    std::uint32_t bytes() const { return header_bytes + column_bytes; }
    bool operator==(const StripeLayout&) const = default;
};
// Of a payload of 1 ... data * kColumnBytesMax bytes for up to kOwnersMax owners.
StripeLayout stripe_layout(std::uint32_t payload_bytes, std::size_t owner_count, Geometry geometry);

struct StripeFields {
    VolumeId volume = 0;
    Geometry geometry;
    std::uint64_t place = 0;
    std::uint64_t sequence = 0;
    std::uint32_t nonce = 0;
    StripeLayout layout;
    std::span<const OwnerEntry> owners;
};
// Fills `header` (layout.header_bytes) for a shard whose column is given.
void build_stripe_header(const StripeFields& fields, int shard, Bytes column, MutableBytes header);

// A checked stripe header; looks into the bytes that it was parsed from.
class StripeHeader final {
public:
    // The first 64 bytes alone, their checksum and ranges. corruption; unsupported: features.
    static Result<StripePrologue> parse_prologue(Bytes bytes);
    // `bytes` begin with the header and may go on.
    static Result<StripeHeader> parse(Bytes bytes);

    const StripePrologue& prologue() const { return prologue_; }
    std::size_t granule_count() const { return granules_.size() / 4; }
    std::uint32_t granule_crc(std::size_t index) const;
    std::size_t owner_count() const { return owners_.size() / sizeof(OwnerEntry); }
    OwnerEntry owner(std::size_t index) const;

private:
    Status parse_sections(Bytes sections);
    Status take_section(SectionHead head, Bytes body);

    StripePrologue prologue_{};
    Bytes granules_;
    Bytes owners_;
};

static_assert(kStripesMax * sizeof(FooterEntry) + kBlockBytes <= kFooterBytesMax);
std::size_t footer_bytes(std::size_t stripe_count);
struct FooterFields {
    VolumeId volume = 0;
    int shard = 0;
    std::uint64_t length = 0;
};
// `index` by place. Fills `footer` (footer_bytes(index.size())).
void build_footer(const FooterFields& fields,
                  std::span<const FooterEntry> index,
                  MutableBytes footer);
struct Footer {
    FooterTrailer trailer{};
    std::vector<FooterEntry> index;
};
// Of the last 64 bytes of a file: tells how long the footer is.
Result<FooterTrailer> parse_footer_trailer(Bytes bytes);
// Of the whole footer.
Result<Footer> parse_footer(Bytes bytes);

}  // namespace objstore
