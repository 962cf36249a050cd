#pragma once

#include <array>
#include <memory>
#include <unordered_map>
#include <utility>

#include "fs/vfs/node.h"
#include "objstore/meta/meta_store.h"

namespace fs {

class NodeTable;

// Keeps a node, and its inode's content even without a name. Moves, never copies.
class NodeRef final {
public:
    NodeRef() = default;
    NodeRef(NodeRef&& other) noexcept
        : table_(std::exchange(other.table_, nullptr)),
          node_(std::exchange(other.node_, nullptr)) {}
    NodeRef& operator=(NodeRef&& other) noexcept;
    ~NodeRef();

    explicit operator bool() const { return node_ != nullptr; }
    Node& operator*() const { return *node_; }
    Node* operator->() const { return node_; }
    NodeRef share() const;

private:
    friend class NodeTable;
    NodeRef(NodeTable* table, Node* node) : table_(table), node_(node) {}
    NodeTable* table_ = nullptr;
    Node* node_ = nullptr;
};

// The nodes in use. Each holds its inode in the namespace, which must outlive the table, as the
// table must its references. Threads: any. Cost: one short lock; a read of the namespace for a new
// node whose inode is not in memory.
class NodeTable final {
public:
    explicit NodeTable(objstore::Namespace& names) : names_(names) {}
    ~NodeTable();

    // not_found (Why::stale): the inode is gone.
    Result<NodeRef> acquire(InodeId inode);
    // Empty when nobody uses it.
    NodeRef find(InodeId inode);

private:
    friend class NodeRef;
    using Nodes = std::unordered_map<InodeId, std::unique_ptr<Node>>;
    static constexpr std::size_t kParts = 64;

    objstore::Guarded<Nodes>& part_of(InodeId inode) { return parts_[inode % kParts]; }
    void release(Node& node);

    objstore::Namespace& names_;
    std::array<objstore::Guarded<Nodes>, kParts> parts_;
};

}  // namespace fs
