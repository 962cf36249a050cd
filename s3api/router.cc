#include "s3api/router.h"

#include <algorithm>
#include <optional>
#include <string>

namespace s3api {

namespace {

enum class Level : std::uint8_t { service, bucket, object };

// One operation of S3: a method at a level, with the sub-resource that tells it from others.
struct Row {
    Method method;
    Level level;
    std::string_view sub_resource;  // empty: none
    std::string_view name;
    std::optional<Operation> operation = std::nullopt;  // nothing: not offered
};

using enum Method;
using enum Level;
using enum Operation;

// The first row that fits wins: those with a sub-resource come before those without.
constexpr Row kRows[] = {
    {get, service, "", "ListBuckets", list_buckets},

    {get, bucket, "abac", "GetBucketAbac"},
    {put, bucket, "abac", "PutBucketAbac"},
    {get, bucket, "accelerate", "GetBucketAccelerateConfiguration"},
    {put, bucket, "accelerate", "PutBucketAccelerateConfiguration"},
    {get, bucket, "acl", "GetBucketAcl"},
    {put, bucket, "acl", "PutBucketAcl"},
    {get, bucket, "analytics", "GetBucketAnalyticsConfiguration"},
    {put, bucket, "analytics", "PutBucketAnalyticsConfiguration"},
    {del, bucket, "analytics", "DeleteBucketAnalyticsConfiguration"},
    {get, bucket, "cors", "GetBucketCors"},
    {put, bucket, "cors", "PutBucketCors"},
    {del, bucket, "cors", "DeleteBucketCors"},
    {get, bucket, "encryption", "GetBucketEncryption"},
    {put, bucket, "encryption", "PutBucketEncryption"},
    {del, bucket, "encryption", "DeleteBucketEncryption"},
    {get, bucket, "intelligent-tiering", "GetBucketIntelligentTieringConfiguration"},
    {put, bucket, "intelligent-tiering", "PutBucketIntelligentTieringConfiguration"},
    {del, bucket, "intelligent-tiering", "DeleteBucketIntelligentTieringConfiguration"},
    {get, bucket, "inventory", "GetBucketInventoryConfiguration"},
    {put, bucket, "inventory", "PutBucketInventoryConfiguration"},
    {del, bucket, "inventory", "DeleteBucketInventoryConfiguration"},
    {get, bucket, "lifecycle", "GetBucketLifecycleConfiguration"},
    {put, bucket, "lifecycle", "PutBucketLifecycleConfiguration"},
    {del, bucket, "lifecycle", "DeleteBucketLifecycle"},
    {get, bucket, "location", "GetBucketLocation", get_bucket_location},
    {get, bucket, "logging", "GetBucketLogging"},
    {put, bucket, "logging", "PutBucketLogging"},
    {get, bucket, "metadataConfiguration", "GetBucketMetadataConfiguration"},
    {post, bucket, "metadataConfiguration", "CreateBucketMetadataConfiguration"},
    {del, bucket, "metadataConfiguration", "DeleteBucketMetadataConfiguration"},
    {put, bucket, "metadataInventoryTable", "UpdateBucketMetadataInventoryTable"},
    {put, bucket, "metadataJournalTable", "UpdateBucketMetadataJournalTable"},
    {get, bucket, "metadataTable", "GetBucketMetadataTableConfiguration"},
    {post, bucket, "metadataTable", "CreateBucketMetadataTableConfiguration"},
    {del, bucket, "metadataTable", "DeleteBucketMetadataTableConfiguration"},
    {get, bucket, "metrics", "GetBucketMetricsConfiguration"},
    {put, bucket, "metrics", "PutBucketMetricsConfiguration"},
    {del, bucket, "metrics", "DeleteBucketMetricsConfiguration"},
    {get, bucket, "notification", "GetBucketNotificationConfiguration"},
    {put, bucket, "notification", "PutBucketNotificationConfiguration"},
    {get, bucket, "object-lock", "GetObjectLockConfiguration"},
    {put, bucket, "object-lock", "PutObjectLockConfiguration"},
    {get, bucket, "ownershipControls", "GetBucketOwnershipControls"},
    {put, bucket, "ownershipControls", "PutBucketOwnershipControls"},
    {del, bucket, "ownershipControls", "DeleteBucketOwnershipControls"},
    {get, bucket, "policyStatus", "GetBucketPolicyStatus"},
    {get, bucket, "policy", "GetBucketPolicy"},
    {put, bucket, "policy", "PutBucketPolicy"},
    {del, bucket, "policy", "DeleteBucketPolicy"},
    {get, bucket, "publicAccessBlock", "GetPublicAccessBlock"},
    {put, bucket, "publicAccessBlock", "PutPublicAccessBlock"},
    {del, bucket, "publicAccessBlock", "DeletePublicAccessBlock"},
    {get, bucket, "replication", "GetBucketReplication"},
    {put, bucket, "replication", "PutBucketReplication"},
    {del, bucket, "replication", "DeleteBucketReplication"},
    {get, bucket, "requestPayment", "GetBucketRequestPayment"},
    {put, bucket, "requestPayment", "PutBucketRequestPayment"},
    {get, bucket, "session", "CreateSession"},
    {get, bucket, "tagging", "GetBucketTagging"},
    {put, bucket, "tagging", "PutBucketTagging"},
    {del, bucket, "tagging", "DeleteBucketTagging"},
    {get, bucket, "uploads", "ListMultipartUploads", list_multipart_uploads},
    {get, bucket, "versioning", "GetBucketVersioning", get_bucket_versioning},
    {put, bucket, "versioning", "PutBucketVersioning"},
    {get, bucket, "versions", "ListObjectVersions", list_object_versions},
    {get, bucket, "website", "GetBucketWebsite"},
    {put, bucket, "website", "PutBucketWebsite"},
    {del, bucket, "website", "DeleteBucketWebsite"},
    {post, bucket, "delete", "DeleteObjects", delete_objects},
    {get, bucket, "list-type", "ListObjectsV2", list_objects_v2},
    {get, bucket, "", "ListObjects", list_objects},
    {put, bucket, "", "CreateBucket", create_bucket},
    {head, bucket, "", "HeadBucket", head_bucket},
    {del, bucket, "", "DeleteBucket", delete_bucket},
    {post, bucket, "", "PostObject"},

    {get, object, "acl", "GetObjectAcl"},
    {put, object, "acl", "PutObjectAcl"},
    {get, object, "attributes", "GetObjectAttributes"},
    {put, object, "encryption", "UpdateObjectEncryption"},
    {get, object, "legal-hold", "GetObjectLegalHold"},
    {put, object, "legal-hold", "PutObjectLegalHold"},
    {put, object, "renameObject", "RenameObject"},
    {post, object, "restore", "RestoreObject"},
    {get, object, "retention", "GetObjectRetention"},
    {put, object, "retention", "PutObjectRetention"},
    {post, object, "select", "SelectObjectContent"},
    {get, object, "tagging", "GetObjectTagging", get_object_tagging},
    {put, object, "tagging", "PutObjectTagging"},
    {del, object, "tagging", "DeleteObjectTagging"},
    {get, object, "torrent", "GetObjectTorrent"},
    {post, object, "uploads", "CreateMultipartUpload", create_multipart_upload},
    {get, object, "uploadId", "ListParts", list_parts},
    {put, object, "uploadId", "UploadPart", upload_part},
    {post, object, "uploadId", "CompleteMultipartUpload", complete_multipart_upload},
    {del, object, "uploadId", "AbortMultipartUpload", abort_multipart_upload},
    {get, object, "", "GetObject", get_object},
    {head, object, "", "HeadObject", head_object},
    {put, object, "", "PutObject", put_object},
    {del, object, "", "DeleteObject", delete_object},
};

// Parameters that may well be empty and are no sub-resource.
constexpr std::string_view kOrdinary[] = {
    "bucket-region",
    "continuation-token",
    "delimiter",
    "encoding-type",
    "fetch-owner",
    "key-marker",
    "marker",
    "max-buckets",
    "max-keys",
    "max-parts",
    "max-uploads",
    "part-number-marker",
    "partNumber",
    "prefix",
    "response-cache-control",
    "response-expires",
    "response-content-type",
    "response-content-disposition",
    "start-after",
    "response-content-encoding",
    "response-content-language",
    "upload-id-marker",
    "version-id-marker",
    "versionId",
};

Level level_of(const Request& request) {
    if (!request.has_bucket()) return service;
    return request.has_key() ? object : bucket;
}

S3Status not_implemented(std::string_view name) {
    return S3Status(S3Error::not_implemented, std::string(name) + " is not implemented.");
}

// A parameter without a value is how sub-resources are asked for. An unknown one must not be taken
// for none at all: `DELETE /bucket?something-new` is not DeleteBucket.
bool looks_like_sub_resource(const QueryParameter& parameter) {
    if (!parameter.value.empty()) return false;
    if (parameter.name.starts_with("x-") || parameter.name.starts_with("X-")) return false;
    return std::find(std::begin(kOrdinary), std::end(kOrdinary), parameter.name) ==
           std::end(kOrdinary);
}

// Puts with a source are copies, and parts need a number.
S3Result<Operation> refine(const Request& request, Operation operation) {
    const bool copy = request.headers.has("x-amz-copy-source");
    const bool numbered = request.query.has("partNumber");
    if (operation == put_object && numbered) {
        return S3Status(S3Error::invalid_argument, "This operation needs an uploadId.");
    }
    if (operation == upload_part && !numbered) {
        return S3Status(S3Error::invalid_argument, "This operation needs a partNumber.");
    }
    if (operation == put_object && copy) return copy_object;
    if (operation == upload_part && copy) return upload_part_copy;
    if (operation == list_objects_v2 && request.query.find("list-type") != "2") {
        return S3Status(S3Error::invalid_argument, "Invalid List Type");
    }
    return operation;
}

}  // namespace

std::string_view to_string(Operation operation) {
    if (operation == copy_object) return "CopyObject";
    if (operation == upload_part_copy) return "UploadPartCopy";
    for (const Row& row : kRows) {
        if (row.operation == operation) return row.name;
    }
    UNREACHABLE();
}

S3Result<Operation> route(const Request& request) {
    const Level level = level_of(request);
    bool known_sub_resource = false;
    for (const Row& row : kRows) {
        if (row.level != level) continue;
        const bool asked = !row.sub_resource.empty() && request.query.has(row.sub_resource);
        if (asked && row.method != request.method) known_sub_resource = true;
        if (asked && row.method == request.method) {
            if (!row.operation) return not_implemented(row.name);
            return refine(request, *row.operation);
        }
    }
    if (known_sub_resource) return S3Error::method_not_allowed;
    for (const QueryParameter& parameter : request.query.all()) {
        if (looks_like_sub_resource(parameter)) return not_implemented("?" + parameter.name);
    }
    for (const Row& row : kRows) {
        if (row.level != level || row.method != request.method || !row.sub_resource.empty()) {
            continue;
        }
        if (!row.operation) return not_implemented(row.name);
        return refine(request, *row.operation);
    }
    if (request.method == options) return not_implemented("OPTIONS");
    return S3Error::method_not_allowed;
}

}  // namespace s3api
