#include "fs/vfs/node_table.h"

namespace fs {

NodeRef& NodeRef::operator=(NodeRef&& other) noexcept {
    if (this == &other) return *this;
    if (node_ != nullptr) table_->release(*node_);
    table_ = std::exchange(other.table_, nullptr);
    node_ = std::exchange(other.node_, nullptr);
    return *this;
}

NodeRef::~NodeRef() {
    if (node_ != nullptr) table_->release(*node_);
}

NodeRef NodeRef::share() const {
    ASSERT(node_ != nullptr);
    return table_->find(node_->inode);
}

NodeTable::~NodeTable() {
    for (auto& part : parts_) {
        part.with([](const Nodes& nodes) { ASSERT(nodes.empty()); });
    }
}

NodeRef NodeTable::find(InodeId inode) {
    Node* node = part_of(inode).with([&](Nodes& nodes) -> Node* {
        const auto found = nodes.find(inode);
        if (found == nodes.end()) return nullptr;
        ++found->second->users;
        return found->second.get();
    });
    return node == nullptr ? NodeRef() : NodeRef(this, node);
}

Result<NodeRef> NodeTable::acquire(InodeId inode) {
    if (NodeRef node = find(inode)) return node;
    TRY(names_.hold(inode));
    bool added = false;
    Node* node = part_of(inode).with([&](Nodes& nodes) {
        auto& place = nodes[inode];
        if (place == nullptr) {
            place = std::make_unique<Node>(inode);
            added = true;
        }
        ++place->users;
        return place.get();
    });
    if (!added) names_.release(inode);  // Somebody else's node holds it too.
    return NodeRef(this, node);
}

void NodeTable::release(Node& node) {
    const InodeId inode = node.inode;
    std::unique_ptr<Node> last;
    part_of(inode).with([&](Nodes& nodes) {
        ASSERT(node.users > 0);
        if (--node.users > 0) return;
        const auto found = nodes.find(inode);
        ASSERT(found != nodes.end());
        last = std::move(found->second);
        nodes.erase(found);
    });
    if (last == nullptr) return;
    ASSERT(!last->dirty);
    names_.release(inode);
}

}  // namespace fs
