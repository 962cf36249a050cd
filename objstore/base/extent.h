#pragma once

#include <cstdint>

namespace objstore {

using InodeId = std::uint64_t;
inline constexpr InodeId kRootInode = 1;

// Where the bytes of an extent are. Stored: values never change.
enum class ExtentKind : std::uint8_t {
    inline_data = 1,  // in the namespace itself
    stripe = 2,       // in a stripe of a volume
};

// A byte range of an object and where it lies. A file's extents never overlap; gaps are holes.
struct Extent {
    std::uint64_t logical_offset = 0;  // in the object
    std::uint64_t length = 0;          // bytes, never 0
    ExtentKind kind = ExtentKind::stripe;
    bool shared = false;   // other holders may exist: the `shared` table has all
    bool has_crc = false;  // `crc` is the CRC32C of exactly these bytes
    std::uint32_t crc = 0;
    std::uint64_t volume = 0;          // stripe: the volume's id. inline: 0
    std::uint64_t place = 0;           // stripe: byte offset of its header. inline: id of the row
    std::uint32_t header_bytes = 0;    // stripe: header length, a multiple of 4,096
    std::uint32_t column_bytes = 0;    // stripe: length of each column, a multiple of 4,096
    std::uint32_t payload_offset = 0;  // where in the stripe's (or row's) payload this begins
    std::uint32_t nonce = 0;           // stripe: repeated in its header

    std::uint64_t end() const { return logical_offset + length; }
    bool operator==(const Extent&) const = default;

    // The part [from, to) of this extent, in object offsets; a true part loses its CRC.
    Extent part(std::uint64_t from, std::uint64_t to) const {
        Extent e = *this;
        if (from == logical_offset && to == end()) return e;
        e.payload_offset += static_cast<std::uint32_t>(from - logical_offset);
        e.logical_offset = from;
        e.length = to - from;
        e.has_crc = false;
        e.crc = 0;
        return e;
    }
};

// Who asked for bytes to be stored: kept in stripe headers to locate and salvage, never to decide
// what is alive.
struct Owner {
    InodeId inode = 0;
    std::uint64_t generation = 0;  // of the content that will name them
    std::uint64_t logical_offset = 0;
    std::uint32_t part = 0;  // number of the part of a multipart upload that the offset is in
};

}  // namespace objstore
