#include "s3api/ops/checksums.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "objstore/erasure/checksum.h"
#include "s3api/auth/digest.h"

namespace s3api {

using objstore::Bytes;
using objstore::ChecksumKind;
using objstore::StoredChecksum;

namespace {

struct KindInfo {
    ChecksumKind kind;
    std::string_view name;
    std::string_view header;
    std::size_t bytes;
};
constexpr std::array<KindInfo, 5> kKinds = {{
    {ChecksumKind::crc32, "CRC32", "x-amz-checksum-crc32", 4},
    {ChecksumKind::crc32c, "CRC32C", "x-amz-checksum-crc32c", 4},
    {ChecksumKind::crc64nvme, "CRC64NVME", "x-amz-checksum-crc64nvme", 8},
    {ChecksumKind::sha1, "SHA1", "x-amz-checksum-sha1", 20},
    {ChecksumKind::sha256, "SHA256", "x-amz-checksum-sha256", 32},
}};

const KindInfo* info_of(ChecksumKind kind) {
    for (const KindInfo& info : kKinds) {
        if (info.kind == kind) return &info;
    }
    return nullptr;
}

class Sha1Hasher final : public Hasher {
public:
    Sha1Hasher() : context_(EVP_MD_CTX_new()) {
        ASSERT(context_ != nullptr);
        // Fetched once: OpenSSL 3 looks an algorithm up by name each time that it is not.
        static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA1", nullptr);
        ASSERT(algorithm != nullptr);
        const int ok = EVP_DigestInit_ex(context_.get(), algorithm, nullptr);
        ASSERT(ok == 1);
    }
    void update(Bytes bytes) override {
        const int ok = EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
        ASSERT(ok == 1);
    }
    std::string finish() override {
        std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
        unsigned size = 0;
        const int ok = EVP_DigestFinal_ex(context_.get(), digest.data(), &size);
        ASSERT(ok == 1);
        return {reinterpret_cast<const char*>(digest.data()), size};
    }

private:
    struct Free {
        void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
    };
    std::unique_ptr<EVP_MD_CTX, Free> context_;
};

class Sha256Hasher final : public Hasher {
public:
    void update(Bytes bytes) override { hash_.update(bytes); }
    std::string finish() override { return std::string(objstore::as_text(hash_.finish())); }

private:
    Sha256 hash_;
};

template <typename Word, Word (*Update)(Bytes, Word)>
class CrcHasher final : public Hasher {
public:
    void update(Bytes bytes) override { value_ = Update(bytes, value_); }
    std::string finish() override {
        std::string raw;
        for (int shift = 8 * (static_cast<int>(sizeof(Word)) - 1); shift >= 0; shift -= 8) {
            raw += static_cast<char>(value_ >> shift & 0xff);
        }
        return raw;
    }

private:
    Word value_ = 0;
};

S3Status wrong_checksum_header(std::string_view header) {
    return {S3Error::invalid_request, fmt::format("Value for {} header is invalid.", header)};
}

std::string_view trim(std::string_view text) {
    while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
    while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
    return text;
}

const KindInfo* info_of_header(std::string_view name) {
    for (const KindInfo& info : kKinds) {
        if (equals_ignoring_case(name, info.header)) return &info;
    }
    return nullptr;
}

// x-amz-checksum-mode and its kin say how, not what.
bool is_checksum_option(std::string_view name) {
    return name == "x-amz-checksum-algorithm" || name == "x-amz-checksum-type" ||
           name == "x-amz-checksum-mode";
}

S3Status expect(const KindInfo& info, bool in_trailer, ExpectedDigests& expected) {
    if (expected.kind != ChecksumKind::none) {
        return {S3Error::invalid_request, "Expecting a single x-amz-checksum- header."};
    }
    expected.kind = info.kind;
    expected.in_trailer = in_trailer;
    return {};
}

S3Status read_checksum_headers(const Request& request, ExpectedDigests& expected) {
    for (const Field& field : request.headers.all()) {
        const std::string name = lower(field.name);
        if (!name.starts_with("x-amz-checksum-") || is_checksum_option(name)) continue;
        const KindInfo* info = info_of_header(name);
        if (info == nullptr) {
            // To say that such a body arrived well would be a lie.
            return {S3Error::not_implemented, fmt::format("{} is not implemented.", name)};
        }
        TRY(expect(*info, false, expected));
        expected.value = base64_decode(field.value);
        if (!expected.value || expected.value->size() != info->bytes) {
            return wrong_checksum_header(info->header);
        }
    }
    return {};
}

// A list of names, with blanks and commas to spare; of which at most one is allowed, as on S3.
S3Status read_trailer_names(const Request& request, ExpectedDigests& expected) {
    for (const Field& field : request.headers.all()) {
        if (!equals_ignoring_case(field.name, "x-amz-trailer")) continue;
        for (std::string_view rest = field.value; !rest.empty();) {
            const std::size_t comma = std::min(rest.find(','), rest.size());
            const std::string_view name = trim(rest.substr(0, comma));
            rest.remove_prefix(std::min(comma + 1, rest.size()));
            if (name.empty()) continue;
            const KindInfo* info = info_of_header(name);
            if (info == nullptr) {
                return {S3Error::invalid_request,
                        "The value specified in the x-amz-trailer header is not supported"};
            }
            TRY(expect(*info, true, expected));
        }
    }
    return {};
}

}  // namespace

std::string base64_encode(std::string_view raw) {
    std::string text((raw.size() + 2) / 3 * 4 + 1, '\0');
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(raw.data()),
                                     static_cast<int>(raw.size()));
    text.resize(static_cast<std::size_t>(size));
    return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
    if (text.size() % 4 != 0 || text.size() > 1024) return std::nullopt;
    std::string raw(text.size() / 4 * 3, '\0');
    const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(raw.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
    if (size < 0) return std::nullopt;
    std::size_t padding = 0;
    while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') {
        ++padding;
    }
    raw.resize(static_cast<std::size_t>(size) - padding);
    return raw;
}

std::string_view checksum_name(ChecksumKind kind) {
    const KindInfo* info = info_of(kind);
    return info != nullptr ? info->name : std::string_view();
}

std::string_view checksum_header(ChecksumKind kind) {
    const KindInfo* info = info_of(kind);
    return info != nullptr ? info->header : std::string_view();
}

std::optional<ChecksumKind> parse_checksum_name(std::string_view name) {
    for (const KindInfo& info : kKinds) {
        if (equals_ignoring_case(name, info.name)) return info.kind;
    }
    return std::nullopt;
}

std::size_t checksum_bytes(ChecksumKind kind) {
    const KindInfo* info = info_of(kind);
    return info != nullptr ? info->bytes : 0;
}

std::unique_ptr<Hasher> make_hasher(ChecksumKind kind) {
    switch (kind) {
        case ChecksumKind::none:
            return nullptr;
        case ChecksumKind::crc32:
            return std::make_unique<CrcHasher<std::uint32_t, objstore::crc32>>();
        case ChecksumKind::crc32c:
            return std::make_unique<CrcHasher<std::uint32_t, objstore::crc32c>>();
        case ChecksumKind::crc64nvme:
            return std::make_unique<CrcHasher<std::uint64_t, objstore::crc64nvme>>();
        case ChecksumKind::sha1:
            return std::make_unique<Sha1Hasher>();
        case ChecksumKind::sha256:
            return std::make_unique<Sha256Hasher>();
    }
    UNREACHABLE();
}

S3Result<ExpectedDigests> expected_digests(const Request& request) {
    ExpectedDigests expected;
    if (const auto md5 = request.header("content-md5")) {
        expected.md5 = base64_decode(*md5);
        if (!expected.md5 || expected.md5->size() != 16) return S3Error::invalid_digest;
    }
    TRY(read_checksum_headers(request, expected));
    TRY(read_trailer_names(request, expected));
    const auto algorithm = request.header("x-amz-sdk-checksum-algorithm");
    if (algorithm && expected.kind == ChecksumKind::none) {
        const auto kind = parse_checksum_name(*algorithm);
        if (!kind) {
            return S3Status(S3Error::invalid_request,
                            "Value for x-amz-sdk-checksum-algorithm header is invalid.");
        }
        expected.kind = *kind;
    }
    return expected;
}

BodyDigests::BodyDigests(ExpectedDigests expected)
    : expected_(std::move(expected)), checksum_(make_hasher(expected_.kind)) {}

void BodyDigests::update(Bytes bytes) {
    md5_.update(bytes);
    if (checksum_ != nullptr) checksum_->update(bytes);
}

S3Result<BodyDigests::Values> BodyDigests::finish(const Headers& trailers) {
    Values values;
    values.etag.digest = md5_.finish();
    if (expected_.md5 && *expected_.md5 != objstore::as_text(values.etag.digest)) {
        return S3Error::bad_digest;
    }
    if (checksum_ == nullptr) return values;

    values.checksum = {.kind = expected_.kind, .value = checksum_->finish()};
    const std::string_view header = checksum_header(expected_.kind);
    if (expected_.in_trailer) {
        const auto sent = trailers.find(header);
        if (!sent) return S3Error::malformed_trailer;
        expected_.value = base64_decode(*sent);
        if (!expected_.value) return wrong_checksum_header(header);
    }
    if (expected_.value && *expected_.value != values.checksum.value) {
        return S3Status(S3Error::bad_digest,
                        fmt::format("The {} you specified did not match the calculated checksum.",
                                    checksum_name(expected_.kind)));
    }
    return values;
}

std::string checksum_text(const StoredChecksum& checksum) {
    std::string text = base64_encode(checksum.value);
    if (checksum.parts != 0) text += fmt::format("-{}", checksum.parts);
    return text;
}

void add_checksum_headers(Response& response, const std::vector<StoredChecksum>& checksums) {
    for (const StoredChecksum& checksum : checksums) {
        response.header(checksum_header(checksum.kind), checksum_text(checksum));
        response.header("x-amz-checksum-type", checksum.parts != 0 ? "COMPOSITE" : "FULL_OBJECT");
    }
}

}  // namespace s3api
