#include "s3api/ops/md5.h"

#include <random>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <openssl/evp.h>

using namespace s3api;
using objstore::Bytes;

namespace {

Md5::Digest reference(Bytes bytes) {
    Md5::Digest digest;
    auto* out = reinterpret_cast<unsigned char*>(digest.data());
    REQUIRE(EVP_Digest(bytes.data(), bytes.size(), out, nullptr, EVP_md5(), nullptr) == 1);
    return digest;
}

std::string random_bytes(std::size_t size, std::mt19937_64& random) {
    std::string bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    return bytes;
}

TEST_CASE("MD5 of every length around its blocks, in one piece and in many") {
    std::mt19937_64 random(1);
    for (std::size_t size = 0; size <= 300; ++size) {
        CAPTURE(size);
        const std::string bytes = random_bytes(size, random);
        const auto expected = reference(objstore::as_bytes(bytes));
        Md5 whole;
        whole.update(objstore::as_bytes(bytes));
        CHECK(whole.finish() == expected);
        Md5 pieces;
        for (std::string_view rest = bytes; !rest.empty();) {
            const std::size_t some = std::min<std::size_t>(rest.size(), random() % 100);
            pieces.update(objstore::as_bytes(rest.substr(0, some)));
            rest.remove_prefix(some);
        }
        CHECK(pieces.finish() == expected);
    }
}

TEST_CASE("lanes hash as streams alone do, however many there are") {
    std::mt19937_64 random(2);
    constexpr std::size_t kBlocks = 33;
    for (std::size_t count = 0; count <= kMd5Lanes; ++count) {
        CAPTURE(count);
        std::vector<std::string> bytes;
        std::vector<Md5Words> states(count);
        std::vector<Md5Lane> lanes;
        for (std::size_t i = 0; i < count; ++i) {
            for (std::uint32_t& word : states[i]) word = static_cast<std::uint32_t>(random());
            // Not aligned to anything.
            bytes.push_back(random_bytes(1 + kBlocks * kMd5BlockBytes, random));
        }
        std::vector<Md5Words> alone = states;
        for (std::size_t i = 0; i < count; ++i) {
            const std::byte* data = objstore::as_bytes(bytes[i]).data() + 1;
            md5_blocks(alone[i], data, kBlocks);
            lanes.push_back({&states[i], data});
        }
        md5_blocks(lanes, kBlocks);
        CHECK(states == alone);
    }
}

TEST_CASE("threads that hash at once do each its own stream, with fewer workers than threads") {
    for (const std::size_t workers : {1U, 2U, 4U}) {
        CAPTURE(workers);
        Md5Lanes lanes({.workers_max = workers});
        std::vector<Md5::Digest> found(12);
        std::vector<Md5::Digest> expected(found.size());
        std::vector<std::thread> threads;
        for (std::size_t i = 0; i < found.size(); ++i) {
            threads.emplace_back([&, i] {
                std::mt19937_64 random(i);
                const std::string bytes = random_bytes(200'000 + i * 12'345, random);
                expected[i] = reference(objstore::as_bytes(bytes));
                Md5 md5(lanes);
                for (std::string_view rest = bytes; !rest.empty();) {
                    const std::size_t some = std::min<std::size_t>(rest.size(), random() % 90'000);
                    md5.update(objstore::as_bytes(rest.substr(0, some)));
                    rest.remove_prefix(some);
                }
                found[i] = md5.finish();
            });
        }
        for (std::thread& thread : threads) thread.join();
        CHECK(found == expected);
    }
}

}  // namespace
