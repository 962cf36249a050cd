#include "s3api/http/response.h"

#include <array>
#include <charconv>

#include "s3api/base/uri.h"

namespace s3api {

namespace {

template <typename... Fns>
struct Overloaded : Fns... {
    using Fns::operator()...;
};
template <typename... Fns>
Overloaded(Fns...) -> Overloaded<Fns...>;

}  // namespace

Response Response::xml(std::string body, int status) {
    Response response(status);
    response.header("Content-Type", "application/xml").body(std::move(body));
    return response;
}

Response& Response::header(std::string_view name, std::string_view value) {
    header_lines_ += name;
    header_lines_ += ": ";
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        header_lines_.push_back(byte < 0x20 || byte == 0x7f ? ' ' : c);
    }
    header_lines_ += "\r\n";
    return *this;
}

Response& Response::header(std::string_view name, std::uint64_t value) {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    return header(name, std::string_view(digits.data(), end));
}

Response& Response::body(std::string text) {
    body_ = std::move(text);
    return *this;
}

Response& Response::body(objstore::Buffer buffer, std::size_t offset, std::size_t size_bytes) {
    ASSERT(offset + size_bytes <= buffer.size());
    body_ = Memory{std::move(buffer), offset, size_bytes};
    return *this;
}

Response& Response::body(std::unique_ptr<BodySource> source, std::uint64_t size_bytes) {
    ASSERT(source != nullptr);
    body_ = Sized{std::move(source), size_bytes};
    return *this;
}

Response& Response::chunked(std::unique_ptr<BodySource> source) {
    ASSERT(source != nullptr);
    body_ = Chunked{std::move(source)};
    return *this;
}

Response& Response::length_only(std::uint64_t size_bytes) {
    body_ = LengthOnly{size_bytes};
    return *this;
}

Response& Response::status(int status) {
    status_ = status;
    return *this;
}

Response& Response::close() {
    close_ = true;
    return *this;
}

std::optional<std::string_view> Response::find(std::string_view name) const {
    std::string_view rest = header_lines_;
    while (!rest.empty()) {
        const std::size_t end = rest.find("\r\n");
        const std::string_view line = rest.substr(0, end);
        const std::size_t colon = line.find(": ");
        if (equals_ignoring_case(line.substr(0, colon), name)) return line.substr(colon + 2);
        rest.remove_prefix(end + 2);
    }
    return std::nullopt;
}

std::optional<std::uint64_t> Response::size_bytes() const {
    using Size = std::optional<std::uint64_t>;
    return std::visit(Overloaded{
                          [](std::monostate) -> Size { return 0; },
                          [](const std::string& text) -> Size { return text.size(); },
                          [](const Memory& memory) -> Size { return memory.size_bytes; },
                          [](const Sized& sized) -> Size { return sized.size_bytes; },
                          [](const Chunked&) -> Size { return std::nullopt; },
                          [](const LengthOnly& length) -> Size { return length.size_bytes; },
                      },
                      body_);
}

}  // namespace s3api
