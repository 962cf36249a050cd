#include "objstore/meta/sqlite_page.h"

#include "objstore/erasure/checksum.h"
#include "objstore/meta/sqlite_vfs.h"

namespace objstore {

namespace {

struct PageStamp {
    std::uint32_t crc;
    std::uint32_t number;
    std::uint64_t sequence;
};
static_assert(sizeof(PageStamp) == kSqliteReserveBytes);
static_assert(std::has_unique_object_representations_v<PageStamp>);

constexpr std::size_t kStampedBytes = kSqlitePageBytes - kSqliteReserveBytes;

PageStamp stamp_of(Bytes page, std::uint32_t number, std::uint64_t sequence) {
    ASSERT(page.size() == kSqlitePageBytes);
    ASSERT(number > 0);
    const std::uint32_t seed = crc32c(std::as_bytes(std::span(&sequence, 1)),
                                      crc32c(std::as_bytes(std::span(&number, 1))));
    return {crc32c(page.first(kStampedBytes), seed), number, sequence};
}

}  // namespace

void stamp_sqlite_page(MutableBytes page, std::uint32_t number, std::uint64_t sequence) {
    store(page.subspan(kStampedBytes), stamp_of(page, number, sequence));
}

bool is_valid_sqlite_page(Bytes page, std::uint32_t number) {
    const auto found = load<PageStamp>(page.subspan(kStampedBytes));
    return found.number == number && found.crc == stamp_of(page, number, found.sequence).crc;
}

std::uint64_t sequence_of_sqlite_page(Bytes page) {
    ASSERT(page.size() == kSqlitePageBytes);
    return load<PageStamp>(page.subspan(kStampedBytes)).sequence;
}

bool has_reserve_for_stamp(Bytes header) {
    constexpr std::size_t kPageSizeAt = 16;  // two bytes, the high one first
    constexpr std::size_t kReserveAt = 20;
    ASSERT(header.size() > kReserveAt);
    const auto high = std::to_integer<std::uint32_t>(header[kPageSizeAt]);
    const auto low = std::to_integer<std::uint32_t>(header[kPageSizeAt + 1]);
    const auto reserve = std::to_integer<std::uint32_t>(header[kReserveAt]);
    return high * 256 + low == kSqlitePageBytes && reserve == kSqliteReserveBytes;
}

}  // namespace objstore
