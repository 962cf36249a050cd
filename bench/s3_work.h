#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "bench/http_response.h"
#include "bench/s3_connection.h"
#include "bench/signer.h"

namespace bench {

enum class S3WorkKind { put, get, head, remove, list, multipart };

struct S3WorkOptions {
    S3WorkKind kind = S3WorkKind::put;
    std::string endpoint;
    std::string access_key;
    std::string secret_key;
    std::string bucket;
    std::string prefix;
    std::uint64_t size_bytes = 4096;  // of an object, or of a part
    std::uint64_t objects = 0;  // put, remove: how many, 0 without end; get, head: choose among
    std::uint64_t parts = 8;    // of an upload
    // Keys go to PREFIX0/, PREFIX1/, ... and a client lists its own; 0: all below PREFIX.
    std::uint64_t directories = 0;
    bool unsigned_payload = false;
    std::uint64_t chunk_bytes = 0;  // of a put: in signed chunks of so many bytes; 0: whole
};

// What an answer amounted to.
struct S3Outcome {
    bool counts = true;  // false: a step on the way, as the begin of an upload
    std::uint64_t bytes = 0;
    std::uint64_t keys = 0;
};

// Makes the requests of one kind of work for some clients, one after another. Threads: one.
class S3Work final {
public:
    S3Work(S3WorkOptions options, std::size_t client_count);

    S3Request create_bucket();
    // Nothing when there is none left. What it borrows lives as long as this.
    std::optional<S3Request> next(std::size_t client);
    // The good answer to this client's last request.
    S3Outcome take(std::size_t client, const HttpResponse& response);

private:
    // Where a client is in its listing or upload.
    struct Client {
        std::string token;
        std::string path;
        std::string upload;  // query
        std::vector<std::string> etags;
        std::string complete;
        std::string framed;  // a body in chunks
    };
    struct Head {
        std::string_view method;
        std::string_view path;
        std::string_view query;  // encoded and sorted
        std::string_view hash;
        std::uint64_t body_bytes = 0;
        std::uint64_t decoded_bytes = 0;  // of a body in chunks
    };

    std::string head(const Head& head);
    std::string prefix_of(std::uint64_t number) const;
    std::string object_path(std::uint64_t number) const;
    S3Request on_object(Client& client);
    S3Request in_chunks(Client& client, const std::string& path);
    S3Request list(std::size_t client);
    S3Request multipart(Client& client);
    S3Outcome take_part(Client& client, const HttpResponse& response);

    const S3WorkOptions options_;
    Signer signer_;
    const std::string body_;
    const std::string body_hash_;
    const std::vector<std::string> chunk_hashes_;
    std::uint64_t next_ = 0;
    std::mt19937_64 random_{7};
    std::vector<Client> clients_;
};

// The text of the first such element, as it stands there; empty when there is none.
std::string xml_text(const std::string& xml, std::string_view element);
// How often it occurs.
std::uint64_t xml_count(const std::string& xml, std::string_view element);
// Percent-encoded for a query.
std::string url_encode(std::string_view text);

}  // namespace bench
