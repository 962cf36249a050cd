#include <cstddef>
#include <cstdint>
#include <vector>

#include "objstore/erasure/checksum.h"
#include "objstore/volume/format.h"

// What a rotten or hostile disk may hold: superblocks, stripe headers, footers. The bytes are
// parsed as they are, and once more with the checksums made right, to come past them.

namespace {

using namespace objstore;

void look_at_header(Bytes bytes) {
    const auto header = StripeHeader::parse(bytes);
    if (!header.ok()) return;
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < header->granule_count(); ++i) sum += header->granule_crc(i);
    for (std::size_t i = 0; i < header->owner_count(); ++i) sum += header->owner(i).length;
    ASSERT(header->granule_count() <= kGranulesMax || sum == 0);
    ASSERT(header->prologue().header_bytes <= bytes.size());
}

void look_at_footer(Bytes bytes) {
    const auto footer = parse_footer(bytes);
    if (!footer.ok()) return;
    for (const FooterEntry& e : footer->index) ASSERT(e.end() <= footer->trailer.length);
}

void look(Bytes bytes) {
    look_at_header(bytes);
    look_at_footer(bytes);
    (void)parse_superblock(bytes);
    (void)parse_shard_name(as_text(bytes));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes bytes = std::as_bytes(std::span(data, size));
    look(bytes);
    if (size < sizeof(FooterTrailer)) return 0;
    std::vector<std::byte> fixed(bytes.begin(), bytes.end());
    const MutableBytes all = fixed;
    auto prologue = load<StripePrologue>(all);
    if (prologue.magic == kStripeMagic && prologue.header_bytes >= sizeof(prologue) &&
        prologue.header_bytes <= size) {
        prologue.sections_crc = crc32c(all.first(prologue.header_bytes).subspan(sizeof(prologue)));
        prologue.crc = crc32c(std::as_bytes(std::span(&prologue, 1)).first(60));
        store(all, prologue);
        look(all);
    }
    const MutableBytes end = all.last(sizeof(FooterTrailer));
    auto trailer = load<FooterTrailer>(end);
    if (trailer.magic == kFooterMagic) {
        trailer.index_crc = crc32c(all.first(size - sizeof(trailer)));
        trailer.crc = crc32c(std::as_bytes(std::span(&trailer, 1)).first(60));
        store(end, trailer);
        look(all);
    }
    if (size >= sizeof(Superblock)) {
        auto superblock = load<Superblock>(all);
        superblock.magic = kSuperblockMagic;
        superblock.crc =
            crc32c(std::as_bytes(std::span(&superblock, 1)).first(sizeof(superblock) - 4));
        store(all, superblock);
        look(all);
    }
    return 0;
}
