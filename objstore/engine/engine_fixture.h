#pragma once

#include <string>

#include <doctest/doctest.h>

#include "objstore/engine/engine.h"

namespace objstore {

// A new upload of a key, with the id 77.
inline UploadRow begin_upload(Engine& engine, InodeId bucket, const std::string& key) {
    CreateUploadOp create;
    create.upload.id = 77;
    create.upload.bucket = bucket;
    create.upload.key = key;
    REQUIRE(engine.apply(create, {}).ok());
    const auto upload = engine.names().upload(77);
    REQUIRE(upload.ok());
    return *upload;
}

}  // namespace objstore
