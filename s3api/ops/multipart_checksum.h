#pragma once

#include <vector>

#include "objstore/meta/rows.h"
#include "s3api/base/error.h"
#include "s3api/http/request.h"

namespace s3api {

// The CRC of two runs of bytes, from the CRC of each and the length of the second. Kinds crc32,
// crc32c and crc64nvme; raw values, most significant byte first.
std::string combine_crc(objstore::ChecksumKind kind,
                        const std::string& first,
                        const std::string& second,
                        std::uint64_t second_bytes);

// Whether checksums of that kind can be given for a whole object made of parts.
bool combines(objstore::ChecksumKind kind);

// The checksum of an object from those of its parts: of the full object, or S3's composite (the
// checksum of the parts' checksums). Kind none: a part has no checksum of that kind.
objstore::StoredChecksum object_checksum(const objstore::UploadRow& upload,
                                         const std::vector<objstore::PartRow>& parts);

// The same for the request that completes the upload, and compared with what it says.
// invalid_request: it has a checksum of another algorithm or type than the upload's, or one of
// parts that have none. bad_digest: it says another value.
S3Result<objstore::StoredChecksum> completed_checksum(const Request& request,
                                                      const objstore::UploadRow& upload,
                                                      const std::vector<objstore::PartRow>& parts);

// What S3 says where an upload has one algorithm and a request another.
S3Status checksum_mismatch(objstore::ChecksumKind expected, objstore::ChecksumKind actual);

}  // namespace s3api
