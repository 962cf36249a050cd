#include "objstore/mirror/record.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "objstore/erasure/checksum.h"

namespace objstore {

namespace {

constexpr std::array<char, 8> kMagic = {'A', 'S', 'H', 'L', 'A', 'R', 'M', 'R'};
constexpr std::uint32_t kFormat = 1;
// Features that this version knows: none yet.
constexpr std::uint64_t kKnownIncompatible = 0;
constexpr std::uint64_t kKnownReadOnlyCompatible = 0;
// Those that follow must have room to grow.
constexpr std::uint64_t kNumberMax = std::uint64_t{1} << 62;

std::uint32_t crc_of(Bytes slot) {
    return crc32c(slot.first(offsetof(MirrorRecordBytes, crc)));
}

Status check_format(const MirrorRecordBytes& raw) {
    if (raw.format != kFormat) {
        return Status::unsupported(
            fmt::format("the record of mirrors has format {}, known is {}: it needs a newer "
                        "version of Ashlar",
                        raw.format,
                        kFormat));
    }
    const std::uint64_t unknown = (raw.incompatible & ~kKnownIncompatible) |
                                  (raw.read_only_compatible & ~kKnownReadOnlyCompatible);
    if (unknown == 0) return {};
    return Status::unsupported(fmt::format(
        "the record of mirrors has features {:#x} that need a newer version of Ashlar", unknown));
}

Status check_numbers(const MirrorRecordBytes& raw) {
    if (raw.voter_count < 1 || raw.voter_count > kMirrorVotersMax) {
        return Status::corruption(fmt::format("the record names {} disks", raw.voter_count));
    }
    if (raw.parity >= raw.voter_count || raw.mirror_count > raw.voter_count) {
        return Status::corruption(
            fmt::format("the record names parity {} and {} mirrors on {} disks",
                        raw.parity,
                        raw.mirror_count,
                        raw.voter_count));
    }
    if (raw.started >= kNumberMax || raw.epoch_start > raw.started ||
        raw.epoch_step >= kNumberMax) {
        return Status::corruption(fmt::format("the record has epoch {}.{} of start {}",
                                              raw.epoch_start,
                                              raw.epoch_step,
                                              raw.started));
    }
    return {};
}

// `record` has its lists.
Status check_ids(const MirrorRecord& record) {
    const std::set<DiskId> voters(record.voters.begin(), record.voters.end());
    if (voters.size() != record.voters.size() || voters.contains(0)) {
        return Status::corruption("the record names a disk twice");
    }
    if (!voters.contains(record.disk)) {
        return Status::corruption("the record's disk is none that it names");
    }
    std::set<DiskId> mirrors;
    for (const MirrorEntry& mirror : record.mirrors) {
        const bool sound = voters.contains(mirror.disk) && mirror.incarnation != 0;
        if (!sound || !mirrors.insert(mirror.disk).second) {
            return Status::corruption("the record names a mirror that can not be");
        }
    }
    return {};
}

}  // namespace

Result<MirrorRecord> parse_mirror_record(Bytes slot) {
    if (slot.size() != kMirrorSlotBytes) return Status::corruption("the record is too short");
    const auto raw = load<MirrorRecordBytes>(slot);
    if (raw.magic != kMagic) return Status::corruption("the record has another magic");
    if (raw.crc != crc_of(slot)) return Status::corruption("the record's checksum is wrong");
    TRY(check_format(raw));
    TRY(check_numbers(raw));
    MirrorRecord record;
    record.features = {raw.compatible, raw.read_only_compatible, raw.incompatible};
    record.deployment = {raw.deployment_high, raw.deployment_low};
    record.disk = raw.disk;
    record.started = raw.started;
    record.epoch = {raw.epoch_start, raw.epoch_step};
    record.parity = raw.parity;
    record.voters.assign(raw.voters.begin(), raw.voters.begin() + raw.voter_count);
    for (std::uint32_t i = 0; i < raw.mirror_count; ++i) {
        record.mirrors.push_back({raw.mirrors.at(i)[0], raw.mirrors.at(i)[1]});
    }
    TRY(check_ids(record));
    return record;
}

MirrorRecordBytes to_bytes(const MirrorRecord& record) {
    ASSERT(!record.voters.empty());
    ASSERT(record.voters.size() <= kMirrorVotersMax);
    ASSERT(record.mirrors.size() <= record.voters.size());
    MirrorRecordBytes raw{};
    raw.magic = kMagic;
    raw.format = kFormat;
    raw.compatible = record.features.compatible;
    raw.read_only_compatible = record.features.read_only_compatible;
    raw.incompatible = record.features.incompatible;
    raw.deployment_high = record.deployment.high;
    raw.deployment_low = record.deployment.low;
    raw.disk = record.disk;
    raw.started = record.started;
    raw.epoch_start = record.epoch.start;
    raw.epoch_step = record.epoch.step;
    raw.voter_count = static_cast<std::uint32_t>(record.voters.size());
    raw.parity = record.parity;
    raw.mirror_count = static_cast<std::uint32_t>(record.mirrors.size());
    std::ranges::copy(record.voters, raw.voters.begin());
    std::ranges::transform(record.mirrors, raw.mirrors.begin(), [](const MirrorEntry& mirror) {
        return std::array<std::uint64_t, 2>{mirror.disk, mirror.incarnation};
    });
    raw.crc = crc_of(std::as_bytes(std::span(&raw, 1)));
    return raw;
}

std::string mirror_path(std::uint64_t incarnation) {
    return fmt::format("meta/namespace-{:016x}.db", incarnation);
}

}  // namespace objstore
