#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "objstore/base/status.h"
#include "objstore/meta/inode.h"
#include "objstore/meta/ops.h"

// Keys, names and conditions: rules without state (semantics, sections 2 and 6).
namespace objstore {

inline constexpr std::size_t kKeyBytesMax = 1024;
inline constexpr std::size_t kNameBytesMax = 255;

// The entry names a key passes through: those of directories end in '/', an empty component is "/".
// "a//b" is "a/", "/", "b". The last is a directory's when the key names a marker.
std::vector<std::string_view> split_key(std::string_view key);

// invalid_argument: not 1 to 1,024 bytes, or with a NUL.
Status check_key(std::string_view key);
// invalid_argument: no name for a file: empty, ".", "..", with '/' or NUL, or (name_too_long) over
// 255 bytes.
Status check_name(std::string_view name);

// The MD5 of no bytes: what every directory has that is no marker.
ETag etag_of_nothing();

// A name with what it names.
struct Named {
    Entry entry;
    const Inode* inode = nullptr;
};
// Whether S3's conditions hold for a key; null: no object there. conflict (precondition): they do
// not. not_found: they ask for an object, and there is none.
Status check_conditions(const WriteConditions& conditions, const Named* object);

}  // namespace objstore
