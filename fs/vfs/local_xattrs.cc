// LocalVfs: extended attributes.
#include <fmt/format.h>

#include "fs/vfs/local_file.h"
#include "fs/vfs/permission.h"

namespace fs {

using objstore::InodePtr;
using objstore::Why;

namespace {

// Told, not stored: what mounts do not show of a directory.
constexpr std::string_view kVirtual = "user.ashlar.";
constexpr std::string_view kShadowed = "user.ashlar.shadowed";
constexpr std::string_view kHidden = "user.ashlar.hidden";

bool begins(std::string_view text, std::string_view with) {
    return text.substr(0, with.size()) == with;
}

Status no_attribute(std::string_view name) {
    return Status::not_found(fmt::format("no attribute {}", name), Why::no_attribute);
}

Status check_user_xattr(const Credentials& who, const objstore::Inode& inode, bool write) {
    // A symbolic link's or device's mode says who may use what it stands for, not the thing itself.
    if (!inode.is_regular() && !inode.is_directory()) {
        if (!write) return no_attribute("user");
        return Status::permission_denied("user attributes are for files and directories",
                                         Why::not_permitted);
    }
    const bool sticky = inode.is_directory() && (inode.mode & 01000) != 0;
    if (write && sticky && !who.checked && who.uid != 0 && who.uid != inode.uid) {
        return Status::permission_denied("the directory is sticky", Why::not_permitted);
    }
    return check_access(who, inode, write ? kMayWrite : kMayRead);
}

}  // namespace

Status LocalVfs::check_xattr(const Credentials& who, const XattrAt& at, std::uint32_t wanted) {
    const bool write = wanted == kMayWrite;
    if (at.name.size() > kXattrNameBytesMax) {
        return Status::invalid_argument("an attribute's name has 255 bytes at most",
                                        Why::name_too_long);
    }
    TRY_ASSIGN(const InodePtr inode, names().getattr(at.inode));
    if (write && at.inode == kRootInode) {
        return Status::permission_denied("the root is not to be changed", Why::not_permitted);
    }
    if (begins(at.name, "user.")) return check_user_xattr(who, *inode, write);
    const bool root = who.checked || who.uid == 0;
    if (begins(at.name, "trusted.")) {
        if (root) return {};
        if (!write) return no_attribute(at.name);
        return Status::permission_denied("trusted attributes are root's", Why::not_permitted);
    }
    if (begins(at.name, "security.")) {
        if (root || !write) return {};
        return Status::permission_denied("security attributes are root's", Why::not_permitted);
    }
    return Status::unsupported(fmt::format("attribute {} has no known kind", at.name));
}

Result<std::vector<std::string>> LocalVfs::list_xattrs(const Credentials& who, InodeId inode) {
    TRY_ASSIGN(const InodePtr found, names().getattr(inode));
    std::vector<std::string> list;
    if (!found->has_xattrs) return list;
    TRY_ASSIGN(auto rows, names().xattrs(inode));
    for (objstore::XattrRow& row : rows) {
        if (begins(row.name, "trusted.") && who.uid != 0) continue;
        list.push_back(std::move(row.name));
    }
    return list;
}

Result<std::string> LocalVfs::virtual_xattr(const Inode& inode, std::string_view name) {
    if (!inode.is_directory()) return no_attribute(name);
    if (name == kHidden && inode.directory.hidden > 0) {
        return std::to_string(inode.directory.hidden);
    }
    if (name == kShadowed && inode.parent != 0) {
        // The object's name is the directory's without the slash.
        const std::string_view object(inode.name.data(), inode.name.size() - 1);
        const auto found = names().lookup(inode.parent, object);
        if (found.ok()) return std::string("1");
        if (found.code() != objstore::Code::not_found) return found.error();
    }
    return no_attribute(name);
}

Result<std::string> LocalVfs::get_xattr(const Credentials& who, const XattrAt& at) {
    TRY(check_xattr(who, at, kMayRead));
    TRY_ASSIGN(const InodePtr inode, names().getattr(at.inode));
    if (begins(at.name, kVirtual)) return virtual_xattr(*inode, at.name);
    // The kernel asks for security.capability at each write: no need to look.
    if (!inode->has_xattrs) return no_attribute(at.name);
    return names().xattr(at.inode, at.name);
}

Status LocalVfs::set_xattr(const Credentials& who,
                           const XattrAt& at,
                           std::string_view value,
                           XattrMode mode) {
    TRY(check_xattr(who, at, kMayWrite));
    if (begins(at.name, kVirtual)) {
        return Status::permission_denied("told, not stored", Why::not_permitted);
    }
    if (value.size() > kXattrValueBytesMax) {
        return Status::invalid_argument("an attribute has 64 KiB at most", Why::too_large);
    }
    objstore::SetXattrOp op;
    op.xattr = {at.inode, std::string(at.name), std::string(value)};
    op.must_be_absent = mode == XattrMode::create;
    op.must_exist = mode == XattrMode::replace;
    op.time = deps_.clock.now();
    return deps_.engine.apply(std::move(op), call_options(who)).error();
}

Status LocalVfs::remove_xattr(const Credentials& who, const XattrAt& at) {
    TRY(check_xattr(who, at, kMayWrite));
    objstore::RemoveXattrOp op;
    op.inode = at.inode;
    op.name = at.name;
    op.time = deps_.clock.now();
    return deps_.engine.apply(std::move(op), call_options(who)).error();
}

}  // namespace fs
