#pragma once

#include <array>
#include <latch>
#include <memory>
#include <string>

#include <doctest/doctest.h>

#include "s3api/http/op.h"

// Ops that do little, for tests of what carries them out.
namespace s3api::connection_test {

using objstore::as_bytes;
using objstore::Bytes;
using objstore::MutableBytes;
using objstore::Status;

inline constexpr std::uint64_t kMuch = 20 << 20;

inline char pattern(std::uint64_t offset) {
    return static_cast<char>('a' + (offset * 7 / 13) % 26);
}

inline std::string pattern_text(std::uint64_t size) {
    std::string text(size, 0);
    for (std::uint64_t i = 0; i < size; ++i) text[i] = pattern(i);
    return text;
}

// Gives `size` bytes of the pattern in pieces, or fails after some.
class PatternSource final : public BodySource {
public:
    struct Options {
        std::uint64_t size_bytes = 0;
        std::uint64_t fail_at = ~std::uint64_t{0};
        bool at_once = false;
        std::latch* slow = nullptr;  // the first piece waits for it
    };
    explicit PatternSource(Options options) : options_(options) {}

    objstore::Result<Pieces> next() override {
        if (options_.slow != nullptr) options_.slow->wait();
        if (offset_ >= options_.fail_at) return Status::io_error("disk on fire");
        auto& [text, pieces] = batches_[turn_ ^= 1];
        const std::uint64_t bytes = std::min<std::uint64_t>(options_.size_bytes - offset_, 150'000);
        text.resize(bytes);
        for (std::uint64_t i = 0; i < bytes; ++i) text[i] = pattern(offset_ + i);
        offset_ += bytes;
        pieces = {as_bytes(text).first(bytes / 3), {}, as_bytes(text).subspan(bytes / 3)};
        return bytes == 0 ? Pieces() : Pieces(pieces);
    }
    std::optional<objstore::Result<Pieces>> try_next() override {
        if (!options_.at_once) return std::nullopt;
        return next();
    }
    std::string_view filler() const override { return options_.slow != nullptr ? "  " : ""; }

private:
    Options options_;
    std::uint64_t offset_ = 0;
    std::size_t turn_ = 0;
    std::pair<std::string, std::array<Bytes, 3>> batches_[2];
};

// Gives back what it took.
class Echo final : public Intake {
public:
    S3Result<bool> take(BodyReader& body) override {
        while (!body.ended()) {
            if (body.starved()) return false;
            const std::size_t filled = text_.size();
            text_.resize(filled + 100'000);
            const MutableBytes rest{reinterpret_cast<std::byte*>(text_.data()) + filled, 100'000};
            auto bytes = body.read(rest);
            text_.resize(filled + (bytes.ok() ? *bytes : 0));
            if (!bytes.ok()) return std::move(bytes).error();
        }
        return true;
    }
    S3Result<Response> finish(BodyReader& body) override {
        CHECK(text_.size() == body.size_bytes());
        Response response;
        response.header("X-Trailer", body.trailers().find("x-amz-checksum-crc32").value_or(""));
        response.body(std::move(text_));
        return response;
    }

private:
    std::string text_;
};

inline S3Result<Response> echo(Request& request) {
    Echo echo;
    TRY_ASSIGN(const bool all, echo.take(*request.body));
    REQUIRE(all);
    return echo.finish(*request.body);
}

inline S3Result<std::unique_ptr<Intake>> begin_echo(Request&) {
    std::unique_ptr<Intake> intake = std::make_unique<Echo>();
    return intake;
}

inline Response text_response(std::string_view text, int status = 200) {
    Response response(status);
    response.body(std::string(text));
    return response;
}

inline Op op(Op::Run run, std::uint64_t body_bytes_max = Op::kNoBody) {
    Op out;
    out.run = std::move(run);
    out.body_bytes_max = body_bytes_max;
    return out;
}

}  // namespace s3api::connection_test
