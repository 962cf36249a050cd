#include "objstore/meta/ops_tree.h"

#include <fmt/format.h>

#include "objstore/meta/ops_content.h"
#include "objstore/meta/visibility.h"

namespace objstore {

namespace {

constexpr std::size_t kErasedExtentsMax = 1000;  // more are freed in the background

Status add(std::uint64_t& count, int by) {
    if (by < 0 && count < static_cast<std::uint64_t>(-by)) {
        return Status::corruption("a directory counts fewer names than it has");
    }
    count += static_cast<std::uint64_t>(by);
    return {};
}

Status change_state(Inode& directory, const DirectoryChange& change) {
    DirectoryState& state = directory.directory;
    TRY(add(state.children, change.children));
    TRY(add(state.hidden, change.hidden));
    TRY(add(state.subdirectories, change.subdirectories));
    TRY(add(state.visible, change.visible));
    directory.nlink += static_cast<std::uint32_t>(change.subdirectories);
    if (change.make) state.kind = DirectoryKind::made;
    if (change.marker) state.marker = *change.marker;
    if (change.time) directory.mtime = directory.ctime = *change.time;
    return {};
}

Result<bool> has_many_extents(Tables& tables, InodeId id) {
    TRY_ASSIGN(const auto* inode, tables.inode(id));
    if (!inode->extents_in_table) return false;
    TRY_ASSIGN(const auto some, tables.extents(id, 0, kFileBytesMax, kErasedExtentsMax + 1));
    return some.size() > kErasedExtentsMax;
}

bool prunable(const Inode& inode) {
    const DirectoryState& state = inode.directory;
    return inode.is_directory() && inode.parent != 0 && inode.id != inode.bucket &&
           state.kind == DirectoryKind::implied && !state.marker && state.children == 0;
}

}  // namespace

void DirectoryChange::count(const Named& named, int by) {
    children += by;
    if (hidden_from_paths(named.entry.name)) hidden += by;
    if (named.entry.type == FileType::directory) subdirectories += by;
    if (shows(named.entry, *named.inode)) visible += by;
}

Status change_directory(Tables& tables, InodeId id, const DirectoryChange& change) {
    TRY_ASSIGN(auto* directory, edit(tables, id));
    ASSERT(directory->is_directory());
    const bool showed = shows_in_listing(*directory);
    TRY(change_state(*directory, change).with_context(fmt::format("directory {}", id)));
    const int flip = int{shows_in_listing(*directory)} - int{showed};
    while (flip != 0 && directory->parent != 0 && directory->id != directory->bucket) {
        TRY_ASSIGN(auto* above, edit_quietly(tables, directory->parent));
        const bool above_showed = shows_in_listing(*above);
        TRY(change_state(*above, {.visible = flip})
                .with_context(fmt::format("directory {}", above->id)));
        if (shows_in_listing(*above) == above_showed) break;
        directory = above;
    }
    return {};
}

Result<Inode*> edit(Tables& tables, InodeId id) {
    TRY_ASSIGN(auto* inode, edit_quietly(tables, id));
    ++inode->change;
    return inode;
}

Result<Inode*> edit_quietly(Tables& tables, InodeId id) {
    TRY_ASSIGN(const auto* inode, tables.inode(id));
    const std::uint64_t change = inode->change;
    TRY_ASSIGN(auto* edited, tables.edit_inode(id));
    edited->change = change;
    return edited;
}

Result<InodePtr> snapshot(Tables& tables, InodeId id) {
    TRY_ASSIGN(const auto* inode, tables.inode(id));
    return std::make_shared<const Inode>(*inode);
}

Result<const Inode*> live_directory(Tables& tables, InodeId id) {
    TRY_ASSIGN(const auto* inode, tables.inode(id));
    if (!inode->is_directory()) {
        return Status::conflict(fmt::format("inode {} is no directory", id), Why::not_directory);
    }
    if (inode->parent == 0 && id != kRootInode) {
        return Status::not_found(fmt::format("directory {} was removed", id));
    }
    return inode;
}

Result<const Inode*> parent_directory(Tables& tables, InodeId id) {
    if (id == kRootInode) {
        return Status::permission_denied("the root holds buckets alone", Why::not_permitted);
    }
    return live_directory(tables, id);
}

Result<std::optional<Entry>> find_name(Tables& tables, InodeId parent, std::string_view name) {
    TRY_ASSIGN(auto directory, tables.entry(parent, std::string(name) + '/'));
    if (directory) return directory;
    return tables.entry(parent, name);
}

Status add_name(Tables& tables, const Entry& entry, DirectoryChange change) {
    TRY_ASSIGN(const auto* inode, tables.inode(entry.inode));
    change.count({entry, inode}, 1);
    tables.put_entry(entry);
    return change_directory(tables, entry.parent, change);
}

Status remove_name(Tables& tables, const Entry& entry, DirectoryChange change) {
    ASSERT(change.time.has_value());
    TRY_ASSIGN(const auto* inode, tables.inode(entry.inode));
    change.count({entry, inode}, -1);
    tables.erase_entry(entry.parent, entry.name);
    TRY(change_directory(tables, entry.parent, change));
    return lose_name(tables, entry.inode, *change.time);
}

Status lose_name(Tables& tables, InodeId id, UnixNanos time) {
    TRY_ASSIGN(auto* inode, edit(tables, id));
    inode->ctime = time;
    if (!inode->is_directory() && inode->nlink > 1) {
        --inode->nlink;
        return {};
    }
    inode->nlink = 0;
    inode->parent = 0;
    inode->name.clear();
    // Empty, but for a bucket's directories that go all at once.
    DirectoryState& state = inode->directory;
    state.children = state.hidden = state.subdirectories = state.visible = 0;
    bool keep = tables.held(id);
    if (!keep) {
        TRY_ASSIGN(keep, has_many_extents(tables, id));
    }
    if (!keep) return erase_with_content(tables, id);
    tables.put_orphan({id, time});
    return {};
}

Status prune(Tables& tables, InodeId directory, UnixNanos time) {
    while (true) {
        TRY_ASSIGN(const auto* inode, tables.inode(directory));
        if (!prunable(*inode)) return {};
        // Held is used as well: whoever has it open may be about to create something in it.
        if (tables.used_recently(directory) || tables.held(directory)) {
            tables.prune_later(directory);
            return {};
        }
        const InodeId parent = inode->parent;
        TRY_ASSIGN(const auto entry, tables.entry(parent, inode->name));
        if (!entry) return Status::corruption(fmt::format("directory {} has no entry", directory));
        TRY(remove_name(tables, *entry, {.time = time}));
        directory = parent;
    }
}

}  // namespace objstore
