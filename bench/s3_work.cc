#include "bench/s3_work.h"

#include <fmt/format.h>

namespace bench {

namespace {

std::string random_body(std::uint64_t size_bytes) {
    std::string body(size_bytes, '\0');
    std::mt19937_64 random(42);
    for (char& c : body) c = static_cast<char>(random());
    return body;
}

// The hashes of the body's pieces.
std::vector<std::string> hashes_of(std::string_view body, std::uint64_t chunk_bytes) {
    std::vector<std::string> hashes;
    if (chunk_bytes == 0) return hashes;
    for (std::size_t at = 0; at < body.size(); at += chunk_bytes) {
        hashes.push_back(sha256_hex(body.substr(at, chunk_bytes)));
    }
    return hashes;
}

bool sends_body(S3WorkKind kind) {
    return kind == S3WorkKind::put || kind == S3WorkKind::multipart;
}

std::string_view method_of(S3WorkKind kind) {
    switch (kind) {
        case S3WorkKind::put:
            return "PUT";
        case S3WorkKind::head:
            return "HEAD";
        case S3WorkKind::remove:
            return "DELETE";
        case S3WorkKind::multipart:
            return "POST";
        case S3WorkKind::get:
        case S3WorkKind::list:
            break;
    }
    return "GET";
}

}  // namespace

std::string xml_text(const std::string& xml, std::string_view element) {
    const std::string open = fmt::format("<{}>", element);
    const std::size_t begin = xml.find(open);
    if (begin == std::string::npos) return {};
    const std::size_t from = begin + open.size();
    return xml.substr(from, xml.find('<', from) - from);
}

std::uint64_t xml_count(const std::string& xml, std::string_view element) {
    const std::string open = fmt::format("<{}>", element);
    std::uint64_t count = 0;
    for (std::size_t at = xml.find(open); at != std::string::npos;
         at = xml.find(open, at + open.size())) {
        ++count;
    }
    return count;
}

std::string url_encode(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                           (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '_' || c == '~';
        if (plain) {
            out += c;
        } else {
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return out;
}

S3Work::S3Work(S3WorkOptions options, std::size_t client_count)
    : options_(std::move(options)),
      signer_(options_.endpoint, options_.access_key, options_.secret_key),
      body_(sends_body(options_.kind) ? random_body(options_.size_bytes) : std::string()),
      body_hash_(options_.unsigned_payload ? "UNSIGNED-PAYLOAD" : sha256_hex(body_)),
      chunk_hashes_(hashes_of(body_, options_.chunk_bytes)),
      clients_(client_count) {}

S3Request S3Work::create_bucket() {
    const std::string path = "/" + options_.bucket;
    return {.head = head({.method = "PUT", .path = path, .hash = kEmptyHash}), .keep_body = true};
}

std::optional<S3Request> S3Work::next(std::size_t client) {
    switch (options_.kind) {
        case S3WorkKind::list:
            return list(client);
        case S3WorkKind::multipart:
            return multipart(clients_[client]);
        case S3WorkKind::put:
        case S3WorkKind::remove:
            if (options_.objects != 0 && next_ >= options_.objects) return std::nullopt;
            break;
        case S3WorkKind::get:
        case S3WorkKind::head:
            break;
    }
    return on_object(clients_[client]);
}

S3Outcome S3Work::take(std::size_t client, const HttpResponse& response) {
    switch (options_.kind) {
        case S3WorkKind::multipart:
            return take_part(clients_[client], response);
        case S3WorkKind::list:
            // At the end it begins again.
            clients_[client].token = xml_text(response.body(), "NextContinuationToken");
            return {.bytes = response.body_bytes(), .keys = xml_count(response.body(), "Key")};
        case S3WorkKind::put:
            return {.bytes = body_.size()};
        case S3WorkKind::get:
        case S3WorkKind::head:
        case S3WorkKind::remove:
            break;
    }
    return {.bytes = response.body_bytes()};
}

std::string S3Work::prefix_of(std::uint64_t number) const {
    if (options_.directories == 0) return options_.prefix;
    return fmt::format("{}{}/", options_.prefix, number % options_.directories);
}

std::string S3Work::object_path(std::uint64_t number) const {
    return fmt::format("/{}/{}{:08}", options_.bucket, prefix_of(number), number);
}

S3Request S3Work::on_object(Client& client) {
    const bool chooses = options_.kind == S3WorkKind::get || options_.kind == S3WorkKind::head;
    const std::string path = object_path(chooses ? random_() % options_.objects : next_++);
    if (sends_body(options_.kind) && !chunk_hashes_.empty()) return in_chunks(client, path);
    const bool has_body = sends_body(options_.kind);
    return {.head = head({.method = method_of(options_.kind),
                          .path = path,
                          .hash = has_body ? std::string_view(body_hash_) : kEmptyHash,
                          .body_bytes = body_.size()}),
            .body = body_};
}

S3Request S3Work::in_chunks(Client& client, const std::string& path) {
    constexpr std::string_view kFrame = ";chunk-signature=\r\n\r\n";
    constexpr std::size_t kSignature = 64;
    const std::string_view body = body_;
    const auto frame_bytes = [&](std::size_t chunk_bytes) {
        return fmt::formatted_size("{:x}", chunk_bytes) + kFrame.size() + kSignature + chunk_bytes;
    };
    std::uint64_t framed_bytes = frame_bytes(0);
    for (std::size_t at = 0; at < body.size(); at += options_.chunk_bytes) {
        framed_bytes += frame_bytes(body.substr(at, options_.chunk_bytes).size());
    }
    // Each signature needs the one before, the first that of the head.
    S3Request request{.head = head({.method = "PUT",
                                    .path = path,
                                    .hash = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
                                    .body_bytes = framed_bytes,
                                    .decoded_bytes = body.size()})};
    client.framed.clear();
    for (std::size_t i = 0; i <= chunk_hashes_.size(); ++i) {
        const bool last = i == chunk_hashes_.size();
        const std::string_view chunk =
            last ? "" : body.substr(i * options_.chunk_bytes, options_.chunk_bytes);
        const std::string_view hash = last ? kEmptyHash : std::string_view(chunk_hashes_[i]);
        client.framed +=
            fmt::format("{:x};chunk-signature={}\r\n", chunk.size(), signer_.sign_chunk(hash));
        client.framed += chunk;
        client.framed += "\r\n";
    }
    request.body = client.framed;
    return request;
}

S3Request S3Work::list(std::size_t client) {
    const std::string& token = clients_[client].token;
    std::string query =
        token.empty() ? std::string() : "continuation-token=" + url_encode(token) + "&";
    query += "list-type=2&prefix=" + url_encode(prefix_of(client));
    const std::string path = "/" + options_.bucket;
    return {.head = head({.method = "GET", .path = path, .query = query, .hash = kEmptyHash}),
            .keep_body = true};
}

S3Request S3Work::multipart(Client& client) {
    if (client.upload.empty()) {
        client.path = object_path(next_++);
        client.etags.clear();
        return {
            .head = head(
                {.method = "POST", .path = client.path, .query = "uploads=", .hash = kEmptyHash}),
            .keep_body = true};
    }
    if (client.etags.size() < options_.parts) {
        const std::string query =
            fmt::format("partNumber={}&{}", client.etags.size() + 1, client.upload);
        return {.head = head({.method = "PUT",
                              .path = client.path,
                              .query = query,
                              .hash = body_hash_,
                              .body_bytes = body_.size()}),
                .body = body_};
    }
    client.complete = "<CompleteMultipartUpload>";
    for (std::size_t i = 0; i < client.etags.size(); ++i) {
        client.complete += fmt::format(
            "<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", i + 1, client.etags[i]);
    }
    client.complete += "</CompleteMultipartUpload>";
    return {.head = head({.method = "POST",
                          .path = client.path,
                          .query = client.upload,
                          .hash = sha256_hex(client.complete),
                          .body_bytes = client.complete.size()}),
            .body = client.complete,
            .keep_body = true};
}

S3Outcome S3Work::take_part(Client& client, const HttpResponse& response) {
    if (client.upload.empty()) {
        client.upload = "uploadId=" + url_encode(xml_text(response.body(), "UploadId"));
        return {.counts = false};
    }
    if (client.etags.size() < options_.parts) {
        client.etags.emplace_back(response.header("etag"));
        return {.bytes = body_.size()};
    }
    client.upload.clear();
    return {.counts = false};
}

std::string S3Work::head(const Head& head) {
    const std::string target =
        head.query.empty() ? std::string(head.path) : fmt::format("{}?{}", head.path, head.query);
    return fmt::format(
        "{} {} HTTP/1.1\r\n{}Content-Length: {}\r\n\r\n",
        head.method,
        target,
        signer_.headers({head.method, head.path, head.query, head.hash, head.decoded_bytes}),
        head.body_bytes);
}

}  // namespace bench
