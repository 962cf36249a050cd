#pragma once

#include <algorithm>
#include <mutex>
#include <set>

#include "tests/nfs/bare_vfs.h"
#include "tests/nfs/memory_nodes.h"

// The names of MemoryVfs. Its one bucket "b" is open to all. Threads: any.
class MemoryNames : public BareVfs {
public:
    using Node = MemoryNodes::Node;
    using Attributes = fs::Attributes;
    using Change = fs::AttributeChange;
    using NameChange = fs::NameChange;
    using Guard = std::lock_guard<std::recursive_mutex>;

    std::set<InodeId> cold;                                 // `try_` calls know them not
    Status failure;                                         // if not ok: of waiting calls
    std::uint64_t file_bytes_max = std::uint64_t{8} << 20;  // no_space above

    MemoryNames() {
        Node& root = **nodes_.find(objstore::kRootInode);
        Node& bucket = nodes_.make({}, objstore::FileType::directory, root);
        bucket.attributes.mode = 0777;
        nodes_.attach(root, "b", bucket);
    }

    Result<Attributes> getattr(InodeId inode) override {
        const Guard guard(mutex_);
        TRY(failure);
        TRY_ASSIGN(const Node* node, nodes_.find(inode));
        return node->attributes;
    }
    std::optional<Attributes> try_getattr(InodeId inode) override {
        const Guard guard(mutex_);
        const auto node = nodes_.find(inode);
        if (!node.ok() || cold.contains(inode)) return std::nullopt;
        return (*node)->attributes;
    }
    Result<Attributes> lookup(const Who& who, InodeId parent, std::string_view name) override {
        const Guard guard(mutex_);
        TRY(failure);
        TRY(MemoryNodes::check_name(name));
        TRY_ASSIGN(const Node* node, nodes_.find_directory(who, parent, fs::kMayExecute));
        const auto found = node->names.find(name);
        if (found == node->names.end()) return Status::not_found("no such name");
        return getattr(found->second);
    }
    std::optional<Result<Attributes>> try_lookup(const Who& who,
                                                 InodeId parent,
                                                 std::string_view name) override {
        const Guard guard(mutex_);
        if (cold.contains(parent)) return std::nullopt;
        return lookup(who, parent, name);
    }
    Result<Attributes> lookup_parent(const Who&, InodeId directory) override {
        const Guard guard(mutex_);
        TRY_ASSIGN(const Node* node, nodes_.find(directory));
        const InodeId parent = node->attributes.parent;
        return getattr(parent == 0 ? directory : parent);
    }
    Result<fs::Created> create(const Who& who,
                               InodeId parent,
                               std::string_view name,
                               const fs::CreateRequest& request) override {
        const Guard guard(mutex_);
        if (auto found = lookup(who, parent, name); found.ok()) return existing(*found, request);
        fs::SetAttributes attributes = request.attributes;
        attributes.mode = request.mode;
        if (attributes.size) TRY(check_size(*attributes.size));
        TRY_ASSIGN(auto made, add(who, {parent, name}, objstore::FileType::regular, attributes));
        (*nodes_.find(made.attributes->inode))->create_verifier = request.verifier;
        fs::Created created;
        created.change = std::move(made);
        return created;
    }
    Result<NameChange> mkdir(const Who& who,
                             InodeId parent,
                             std::string_view name,
                             const fs::SetAttributes& attributes) override {
        return add(who, {parent, name}, objstore::FileType::directory, attributes);
    }
    Result<NameChange> mknod(const Who& who,
                             InodeId parent,
                             std::string_view name,
                             NodeKind kind,
                             const fs::SetAttributes& attributes) override {
        const Guard guard(mutex_);
        TRY_ASSIGN(auto made, add(who, {parent, name}, kind.type, attributes));
        Node& node = **nodes_.find(made.attributes->inode);
        node.attributes.rdev = kind.rdev;
        made.attributes = node.attributes;
        return made;
    }
    Result<NameChange> symlink(const Who& who,
                               const SymlinkAt& at,
                               const fs::SetAttributes& attributes) override {
        const Guard guard(mutex_);
        TRY_ASSIGN(auto made,
                   add(who, {at.directory, at.name}, objstore::FileType::symlink, attributes));
        (*nodes_.find(made.attributes->inode))->data = at.target;
        return made;
    }
    Result<NameChange> link(const Who& who,
                            InodeId inode,
                            InodeId parent,
                            std::string_view name) override {
        const Guard guard(mutex_);
        TRY_ASSIGN(Node * node, nodes_.find(inode));
        TRY_ASSIGN(Node * directory, writable(who, {parent, name}));
        const Attributes before = directory->attributes;
        if (directory->names.contains(name)) return Status::already_exists("name taken");
        if (node->attributes.is_directory()) {
            return Status::permission_denied("directory", objstore::Why::not_permitted);
        }
        nodes_.attach(*directory, name, *node);
        return NameChange{node->attributes, Change{before, directory->attributes}, {}};
    }
    Result<NameChange> unlink(const Who& who, InodeId parent, std::string_view name) override {
        return take_away(who, {parent, name}, false);
    }
    Result<NameChange> rmdir(const Who& who, InodeId parent, std::string_view name) override {
        return take_away(who, {parent, name}, true);
    }
    Result<NameChange> rename(const Who& who,
                              const NameAt& from,
                              const NameAt& to,
                              fs::RenameFlags) override {
        const Guard guard(mutex_);
        TRY_ASSIGN(Node * source, writable(who, from));
        TRY_ASSIGN(Node * target, writable(who, to));
        const Attributes source_before = source->attributes;
        const Attributes target_before = target->attributes;
        const auto found = source->names.find(from.name);
        if (found == source->names.end()) return Status::not_found("no such name");
        Node& node = **nodes_.find(found->second);
        if (target->names.contains(to.name)) nodes_.detach(*target, to.name);
        nodes_.detach(*source, from.name, true);
        nodes_.attach(*target, to.name, node);
        return NameChange{node.attributes,
                          Change{source_before, source->attributes},
                          Change{target_before, target->attributes}};
    }

protected:
    Status check_size(std::uint64_t size) const {
        return size <= file_bytes_max ? Status() : Status::no_space("too large for this double");
    }
    std::recursive_mutex mutex_;
    MemoryNodes nodes_;

private:
    Result<Node*> writable(const Who& who, const NameAt& at) {
        TRY(failure);
        TRY(MemoryNodes::check_name(at.name));
        if (at.directory == objstore::kRootInode) {
            return Status::permission_denied("the root", objstore::Why::not_permitted);
        }
        return nodes_.find_directory(who, at.directory, fs::kMayWrite | fs::kMayExecute);
    }
    Result<fs::Created> existing(const Attributes& found, const fs::CreateRequest& request) {
        using How = fs::CreateRequest::How;
        Node& node = **nodes_.find(found.inode);
        const bool again =
            request.how == How::exclusive && node.create_verifier == request.verifier;
        if (!again && request.how != How::unchecked) return Status::already_exists("name taken");
        if (request.attributes.size) TRY(check_size(*request.attributes.size));
        if (request.attributes.size) nodes_.apply(node, {.size = request.attributes.size});
        fs::Created created;
        created.change.attributes = node.attributes;
        created.existed = true;
        return created;
    }
    Result<NameChange> add(const Who& who,
                           const NameAt& at,
                           objstore::FileType type,
                           const fs::SetAttributes& attributes) {
        const Guard guard(mutex_);
        TRY_ASSIGN(Node * parent, writable(who, at));
        const Attributes before = parent->attributes;
        if (parent->names.contains(at.name)) return Status::already_exists("name taken");
        if (attributes.size) TRY(check_size(*attributes.size));
        Node& node = nodes_.make(who, type, *parent);
        nodes_.attach(*parent, at.name, node);
        nodes_.apply(node, attributes);
        return NameChange{node.attributes, Change{before, parent->attributes}, {}};
    }
    Result<NameChange> take_away(const Who& who, const NameAt& at, bool directory) {
        const Guard guard(mutex_);
        TRY_ASSIGN(Node * parent, writable(who, at));
        const Attributes before = parent->attributes;
        const auto found = parent->names.find(at.name);
        if (found == parent->names.end()) return Status::not_found("no such name");
        const Node& node = **nodes_.find(found->second);
        if (node.attributes.is_directory() != directory) {
            return directory ? Status::conflict("not one", objstore::Why::not_directory)
                             : Status::conflict("is one", objstore::Why::is_directory);
        }
        if (!node.names.empty()) return Status::conflict("entries", objstore::Why::not_empty);
        nodes_.detach(*parent, at.name);
        return NameChange{std::nullopt, Change{before, parent->attributes}, {}};
    }
};
