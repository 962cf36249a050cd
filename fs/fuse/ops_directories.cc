// Requests on directories. They keep no state: an offset is a cookie.
#include <algorithm>
#include <vector>

#include "fs/fuse/session.h"

namespace fs {
namespace {

using Serving = Invalidator::Serving;

// Offsets: 1 and 2 follow "." and "..", then come the entries' cookies.
constexpr std::uint64_t kAfterDot = 1;
constexpr std::uint64_t kAfterDotDot = 2;
// No entry takes less in the kernel's buffer, with or without attributes.
constexpr std::size_t kPlainBytesMin = 32;
constexpr std::size_t kPlusBytesMin = 160;
constexpr std::size_t kPageMax = 1024;

// One reply to readdir or readdirplus while it is filled.
struct Listing {
    fuse_req_t req = nullptr;
    InodeId directory = 0;
    bool plus = false;
    bool cache = true;  // the kernel may keep what it gets
    std::vector<char> buffer{};
    std::size_t used = 0;
    std::vector<InodeId> looked_up{};

    // False: the buffer is full.
    bool add(const char* name, const fuse_entry_param& e, std::uint64_t next) {
        char* const at = buffer.data() + used;
        const std::size_t room = buffer.size() - used;
        const auto offset = static_cast<off_t>(next);
        const std::size_t size = plus ? fuse_add_direntry_plus(req, at, room, name, &e, offset)
                                      : fuse_add_direntry(req, at, room, name, &e.attr, offset);
        if (size > room) return false;
        used += size;
        return true;
    }
    // "." and "..": no lookups for the kernel.
    bool add_dot(const char* name, InodeId inode, std::uint64_t next) {
        fuse_entry_param e{};
        e.attr.st_ino = inode;
        e.attr.st_mode = S_IFDIR;
        return add(name, e, next);
    }
    std::size_t page_limit() const {
        const std::size_t each = plus ? kPlusBytesMin : kPlainBytesMin;
        return std::clamp<std::size_t>((buffer.size() - used) / each, 1, kPageMax);
    }
};

// False: full.
bool add_entries(Listing& listing, Session& s, const DirectoryPage& page) {
    for (const DirectoryEntry& entry : page.entries) {
        const auto e = s.entry(entry.attributes, listing.directory, listing.cache);
        if (!listing.add(entry.name.c_str(), e, entry.cookie + kAfterDotDot)) return false;
        if (!listing.plus) continue;
        s.looked_up(entry.attributes.inode, {listing.directory, entry.name});
        listing.looked_up.push_back(entry.attributes.inode);
    }
    return true;
}

Status fill(Listing& listing, Session& s, std::uint64_t offset) {
    const Credentials who = caller(listing.req);
    if (offset == 0) {
        if (!listing.add_dot(".", listing.directory, kAfterDot)) return {};
        offset = kAfterDot;
    }
    if (offset == kAfterDot) {
        TRY_ASSIGN(const Attributes parent, s.vfs.lookup_parent(who, listing.directory));
        if (!listing.add_dot("..", parent.inode, kAfterDotDot)) return {};
        offset = kAfterDotDot;
    }
    std::uint64_t cookie = offset - kAfterDotDot;
    for (bool more = true; more;) {
        TRY_ASSIGN(const DirectoryPage page,
                   s.vfs.read_directory(who, listing.directory, cookie, listing.page_limit()));
        more = add_entries(listing, s, page) && !page.end;
        if (!page.entries.empty()) cookie = page.entries.back().cookie;
    }
    return {};
}

void forget_all(Listing& listing, Session& s) {
    for (const InodeId inode : listing.looked_up) s.forget(inode);
}

void list(fuse_req_t req, fuse_ino_t inode, std::size_t size, off_t offset, bool plus) {
    const Serving serving;
    Session& s = session_of(req);
    // Whether it may be kept is known when all is there: if not, it is filled once more.
    for (bool cache = plus;; cache = false) {
        const std::uint64_t seen = s.gate.seen();
        Listing listing{.req = req, .directory = inode, .plus = plus, .cache = cache};
        listing.buffer.resize(size);
        if (Status status = fill(listing, s, static_cast<std::uint64_t>(offset)); !status.ok()) {
            forget_all(listing, s);
            reply_status(req, status);
            return;
        }
        const ReplyGate::Pass pass(s.gate, seen);
        if (cache && !pass.fresh()) {
            forget_all(listing, s);
            continue;
        }
        if (fuse_reply_buf(req, listing.buffer.data(), listing.used) != 0) forget_all(listing, s);
        return;
    }
}

void opendir(fuse_req_t req, fuse_ino_t, fuse_file_info* info) {
    fuse_reply_open(req, info);
}

void readdir(fuse_req_t req, fuse_ino_t inode, std::size_t size, off_t offset, fuse_file_info*) {
    list(req, inode, size, offset, false);
}

void readdirplus(
    fuse_req_t req, fuse_ino_t inode, std::size_t size, off_t offset, fuse_file_info*) {
    list(req, inode, size, offset, true);
}

void releasedir(fuse_req_t req, fuse_ino_t, fuse_file_info*) {
    fuse_reply_err(req, 0);
}

void fsyncdir(fuse_req_t req, fuse_ino_t, int, fuse_file_info*) {
    const Serving serving;
    reply_status(req, session_of(req).vfs.sync_names());
}

}  // namespace

void add_directory_operations(fuse_lowlevel_ops& table) {
    table.opendir = opendir;
    table.readdir = readdir;
    table.readdirplus = readdirplus;
    table.releasedir = releasedir;
    table.fsyncdir = fsyncdir;
}

}  // namespace fs
