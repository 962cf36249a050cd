// LocalVfs: reading directories.
#include "fs/vfs/local_file.h"

namespace fs {

using objstore::EntryWithInode;
using objstore::InodePtr;

// Whether a directory of this name stands before the object. Only asked where there are any.
Result<bool> LocalVfs::is_shadowed(const Inode& directory, const objstore::Entry& entry) {
    if (entry.type == FileType::directory || directory.directory.subdirectories == 0) return false;
    const std::string with_slash = entry.name + '/';
    if (const auto known = names().cached_lookup(directory.id, with_slash)) {
        return known->inode != nullptr;
    }
    const auto found = names().lookup(directory.id, with_slash);
    if (found.ok()) return true;
    if (found.code() != objstore::Code::not_found) return found.error();
    return false;
}

Result<DirectoryPage> LocalVfs::read_directory(const Credentials& who,
                                               InodeId id,
                                               std::uint64_t cookie,
                                               std::size_t limit) {
    ASSERT(limit > 0);
    TRY_ASSIGN(const InodePtr parent, directory(who, id, kMayRead));
    DirectoryPage page;
    // A page of nothing but shadowed names is no end: go on to the next.
    while (page.entries.empty() && !page.end) {
        TRY_ASSIGN(std::vector<EntryWithInode> found, names().read_directory(id, cookie, limit));
        page.end = found.size() < limit;
        page.entries.reserve(found.size());
        for (EntryWithInode& child : found) {
            cookie = child.entry.cookie;
            TRY_ASSIGN(const bool shadowed, is_shadowed(*parent, child.entry));
            if (shadowed) continue;
            std::string name = std::move(child.entry.name);
            if (child.entry.type == FileType::directory) name.pop_back();
            page.entries.push_back({std::move(name), cookie, attributes(*child.inode)});
        }
    }
    return page;
}

}  // namespace fs
