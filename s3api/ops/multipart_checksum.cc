#include "s3api/ops/multipart_checksum.h"

#include <array>

#include <fmt/format.h>

#include "s3api/base/uri.h"
#include "s3api/ops/checksums.h"

namespace s3api {

using objstore::ChecksumKind;

namespace {

constexpr std::array kKinds = {ChecksumKind::crc32,
                               ChecksumKind::crc32c,
                               ChecksumKind::crc64nvme,
                               ChecksumKind::sha1,
                               ChecksumKind::sha256};

// Multiplication of bit vectors over GF(2): what `zeros` more bytes do to a CRC register.
template <typename Word>
class ZeroBytes final {
public:
    static constexpr int kBits = static_cast<int>(sizeof(Word)) * 8;
    using Matrix = std::array<Word, kBits>;

    static Word apply(Word crc, std::uint64_t zeros, Word reflected_polynomial) {
        Matrix power = one_bit(reflected_polynomial);
        for (int i = 0; i < 3; ++i) power = square(power);  // one byte
        for (; zeros != 0; zeros >>= 1) {
            if ((zeros & 1) != 0) crc = times(power, crc);
            power = square(power);
        }
        return crc;
    }

private:
    static Matrix one_bit(Word polynomial) {
        Matrix matrix{};
        matrix[0] = polynomial;
        for (int i = 1; i < kBits; ++i) {
            matrix[static_cast<std::size_t>(i)] = Word{1} << (i - 1);
        }
        return matrix;
    }
    static Word times(const Matrix& matrix, Word vector) {
        Word sum = 0;
        for (std::size_t i = 0; vector != 0; vector >>= 1, ++i) {
            if ((vector & 1) != 0) sum ^= matrix[i];
        }
        return sum;
    }
    static Matrix square(const Matrix& matrix) {
        Matrix result{};
        for (std::size_t i = 0; i < result.size(); ++i) result[i] = times(matrix, matrix[i]);
        return result;
    }
};

template <typename Word>
Word from_raw(const std::string& raw) {
    Word value = 0;
    for (const char c : raw) value = value << 8 | static_cast<unsigned char>(c);
    return value;
}

template <typename Word>
std::string to_raw(Word value) {
    std::string raw(sizeof(Word), '\0');
    for (std::size_t i = 0; i < raw.size(); ++i) {
        raw[raw.size() - 1 - i] = static_cast<char>(value >> (8 * i) & 0xff);
    }
    return raw;
}

template <typename Word>
std::string combine(const std::string& first,
                    const std::string& second,
                    std::uint64_t second_bytes,
                    Word polynomial) {
    const Word moved = ZeroBytes<Word>::apply(from_raw<Word>(first), second_bytes, polynomial);
    return to_raw<Word>(moved ^ from_raw<Word>(second));
}

}  // namespace

bool combines(ChecksumKind kind) {
    return kind == ChecksumKind::crc32 || kind == ChecksumKind::crc32c ||
           kind == ChecksumKind::crc64nvme;
}

std::string combine_crc(ChecksumKind kind,
                        const std::string& first,
                        const std::string& second,
                        std::uint64_t second_bytes) {
    switch (kind) {
        case ChecksumKind::crc32:
            return combine<std::uint32_t>(first, second, second_bytes, 0xedb88320);
        case ChecksumKind::crc32c:
            return combine<std::uint32_t>(first, second, second_bytes, 0x82f63b78);
        case ChecksumKind::crc64nvme:
            return combine<std::uint64_t>(first, second, second_bytes, 0x9a6c9329ac4bc9b5);
        case ChecksumKind::none:
        case ChecksumKind::sha1:
        case ChecksumKind::sha256:
            UNREACHABLE();
    }
    UNREACHABLE();
}

objstore::StoredChecksum object_checksum(const objstore::UploadRow& upload,
                                         const std::vector<objstore::PartRow>& parts) {
    const ChecksumKind kind = upload.checksum_kind;
    if (kind == ChecksumKind::none || parts.empty()) return {};
    for (const objstore::PartRow& part : parts) {
        if (part.checksum.kind != kind) return {};
    }
    if (upload.checksum_full_object) {
        std::string value = parts.front().checksum.value;
        for (std::size_t i = 1; i < parts.size(); ++i) {
            value = combine_crc(kind, value, parts[i].checksum.value, parts[i].size);
        }
        return {.kind = kind, .value = std::move(value)};
    }
    const auto hasher = make_hasher(kind);
    for (const objstore::PartRow& part : parts) {
        hasher->update(objstore::as_bytes(part.checksum.value));
    }
    return {
        .kind = kind, .parts = static_cast<std::uint32_t>(parts.size()), .value = hasher->finish()};
}

S3Status checksum_mismatch(ChecksumKind expected, ChecksumKind actual) {
    const auto name = [](ChecksumKind kind) {
        return kind == ChecksumKind::none ? "null" : lower(checksum_name(kind));
    };
    return {S3Error::invalid_request,
            fmt::format("Checksum Type mismatch occurred, expected checksum Type: {}, "
                        "actual checksum Type: {}",
                        name(expected),
                        name(actual))};
}

S3Result<objstore::StoredChecksum> completed_checksum(const Request& request,
                                                      const objstore::UploadRow& upload,
                                                      const std::vector<objstore::PartRow>& parts) {
    const ChecksumKind kind = upload.checksum_kind;
    for (const ChecksumKind other : kKinds) {
        if (other != kind && request.header(checksum_header(other))) {
            return checksum_mismatch(kind, other);
        }
    }
    const std::string_view type = upload.checksum_full_object ? "FULL_OBJECT" : "COMPOSITE";
    const auto wanted_type = request.header("x-amz-checksum-type");
    if (kind != ChecksumKind::none && wanted_type && *wanted_type != type) {
        return S3Status(S3Error::invalid_request,
                        fmt::format("The upload was created using the {} checksum mode. The "
                                    "complete request must use the same checksum mode.",
                                    type));
    }
    auto checksum = object_checksum(upload, parts);
    if (kind == ChecksumKind::none) return checksum;
    const auto sent = request.header(checksum_header(kind));
    if (!sent) return checksum;
    if (checksum.kind == ChecksumKind::none) {
        return S3Status(S3Error::invalid_request,
                        "The checksum can not be compared: there are parts that have none.");
    }
    if (*sent != checksum_text(checksum) && *sent != base64_encode(checksum.value)) {
        return S3Status(S3Error::bad_digest,
                        fmt::format("The {} you specified did not match the calculated checksum.",
                                    checksum_name(kind)));
    }
    return checksum;
}

}  // namespace s3api
