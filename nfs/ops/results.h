#pragma once

#include <optional>

#include "nfs/ops/request.h"
#include "nfs/xdr/writer.h"

// The parts that the results of procedures are made of.
namespace nfs {

inline constexpr std::size_t kAttributesBytes = 84;
inline constexpr std::size_t kPostOpBytes = 4 + kAttributesBytes;
inline constexpr std::size_t kPostOpHandleBytes = 4 + 4 + HandleCodec::kBytes;

void write_status(Writer& out, NfsStatus status);
// fattr3, to `space` of kAttributesBytes.
void encode_attributes(objstore::MutableBytes space,
                       const fs::Attributes& attributes,
                       std::uint64_t fsid);
void write_attributes(Writer& out, const fs::Attributes& attributes, std::uint64_t fsid);
void write_handle(Writer& out, const HandleCodec& codec, const FileHandle& handle);

// Those that need the request, to say what is known of an inode.
void write_post_op(Request& request, Writer& out, const std::optional<fs::Attributes>& attributes);
void write_post_op(Request& request, Writer& out, InodeId inode);
// Weak cache consistency data; without `change` only how `inode` is now.
void write_wcc(Request& request,
               Writer& out,
               const std::optional<fs::AttributeChange>& change,
               InodeId inode);

// Whole results. Each returns success: the call has been answered.
Answer answer_status(Writer& out, NfsStatus status);  // with nothing behind it
// An error, and the attributes of the inode it is about.
Answer answer_failed(Request& request, Writer& out, NfsStatus status, InodeId inode);
// An error, and weak cache consistency data of the inode it is about.
Answer answer_unchanged(Request& request, Writer& out, NfsStatus status, InodeId inode);
// CREATE, MKDIR, SYMLINK, MKNOD: the new inode, and its directory's weak cache consistency data.
Answer answer_created(Request& request,
                      Writer& out,
                      const FileHandle& directory,
                      const fs::NameChange& change);
// REMOVE, RMDIR, and errors of whatever changes names.
Answer answer_name_change(Request& request,
                          Writer& out,
                          const FileHandle& directory,
                          const objstore::Result<fs::NameChange>& change);

// An error of a handle that says nothing about an inode: `words` zeros stand for what is absent.
Answer answer_bad_handle(Writer& out, NfsStatus status, std::size_t words);

// sattr3 as the file system takes it, and without the mode where that is given apart.
fs::SetAttributes to_vfs(const NewAttributes& attributes);

}  // namespace nfs
