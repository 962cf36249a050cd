#pragma once

#include <optional>
#include <utility>

#include "objstore/engine/engine.h"
#include "s3api/http/request.h"
#include "s3api/http/response.h"

namespace s3api {

// The headers of a request that are kept with an object: the standard ones and x-amz-meta-…. Always
// with a content-type, S3's default if need be: an object without one is a file of a mount or NFS.
// metadata_too_large: over 2 KiB of user metadata, as S3 has it.
S3Result<objstore::HeaderList> stored_headers(const Request& request);

// Those of a copy: the source's, with the type that the source is shown with.
objstore::HeaderList copied_headers(const objstore::ObjectInfo& source);

// The Content-Type of an object under this key. That of files is by extension, and read from the
// key at hand: they are often written under another name and renamed.
std::string_view shown_type(std::string_view key, const objstore::Inode& inode);

// Mode bits and mtime that copying tools leave in user metadata (semantics, section 4).
struct PosixMetadata {
    std::optional<std::uint32_t> mode;
    std::optional<objstore::UnixNanos> mtime;
};
PosixMetadata posix_metadata(const objstore::HeaderList& headers);

// What GET and HEAD say of an object: its headers, ETag, Last-Modified; checksums when the request
// asks for them (x-amz-checksum-mode) and `whole`.
void add_object_headers(Response& response,
                        const Request& request,
                        const objstore::ObjectInfo& object,
                        bool whole);

// response-content-type and its kin, which signed requests may ask for, over what is stored.
S3Status check_overrides(const Request& request);

}  // namespace s3api
