// What this machine can do at best: the figures that others are held against.
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <openssl/evp.h>
#include <unistd.h>

#include "objstore/base/bytes.h"
#include "objstore/erasure/checksum.h"
#include "objstore/erasure/codec.h"

namespace {

using Clock = std::chrono::steady_clock;
using objstore::Buffer;
using objstore::Bytes;
using objstore::kMiB;
using objstore::MutableBytes;

// GB/s of calling `fn`, which handles `bytes`, for half a second.
template <typename Fn>
double rate(std::size_t bytes, Fn&& fn) {
    const auto begin = Clock::now();
    std::size_t done = 0;
    double seconds = 0;
    do {
        fn();
        done += bytes;
        seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    } while (seconds < 0.5);
    return static_cast<double>(done) / seconds / 1e9;
}

double encode_rate() {
    const objstore::Geometry geometry{4, 2};
    const objstore::Codec codec(geometry);
    Buffer buffer(6 * kMiB);
    std::vector<Bytes> data;
    std::vector<MutableBytes> parity;
    for (std::size_t i = 0; i < 4; ++i) data.push_back(buffer.span().subspan(i * kMiB, kMiB));
    for (std::size_t i = 4; i < 6; ++i) parity.push_back(buffer.span().subspan(i * kMiB, kMiB));
    return rate(4 * kMiB, [&] { codec.encode(data, parity); });
}

struct DiskRates {
    double syncs_per_s = 0;
    double write_mib_per_s = 0;
};

DiskRates disk_rates(const char* directory) {
    const std::string path = fmt::format("{}/limits.tmp", directory);
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        std::perror(path.c_str());
        std::exit(1);
    }
    Buffer buffer(4 * kMiB);
    DiskRates rates;
    off_t at = 0;
    rates.write_mib_per_s = 1e9 / static_cast<double>(kMiB) * rate(buffer.size() * 16, [&] {
                                for (int i = 0; i < 16; ++i) {
                                    at += pwrite(fd, buffer.data(), buffer.size(), at);
                                }
                                fdatasync(fd);
                            });
    // Over blocks that are there already: a pure flush.
    rates.syncs_per_s = 1e9 * rate(1, [&] {
                            if (pwrite(fd, buffer.data(), 4096, 0) == 4096) fdatasync(fd);
                        });
    close(fd);
    unlink(path.c_str());
    return rates;
}

}  // namespace

int main(int argc, char** argv) {
    const char* directory = argc > 1 ? argv[1] : ".";
    Buffer a(64 * kMiB);
    Buffer b(64 * kMiB);
    std::memset(a.data(), 1, a.size());
    std::memset(b.data(), 2, b.size());
    nlohmann::ordered_json json;
    json["encode_4_2_gb_per_s"] = encode_rate();
    json["crc32c_gb_per_s"] = rate(kMiB, [&] { objstore::crc32c(a.span().first(kMiB)); });
    json["memory_copy_gb_per_s"] =
        rate(a.size(), [&] { std::memcpy(b.data(), a.data(), a.size()); });
    unsigned char digest[EVP_MAX_MD_SIZE];
    json["md5_gb_per_s"] =
        rate(kMiB, [&] { EVP_Digest(a.data(), kMiB, digest, nullptr, EVP_md5(), nullptr); });
    json["sha256_gb_per_s"] =
        rate(kMiB, [&] { EVP_Digest(a.data(), kMiB, digest, nullptr, EVP_sha256(), nullptr); });
    const DiskRates disk = disk_rates(directory);
    json["fdatasync_per_s"] = disk.syncs_per_s;
    json["sequential_write_mib_per_s"] = disk.write_mib_per_s;
    std::puts(json.dump().c_str());
}
