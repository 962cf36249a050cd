#include "objstore/volume/format.h"

#include <algorithm>
#include <charconv>
#include <cstddef>

#include <fmt/format.h>

#include "objstore/erasure/checksum.h"

namespace objstore {

namespace {

template <typename T>
Bytes bytes_of(const T& value) {
    return std::as_bytes(std::span(&value, 1));
}

// Of all of a structure but the checksum at its end.
template <typename T>
std::uint32_t own_crc(const T& value) {
    static_assert(offsetof(T, crc) + sizeof(value.crc) == sizeof(T));
    return crc32c(bytes_of(value).first(offsetof(T, crc)));
}

bool is_block_multiple(std::uint64_t value) {
    return value != 0 && value % kBlockBytes == 0;
}

Status check_ranges(const StripePrologue& p) {
    const Geometry geometry{p.data, p.parity};
    if (!geometry.valid() || p.shard >= geometry.shards()) {
        return Status::corruption("stripe header: bad geometry");
    }
    if (!is_block_multiple(p.header_bytes) || p.header_bytes > kHeaderBytesMax ||
        !is_block_multiple(p.column_bytes) || p.column_bytes > kColumnBytesMax ||
        p.stripe_bytes != p.header_bytes + p.column_bytes) {
        return Status::corruption("stripe header: bad lengths");
    }
    if (p.payload_bytes == 0 || p.payload_bytes > std::uint64_t{p.data} * p.column_bytes) {
        return Status::corruption("stripe header: bad payload length");
    }
    if (!is_block_multiple(p.place) || p.place > UINT64_MAX / 2 || p.volume == 0) {
        return Status::corruption("stripe header: bad place");
    }
    return {};
}

Status check_entries(const Footer& footer) {
    std::uint64_t at = kSuperblockBytes;
    std::uint64_t payload_bytes = 0;
    for (const FooterEntry& e : footer.index) {
        if (e.place < at || e.place > footer.trailer.length || e.place % kBlockBytes != 0 ||
            !is_block_multiple(e.header_bytes) || e.header_bytes > kHeaderBytesMax ||
            !is_block_multiple(e.column_bytes) || e.column_bytes > kColumnBytesMax ||
            e.payload_bytes == 0 || e.payload_bytes > kShardsMax * e.column_bytes) {
            return Status::corruption("footer: bad stripe index");
        }
        at = e.end();
        payload_bytes += e.payload_bytes;
    }
    if (at > footer.trailer.length || payload_bytes != footer.trailer.payload_bytes) {
        return Status::corruption("footer: stripe index and lengths disagree");
    }
    return {};
}

// Appends a section at `at` and returns where the next one goes.
std::size_t put_section(MutableBytes header, std::size_t at, SectionType type, Bytes body) {
    store(
        header.subspan(at),
        SectionHead{static_cast<std::uint16_t>(type), 0, static_cast<std::uint32_t>(body.size())});
    std::ranges::copy(body, header.subspan(at + sizeof(SectionHead)).begin());
    return at + sizeof(SectionHead) + round_up<std::size_t>(body.size(), 8);
}

}  // namespace

std::string shard_dir(VolumeId id) {
    return fmt::format("{}/{:02x}", kVolumesDir, id >> 56);
}

std::string shard_path(VolumeId id, int shard) {
    return fmt::format("{}/{:02x}/{:016x}.{}", kVolumesDir, id >> 56, id, shard);
}

Result<ShardName> parse_shard_name(std::string_view name) {
    ShardName found;
    const char* const end = name.data() + name.size();
    if (name.size() >= 18 && name[16] == '.') {
        const auto id = std::from_chars(name.data(), name.data() + 16, found.id, 16);
        const auto shard = std::from_chars(name.data() + 17, end, found.shard);
        const bool parsed = id.ec == std::errc() && shard.ec == std::errc() && shard.ptr == end;
        // Only the one spelling: what shard_path would call it.
        if (parsed && found.shard >= 0 && found.shard < kShardsMax &&
            fmt::format("{:016x}.{}", found.id, found.shard) == name) {
            return found;
        }
    }
    return Status::not_found(fmt::format("{}: not a shard file", name));
}

Superblock make_superblock(const VolumeRow& row, const SuperblockFields& fields) {
    ASSERT(row.geometry.valid());
    ASSERT(fields.shard >= 0 && fields.shard < row.geometry.shards());
    Superblock s{};
    s.magic = kSuperblockMagic;
    s.format = kVolumeFormat;
    s.granule_bytes = kGranuleBytes;
    s.volume = row.id;
    s.shard = static_cast<std::uint8_t>(fields.shard);
    s.data = row.geometry.data;
    s.parity = row.geometry.parity;
    s.code = row.code;
    s.checksum = row.checksum;
    s.storage_class = row.storage_class;
    s.pool = row.pool;
    s.node = row.node;
    s.deployment = fields.deployment;
    s.disks = row.disks;
    s.created = fields.created;
    s.crc = own_crc(s);
    return s;
}

Result<Superblock> parse_superblock(Bytes bytes) {
    if (bytes.size() < sizeof(Superblock)) return Status::corruption("superblock: too short");
    const auto s = load<Superblock>(bytes);
    if (s.magic != kSuperblockMagic) return Status::corruption("superblock: bad magic");
    if (s.crc != own_crc(s)) return Status::corruption("superblock: bad checksum");
    if (s.format != kVolumeFormat || s.incompatible != 0) {
        return Status::unsupported(
            fmt::format("superblock: format {}, features {:x}", s.format, s.incompatible));
    }
    if (s.code != 1 || s.checksum != 1 || s.granule_bytes != kGranuleBytes) {
        return Status::unsupported("superblock: unknown code, checksum or granule");
    }
    const Geometry geometry{s.data, s.parity};
    if (!geometry.valid() || s.shard >= geometry.shards() || s.volume == 0) {
        return Status::corruption("superblock: bad geometry");
    }
    return s;
}

StripeLayout stripe_layout(std::uint32_t payload_bytes,
                           std::size_t owner_count,
                           Geometry geometry) {
    ASSERT(payload_bytes > 0 && payload_bytes <= geometry.data * kColumnBytesMax);
    ASSERT(owner_count <= kOwnersMax);
    StripeLayout layout;
    layout.payload_bytes = payload_bytes;
    const std::uint32_t data = geometry.data;
    layout.column_bytes =
        round_up((payload_bytes + data - 1) / data, static_cast<std::uint32_t>(kBlockBytes));
    const std::size_t granules =
        round_up<std::size_t>(layout.column_bytes, kGranuleBytes) / kGranuleBytes;
    const std::size_t used = sizeof(StripePrologue) + 2 * sizeof(SectionHead) +
                             round_up<std::size_t>(granules * 4, 8) +
                             owner_count * sizeof(OwnerEntry);
    layout.header_bytes = static_cast<std::uint32_t>(round_up(used, kBlockBytes));
    return layout;
}

void build_stripe_header(const StripeFields& fields, int shard, Bytes column, MutableBytes header) {
    const StripeLayout& layout = fields.layout;
    ASSERT(header.size() == layout.header_bytes);
    ASSERT(column.size() == layout.column_bytes);
    ASSERT(fields.place % kBlockBytes == 0);
    std::ranges::fill(header, std::byte{0});
    std::array<std::uint32_t, kGranulesMax> granules;
    std::size_t count = 0;
    for (std::size_t at = 0; at < column.size(); at += kGranuleBytes) {
        granules.at(count++) =
            crc32c(column.subspan(at, std::min(kGranuleBytes, column.size() - at)));
    }
    std::size_t at = sizeof(StripePrologue);
    at = put_section(
        header, at, SectionType::granules, std::as_bytes(std::span(granules).first(count)));
    put_section(header, at, SectionType::owners, std::as_bytes(fields.owners));

    StripePrologue p{};
    p.magic = kStripeMagic;
    p.nonce = fields.nonce;
    p.volume = fields.volume;
    p.place = fields.place;
    p.stripe_bytes = layout.bytes();
    p.header_bytes = layout.header_bytes;
    p.column_bytes = layout.column_bytes;
    p.payload_bytes = layout.payload_bytes;
    p.shard = static_cast<std::uint8_t>(shard);
    p.data = fields.geometry.data;
    p.parity = fields.geometry.parity;
    p.section_count = 2;
    p.sequence = fields.sequence;
    p.sections_crc = crc32c(header.subspan(sizeof(StripePrologue)));
    p.crc = own_crc(p);
    store(header, p);
}

Result<StripePrologue> StripeHeader::parse_prologue(Bytes bytes) {
    if (bytes.size() < sizeof(StripePrologue)) return Status::corruption("stripe header: short");
    const auto p = load<StripePrologue>(bytes);
    if (p.magic != kStripeMagic) return Status::corruption("stripe header: bad magic");
    if (p.crc != own_crc(p)) return Status::corruption("stripe header: bad checksum");
    if (p.features != 0) {
        return Status::unsupported(fmt::format("stripe header: features {:x}", p.features));
    }
    TRY(check_ranges(p));
    return p;
}

Result<StripeHeader> StripeHeader::parse(Bytes bytes) {
    StripeHeader header;
    TRY_ASSIGN(header.prologue_, parse_prologue(bytes));
    if (bytes.size() < header.prologue_.header_bytes) {
        return Status::corruption("stripe header: cut short");
    }
    const Bytes sections =
        bytes.first(header.prologue_.header_bytes).subspan(sizeof(StripePrologue));
    if (crc32c(sections) != header.prologue_.sections_crc) {
        return Status::corruption("stripe header: bad checksum of sections");
    }
    TRY(header.parse_sections(sections));
    return header;
}

Status StripeHeader::parse_sections(Bytes sections) {
    for (unsigned i = 0; i < prologue_.section_count; ++i) {
        if (sections.size() < sizeof(SectionHead)) {
            return Status::corruption("stripe header: sections cut short");
        }
        const auto head = load<SectionHead>(sections);
        sections = sections.subspan(sizeof(SectionHead));
        const auto padded = round_up<std::uint64_t>(head.bytes, 8);
        if (padded > sections.size()) return Status::corruption("stripe header: section too long");
        TRY(take_section(head, sections.first(head.bytes)));
        sections = sections.subspan(static_cast<std::size_t>(padded));
    }
    const std::size_t granules =
        round_up<std::size_t>(prologue_.column_bytes, kGranuleBytes) / kGranuleBytes;
    if (granule_count() != granules) return Status::corruption("stripe header: granules missing");
    return {};
}

Status StripeHeader::take_section(SectionHead head, Bytes body) {
    switch (static_cast<SectionType>(head.type)) {
        case SectionType::granules:
            if (!granules_.empty() || body.size() % 4 != 0) {
                return Status::corruption("stripe header: bad granules");
            }
            granules_ = body;
            return {};
        case SectionType::owners:
            if (!owners_.empty() || body.size() % sizeof(OwnerEntry) != 0) {
                return Status::corruption("stripe header: bad owners");
            }
            owners_ = body;
            return {};
        case SectionType::log:
            return {};
    }
    return {};
}

std::uint32_t StripeHeader::granule_crc(std::size_t index) const {
    return load<std::uint32_t>(granules_.subspan(index * 4));
}

OwnerEntry StripeHeader::owner(std::size_t index) const {
    return load<OwnerEntry>(owners_.subspan(index * sizeof(OwnerEntry)));
}

std::size_t footer_bytes(std::size_t stripe_count) {
    return round_up(stripe_count * sizeof(FooterEntry) + sizeof(FooterTrailer), kBlockBytes);
}

void build_footer(const FooterFields& fields,
                  std::span<const FooterEntry> index,
                  MutableBytes footer) {
    ASSERT(footer.size() == footer_bytes(index.size()));
    ASSERT(fields.length % kBlockBytes == 0);
    FooterTrailer t{};
    t.magic = kFooterMagic;
    t.volume = fields.volume;
    t.length = fields.length;
    for (const FooterEntry& e : index) t.payload_bytes += e.payload_bytes;
    t.stripe_count = static_cast<std::uint32_t>(index.size());
    t.footer_bytes = static_cast<std::uint32_t>(footer.size());
    t.shard = static_cast<std::uint8_t>(fields.shard);
    const MutableBytes body = footer.first(footer.size() - sizeof(FooterTrailer));
    std::ranges::fill(body, std::byte{0});
    std::ranges::copy(std::as_bytes(index), body.begin());
    t.index_crc = crc32c(body);
    t.crc = own_crc(t);
    store(footer.subspan(body.size()), t);
}

Result<FooterTrailer> parse_footer_trailer(Bytes bytes) {
    if (bytes.size() < sizeof(FooterTrailer)) return Status::corruption("footer: too short");
    const auto t = load<FooterTrailer>(bytes.last(sizeof(FooterTrailer)));
    if (t.magic != kFooterMagic) return Status::corruption("footer: bad magic");
    if (t.crc != own_crc(t)) return Status::corruption("footer: bad checksum");
    if (t.features != 0) return Status::unsupported("footer: unknown features");
    if (t.footer_bytes > kFooterBytesMax || t.footer_bytes != footer_bytes(t.stripe_count) ||
        t.length < kSuperblockBytes || t.length % kBlockBytes != 0 || t.volume == 0 ||
        t.length > UINT64_MAX / 2) {
        return Status::corruption("footer: bad lengths");
    }
    return t;
}

Result<Footer> parse_footer(Bytes bytes) {
    Footer footer;
    TRY_ASSIGN(footer.trailer, parse_footer_trailer(bytes));
    if (bytes.size() != footer.trailer.footer_bytes) {
        return Status::corruption("footer: cut short");
    }
    const Bytes body = bytes.first(bytes.size() - sizeof(FooterTrailer));
    if (crc32c(body) != footer.trailer.index_crc) {
        return Status::corruption("footer: bad checksum of the index");
    }
    footer.index.resize(footer.trailer.stripe_count);
    std::ranges::copy(body.first(footer.index.size() * sizeof(FooterEntry)),
                      std::as_writable_bytes(std::span(footer.index)).begin());
    TRY(check_entries(footer));
    return footer;
}

}  // namespace objstore
