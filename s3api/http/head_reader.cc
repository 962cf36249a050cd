#include "s3api/http/head_reader.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <string>

#include <boost/beast/http/basic_parser.hpp>

namespace s3api {

namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using Text = boost::beast::string_view;

Method to_method(http::verb verb) {
    switch (verb) {
        case http::verb::get:
            return Method::get;
        case http::verb::head:
            return Method::head;
        case http::verb::put:
            return Method::put;
        case http::verb::post:
            return Method::post;
        case http::verb::delete_:
            return Method::del;
        case http::verb::options:
            return Method::options;
        default:
            return Method::other;  // The other thirty mean nothing to S3.
    }
}

S3Status to_error(const error_code& error) {
    if (error == http::error::header_limit) return S3Error::request_header_section_too_large;
    return S3Status(S3Error::bad_request,
                    "An error occurred when parsing the HTTP request: " + error.message() + ".");
}

// The path of a target, also of the absolute form that proxies use.
std::string_view strip_authority(std::string_view target) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!target.starts_with(scheme)) continue;
        const std::size_t slash = target.find('/', scheme.size());
        return slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
    }
    return target;
}

// One request as Beast tells it.
class Message final : public http::basic_parser<true> {
public:
    Message() {
        header_limit(HeadReader::kHeadBytesMax);
        body_limit(boost::none);  // Bodies are bounded by what is asked for, not here.
    }

    std::string_view input;  // what the parser is being shown
    std::size_t shown_bytes = 0;
    Method method = Method::other;
    std::string_view method_text;
    std::string_view raw_path;
    std::string_view raw_query;
    int version = 11;
    Headers headers;
    bool strange_encoding = false;
    bool expects_continue = false;
    objstore::MutableBytes sink;
    std::size_t sunk_bytes = 0;

private:
    // Views are kept as they are when they lie in the input, which stays; a folded line does not.
    std::string_view keep(std::string_view text) {
        if (text.empty()) return {};
        const std::less_equal<const char*> before;
        const char* const begin = input.data();
        if (before(begin, text.data()) && before(text.data(), begin + input.size())) return text;
        return kept_.emplace_back(text);
    }

    void on_request_impl(
        http::verb verb, Text method_string, Text target, int http_version, error_code&) override {
        method = to_method(verb);
        method_text = keep(method_string);
        const std::string_view path = strip_authority(keep(target));
        const std::size_t question = std::min(path.find('?'), path.size());
        raw_path = path.substr(0, question);
        raw_query = path.substr(std::min(question + 1, path.size()));
        version = http_version;
    }
    void on_response_impl(int, Text, int, error_code&) override {}
    void on_field_impl(http::field field, Text name, Text value, error_code&) override {
        if (is_header_done()) return;  // A trailer of the transfer encoding: nobody asked for it.
        headers.add({keep(name), keep(value)});
        if (field == http::field::transfer_encoding && !equals_ignoring_case(value, "chunked")) {
            strange_encoding = true;
        }
        if (field == http::field::expect && equals_ignoring_case(value, "100-continue")) {
            expects_continue = true;
        }
    }
    void on_header_impl(error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
    std::size_t on_body_impl(Text, error_code&) override { return 0; }
    void on_chunk_header_impl(std::uint64_t, Text, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, Text body, error_code&) override {
        const std::size_t bytes = std::min(body.size(), sink.size() - sunk_bytes);
        std::memmove(sink.data() + sunk_bytes, body.data(), bytes);
        sunk_bytes += bytes;
        return bytes;
    }
    void on_finish_impl(error_code&) override {}

    std::deque<std::string> kept_;
};

}  // namespace

class HeadReader::Parser {
public:
    std::optional<Message> message;
};

HeadReader::HeadReader() : parser_(std::make_unique<Parser>()) {
    begin();
}
HeadReader::~HeadReader() = default;

void HeadReader::begin() {
    parser_->message.emplace();
}

S3Result<bool> HeadReader::read(std::string_view head) {
    Message& message = *parser_->message;
    ASSERT(!message.is_header_done());
    const std::string_view all = head.substr(0, kHeadBytesMax);
    // RFC 9112 asks servers to forgive an empty line before a request.
    if (message.shown_bytes == 0 && all.starts_with('\r')) {
        if (all.size() == 1) return false;
        if (all.starts_with("\r\n")) message.shown_bytes = 2;
    }
    while (message.shown_bytes < all.size() && !message.is_header_done()) {
        message.input = all.substr(message.shown_bytes);
        error_code error;
        const std::size_t taken = message.put(
            boost::asio::const_buffer(message.input.data(), message.input.size()), error);
        message.shown_bytes += taken;
        if (error == http::error::need_more) break;
        if (error) return to_error(error);
    }
    if (!message.is_header_done()) {
        if (all.size() == kHeadBytesMax) return S3Error::request_header_section_too_large;
        return false;
    }
    if (message.strange_encoding) {
        return S3Status(S3Error::not_implemented,
                        "A header you provided implies functionality that is not implemented: "
                        "Transfer-Encoding");
    }
    return true;
}

std::size_t HeadReader::consumed_bytes() const {
    return parser_->message->shown_bytes;
}
Method HeadReader::method() const {
    return parser_->message->method;
}
std::string_view HeadReader::method_text() const {
    return parser_->message->method_text;
}
std::string_view HeadReader::raw_path() const {
    return parser_->message->raw_path;
}
std::string_view HeadReader::raw_query() const {
    return parser_->message->raw_query;
}
Headers HeadReader::take_headers() {
    return std::move(parser_->message->headers);
}
bool HeadReader::http_1_0() const {
    return parser_->message->version < 11;
}
bool HeadReader::keep_alive() const {
    return parser_->message->is_header_done() && parser_->message->keep_alive();
}
bool HeadReader::chunked() const {
    return parser_->message->is_header_done() && parser_->message->chunked();
}
bool HeadReader::chunked_done() const {
    return parser_->message->is_done();
}

bool HeadReader::expects_continue() const {
    return parser_->message->expects_continue && !http_1_0();
}

std::optional<std::uint64_t> HeadReader::content_length() const {
    if (!parser_->message->is_header_done()) return std::nullopt;
    const auto length = parser_->message->content_length();
    if (!length) return std::nullopt;
    return *length;
}

S3Result<HeadReader::Progress> HeadReader::dechunk(objstore::Bytes raw,
                                                   objstore::MutableBytes into) {
    Message& message = *parser_->message;
    ASSERT(message.chunked());
    message.sink = into;
    message.sunk_bytes = 0;
    Progress progress;
    while (!message.is_done() && progress.consumed_bytes < raw.size() &&
           message.sunk_bytes < into.size()) {
        const objstore::Bytes rest = raw.subspan(progress.consumed_bytes);
        error_code error;
        const std::size_t taken =
            message.put(boost::asio::const_buffer(rest.data(), rest.size()), error);
        progress.consumed_bytes += taken;
        if (error == http::error::need_more || (taken == 0 && !error)) break;
        if (error) return to_error(error);
    }
    progress.produced_bytes = message.sunk_bytes;
    return progress;
}

}  // namespace s3api
