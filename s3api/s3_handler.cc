#include "s3api/s3_handler.h"

#include <utility>

#include <spdlog/logger.h>

#include "objstore/base/mix.h"
#include "s3api/xml/writer.h"

namespace s3api {

namespace {

std::string upper_hex(std::uint64_t value) {
    std::string text(16, '0');
    for (std::size_t i = 16; i-- > 0; value >>= 4) text[i] = "0123456789ABCDEF"[value & 15];
    return text;
}

// For key=value lines: without what would end the value or the line.
std::string loggable(std::string_view text) {
    std::string out(text.substr(0, 2048));
    for (char& c : out) {
        if (static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\x7f') c = '?';
    }
    return out;
}

// A presigned query is a key to the object for as long as it lasts: not for the log.
std::string loggable_query(std::string_view query) {
    return query.find("Signature=") == std::string_view::npos ? loggable(query) : "presigned";
}

// SDKs move headers into the URL that they sign: metadata, ACLs, tags. There they mean the same, so
// that nothing signed is dropped in silence. Checksums are left out as S3 leaves them out: the SDKs
// compute them over the body at hand when the URL is made, which is none.
void adopt_parameters(Request& request) {
    for (const QueryParameter& parameter : request.query.all()) {
        const std::string name = lower(parameter.name);
        const bool header =
            name == "content-type" || name == "content-md5" || name.starts_with("x-amz-");
        const bool checksum =
            name.starts_with("x-amz-checksum-") || name.starts_with("x-amz-sdk-checksum-");
        if (!header || checksum || request.headers.has(name)) continue;
        request.headers.add({parameter.name, parameter.value});
    }
}

bool is_form_upload(const Request& request) {
    const auto type = request.header("content-type");
    constexpr std::string_view kForm = "multipart/form-data";
    return request.method == Method::post && type &&
           equals_ignoring_case(type->substr(0, kForm.size()), kForm);
}

}  // namespace

S3Handler::S3Handler(Options options,
                     OpTable operations,
                     const CredentialStore& credentials,
                     const objstore::Clock& clock,
                     std::shared_ptr<spdlog::logger> logger)
    : options_(std::move(options)),
      operations_(std::move(operations)),
      authenticator_({.region = options_.region}, credentials, clock),
      logger_(std::move(logger)),
      next_id_(static_cast<std::uint64_t>(clock.now())) {}

void S3Handler::identify(Request& request) {
    // Mixed, so that ids do not look alike.
    request.request_id = upper_hex(objstore::mix(next_id_.fetch_add(1, std::memory_order_relaxed)));
    request.host_id = options_.host_id;
}

// Only for those who do not sign: a bucket may well be called "health".
std::optional<Response> S3Handler::health(const Request& request) const {
    const bool asks = request.method == Method::get || request.method == Method::head;
    if (!asks || !request.raw_path.starts_with("/health/")) return std::nullopt;
    if (request.headers.has("authorization") || !request.raw_query.empty()) return std::nullopt;
    if (request.raw_path == "/health/live") return Response(200);
    if (request.raw_path == "/health/ready") return Response(ready_.load() ? 200 : 503);
    return std::nullopt;
}

S3Result<Plan> S3Handler::admit(Request& request) {
    Plan plan;
    plan.ready = health(request);
    if (plan.ready) return plan;
    TRY_ASSIGN(request.query, Query::parse(request.raw_query));
    TRY_ASSIGN(
        Target target,
        parse_target(request.header("host").value_or(""), request.raw_path, options_.domain));
    request.bucket = std::move(target.bucket);
    request.key = std::move(target.key);
    const std::string_view host_bucket = target.virtual_host ? request.bucket : std::string_view();
    if (is_form_upload(request)) {
        return S3Status(S3Error::not_implemented, "Uploads by HTML forms are not implemented.");
    }
    TRY_ASSIGN(Authenticated who,
               authenticator_.authenticate({request.method_text,
                                            request.raw_path,
                                            &request.query,
                                            &request.headers,
                                            host_bucket}));
    request.access_key = std::move(who.access_key);
    plan.payload = std::move(who.payload);
    if (who.presigned) adopt_parameters(request);
    TRY_ASSIGN(const Operation operation, route(request));
    plan.op = &operations_.at(static_cast<std::size_t>(operation));
    if (!plan.op->run) {
        return S3Status(S3Error::not_implemented,
                        std::string(to_string(operation)) + " is not implemented.");
    }
    return plan;
}

Response S3Handler::error_response(const Request& request, const S3Status& status) {
    const S3ErrorInfo& error = info(status.error());
    XmlWriter xml;
    xml.open("Error").element("Code", error.code).element("Message", status.message());
    for (const auto& detail : status.details()) xml.element(detail.name, detail.value);
    xml.element("Resource", request.resource());
    xml.element("RequestId", request.request_id).element("HostId", request.host_id).close();
    Response response = Response::xml(std::move(xml).take(), error.http_status);
    for (const auto& header : status.headers()) response.header(header.name, header.value);
    if (status.error() == S3Error::slow_down || status.error() == S3Error::service_unavailable) {
        response.header("Retry-After", std::uint64_t{1});
    }
    return response;
}

void S3Handler::finished(const Request& request, int http_status, const S3Status& status) {
    if (status.ok()) return;
    const auto level = http_status >= 500 ? spdlog::level::warn : spdlog::level::debug;
    if (!logger_->should_log(level)) return;
    logger_->log(level,
                 "request id={} ip={} method={} path=\"{}\" query=\"{}\" status={} error={} "
                 "cause=\"{}\"",
                 request.request_id,
                 request.remote_ip,
                 loggable(request.method_text),
                 loggable(request.raw_path),
                 loggable_query(request.raw_query),
                 http_status,
                 info(status.error()).code,
                 loggable(status.cause()));
}

}  // namespace s3api
