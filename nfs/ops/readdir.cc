#include <algorithm>

#include "nfs/ops/procedures.h"
#include "nfs/ops/results.h"

namespace nfs {

using objstore::Status;

namespace {

// Cookies on the wire: 0 the start, 1 ".", 2 "..", above that the file system's plus 2.
constexpr std::uint64_t kDotCookie = 1;
constexpr std::uint64_t kDotDotCookie = 2;
constexpr std::size_t kReplyBytesMax = 256 * objstore::kKiB;
constexpr std::size_t kPageEntriesMin = 16;
constexpr std::size_t kPageEntriesMax = 2048;
// Directory attributes, verifier, the end of the list, end of directory.
constexpr std::size_t kFrameBytes = kPostOpBytes + 8 + 4 + 4;
constexpr std::size_t kEntryBytes = 4 + 8 + 4 + 8;  // more follows, file id, name's length, cookie

// How much a client takes, and whether it wants attributes and handles with the names.
struct Shape {
    bool plus = false;
    std::size_t bytes_max = 0;
    std::size_t name_bytes_max = 0;  // READDIRPLUS: of ids, names and cookies alone
};

// Writes entries until the client's limits are reached.
class Listing final {
public:
    Listing(Request& request, Writer& out, const FileHandle& directory, const Shape& shape)
        : request_(request), out_(out), directory_(directory), shape_(shape) {}

    // False: no room, nothing was written.
    bool add(std::string_view name,
             std::uint64_t cookie,
             InodeId inode,
             const fs::Attributes* attributes) {
        const std::size_t name_bytes = kEntryBytes + padded(name.size());
        std::size_t bytes = name_bytes;
        if (shape_.plus) bytes += attributes ? kPostOpBytes + kPostOpHandleBytes : 8;
        if (used_bytes_ + bytes > shape_.bytes_max) return false;
        if (used_name_bytes_ + name_bytes > shape_.name_bytes_max) return false;
        used_bytes_ += bytes;
        used_name_bytes_ += name_bytes;
        ++count_;
        out_.boolean(true);
        out_.u64(inode);
        out_.text(name);
        out_.u64(cookie);
        if (shape_.plus) write_extras(attributes);
        return true;
    }
    std::size_t count() const { return count_; }
    // How many entries to ask for: about what there is room for.
    std::size_t page_entries() const {
        constexpr std::size_t kUsualNameBytes = 16;
        const std::size_t each =
            kEntryBytes + kUsualNameBytes + (shape_.plus ? kPostOpBytes + kPostOpHandleBytes : 0);
        const std::size_t room = std::max(shape_.bytes_max, used_bytes_) - used_bytes_;
        return std::clamp(room / each + 1, kPageEntriesMin, kPageEntriesMax);
    }

private:
    void write_extras(const fs::Attributes* attributes) {
        if (!attributes) return out_.zeros(2);
        write_post_op(request_, out_, *attributes);
        out_.boolean(true);
        const FileHandle handle{directory_.exported, attributes->inode};
        write_handle(out_, request_.context().handles, handle);
    }

    Request& request_;
    Writer& out_;
    const FileHandle directory_;
    const Shape shape_;
    std::size_t used_bytes_ = kFrameBytes;
    std::size_t used_name_bytes_ = 0;
    std::size_t count_ = 0;
};

// The names after `cookie`; true when the directory ends with them.
objstore::Result<bool> add_names(Request& request,
                                 Listing& listing,
                                 InodeId directory,
                                 std::uint64_t cookie) {
    std::uint64_t after = cookie <= kDotDotCookie ? 0 : cookie - kDotDotCookie;
    while (true) {
        const std::size_t limit = listing.page_entries();
        TRY_ASSIGN(const auto page,
                   request.vfs().read_directory(request.who(), directory, after, limit));
        for (const fs::DirectoryEntry& entry : page.entries) {
            const fs::Attributes& attributes = entry.attributes;
            const std::uint64_t wire = entry.cookie + kDotDotCookie;
            if (!listing.add(entry.name, wire, attributes.inode, &attributes)) return false;
            after = entry.cookie;
        }
        if (page.end) return true;
        if (page.entries.empty()) return Status::io_error("directory page without entries");
    }
}

objstore::Result<bool> add_all(Request& request,
                               Listing& listing,
                               const FileHandle& directory,
                               const fs::Attributes& self,
                               std::uint64_t cookie) {
    if (cookie < kDotCookie && !listing.add(".", kDotCookie, self.inode, &self)) return false;
    if (cookie < kDotDotCookie) {
        const bool is_top = self.inode == directory.exported || self.parent == 0;
        const InodeId parent = is_top ? self.inode : self.parent;
        if (!listing.add("..", kDotDotCookie, parent, nullptr)) return false;
    }
    return add_names(request, listing, directory.inode, cookie);
}

Answer list(Request& request, Writer& out, HandleArg handle, std::uint64_t cookie, Shape shape) {
    const auto target = request.resolve(handle);
    if (!target.ok()) return answer_bad_handle(out, target.status, 1);
    const InodeId inode = target.handle.inode;
    const auto self = request.vfs().getattr(inode);
    if (!self.ok()) return answer_bad_handle(out, request.failed(self.error()), 1);
    if (!self->is_directory()) return answer_failed(request, out, NfsStatus::notdir, inode);
    shape.bytes_max = std::min(shape.bytes_max, kReplyBytesMax);
    const auto begin = out.out().mark();
    write_status(out, NfsStatus::ok);
    write_post_op(request, out, *self);
    out.u64(0);  // the verifier: cookies stay good for ever
    Listing listing(request, out, target.handle, shape);
    const auto ended = add_all(request, listing, target.handle, *self, cookie);
    if (!ended.ok() || (!*ended && listing.count() == 0)) {
        const NfsStatus status = ended.ok() ? NfsStatus::toosmall : request.failed(ended.error());
        out.out().rollback(begin);
        return answer_failed(request, out, status, inode);
    }
    out.boolean(false);
    out.boolean(*ended);
    return Answer::success;
}

}  // namespace

Answer readdir(Request& request, Writer& out) {
    const auto args = ReaddirArgs::read(request.args());
    if (!request.args().ok()) return Answer::garbage_args;
    return list(request, out, args.handle, args.cookie, {false, args.count, args.count});
}

Answer readdirplus(Request& request, Writer& out) {
    const auto args = ReaddirplusArgs::read(request.args());
    if (!request.args().ok()) return Answer::garbage_args;
    // Some clients pass 0 for "no matter".
    const std::size_t names = args.dir_count == 0 ? args.max_count : args.dir_count;
    return list(request, out, args.handle, args.cookie, {true, args.max_count, names});
}

}  // namespace nfs
