#include "tests/sim/namespace_model.h"

#include <algorithm>

using namespace objstore;

namespace tests {

namespace {

std::vector<std::string> components(const std::string& key) {
    std::vector<std::string> all{""};
    for (const char c : key) {
        all.back() += c;
        if (c == '/') all.emplace_back();
    }
    if (all.back().empty()) all.pop_back();
    return all;
}

ModelPtr child(const ModelNode& directory, const std::string& name) {
    const auto it = directory.names.find(name);
    return it == directory.names.end() ? nullptr : it->second;
}

std::string stored_name(const ModelNode& node, const std::string& name) {
    return node.directory() ? name + '/' : name;
}

bool below(const ModelNode* node, const ModelNode* above) {
    for (; node != nullptr; node = node->parent) {
        if (node == above) return true;
    }
    return false;
}

}  // namespace

NamespaceModel::NamespaceModel() : bucket(std::make_shared<ModelNode>()) {
    bucket->type = FileType::directory;
}

Expected NamespaceModel::put(const std::string& key,
                             const std::string& bytes,
                             bool must_be_absent) {
    if (must_be_absent && object(key) != nullptr) return {Code::conflict, Why::precondition};
    ModelNode* directory = bucket.get();
    for (const std::string& name : components(key)) {
        if (!name.ends_with('/')) {
            const auto file = std::make_shared<ModelNode>();
            file->bytes = bytes;
            file->links = 1;
            if (const ModelPtr old = child(*directory, name)) drop(old);
            directory->names[name] = file;
            return {};
        }
        if (child(*directory, name) == nullptr) {
            const auto made = std::make_shared<ModelNode>();
            made->type = FileType::directory;
            made->implied = true;
            made->parent = directory;
            directory->names[name] = made;
        }
        directory = child(*directory, name).get();
    }
    directory->marker = true;
    directory->bytes = bytes;
    return {};
}

ModelPtr NamespaceModel::object(const std::string& key) const {
    ModelPtr node = bucket;
    for (const std::string& name : components(key)) {
        node = child(*node, name);
        if (node == nullptr) return nullptr;
    }
    if (node->directory()) return node->marker || !node->implied ? node : nullptr;
    return node->type == FileType::regular ? node : nullptr;
}

Expected NamespaceModel::remove(const std::string& key) {
    ModelNode* directory = bucket.get();
    const auto names = components(key);
    for (std::size_t i = 0; i + 1 < names.size(); ++i) {
        directory = child(*directory, names[i]).get();
        if (directory == nullptr) return {};
    }
    const ModelPtr node = child(*directory, names.back());
    if (node == nullptr) return {};
    if (!node->directory()) {
        if (node->type != FileType::regular) return {};
        directory->names.erase(names.back());
        drop(node);
        prune(directory);
        return {};
    }
    if (node->marker) {
        node->marker = false;
        node->bytes.clear();
        prune(node.get());
    } else if (!node->implied && node->names.empty()) {
        directory->names.erase(names.back());
        drop(node);
        prune(directory);
    }
    return {};
}

void NamespaceModel::prune(ModelNode* directory) {
    while (directory->parent != nullptr && directory->implied && !directory->marker &&
           directory->names.empty()) {
        if (used.count(directory->id) > 0 || held.count(directory->id) > 0) return;
        ModelNode* const parent = directory->parent;
        for (auto it = parent->names.begin(); it != parent->names.end(); ++it) {
            if (it->second.get() != directory) continue;
            const ModelPtr node = it->second;
            parent->names.erase(it);
            drop(node);
            break;
        }
        directory = parent;
    }
}

void NamespaceModel::list_below(const ModelNode& directory,
                                const std::string& prefix,
                                std::vector<std::string>& keys) {
    for (const auto& [name, node] : directory.names) {
        if (node->type == FileType::regular) keys.push_back(prefix + name);
        if (!node->directory()) continue;
        if (node->marker || (!node->implied && node->names.empty())) keys.push_back(prefix + name);
        list_below(*node, prefix + name, keys);
    }
}

std::vector<std::string> NamespaceModel::list() const {
    std::vector<std::string> keys;
    list_below(*bucket, "", keys);
    return keys;
}

ModelPtr NamespaceModel::find(const ModelNode& directory, const std::string& name) {
    if (const ModelPtr found = child(directory, name + '/')) return found;
    return child(directory, name);
}

void NamespaceModel::drop(const ModelPtr& node) {
    if (!node->directory() && --node->links > 0) return;
    node->links = 0;
    node->parent = nullptr;
    if (held.count(node->id) > 0) orphans.push_back(node);
}

void NamespaceModel::release(InodeId id) {
    held.erase(id);
    std::erase_if(orphans, [&](const ModelPtr& node) { return node->id == id; });
}

Expected NamespaceModel::create(ModelNode& parent, const std::string& name, FileType type) {
    if (find(parent, name) != nullptr) return {Code::already_exists};
    const auto node = std::make_shared<ModelNode>();
    node->type = type;
    node->links = 1;
    if (node->directory()) node->parent = &parent;
    parent.names[stored_name(*node, name)] = node;
    make(parent);
    return {};
}

Expected NamespaceModel::link(const ModelPtr& file, ModelNode& parent, const std::string& name) {
    if (file->directory()) return {Code::permission_denied, Why::not_permitted};
    if (file->links == 0) return {Code::not_found};
    if (find(parent, name) != nullptr) return {Code::already_exists};
    ++file->links;
    parent.names[name] = file;
    make(parent);
    return {};
}

Expected NamespaceModel::unlink(ModelNode& parent, const std::string& name) {
    const ModelPtr node = find(parent, name);
    if (node == nullptr) return {Code::not_found};
    if (node->directory()) return {Code::conflict, Why::is_directory};
    parent.names.erase(name);
    drop(node);
    return {};
}

Expected NamespaceModel::rmdir(ModelNode& parent, const std::string& name) {
    const ModelPtr node = find(parent, name);
    if (node == nullptr) return {Code::not_found};
    if (!node->directory()) return {Code::conflict, Why::not_directory};
    if (!node->names.empty()) return {Code::conflict, Why::not_empty};
    parent.names.erase(name + '/');
    drop(node);
    return {};
}

Expected NamespaceModel::rename(const Rename& r) {
    const ModelPtr node = find(r.from, r.name);
    if (node == nullptr) return {Code::not_found};
    const ModelPtr target = find(r.to, r.new_name);
    if (target != nullptr && r.no_replace) return {Code::already_exists};
    if (target == node) return {};
    if (node->directory() && below(&r.to, node.get())) return {Code::invalid_argument};
    if (target != nullptr) {
        if (!node->directory() && target->directory()) return {Code::conflict, Why::is_directory};
        if (node->directory() && !target->directory()) return {Code::conflict, Why::not_directory};
        if (target->directory() && !target->names.empty()) return {Code::conflict, Why::not_empty};
    }
    r.from.names.erase(stored_name(*node, r.name));
    if (target != nullptr) drop(target);
    r.to.names[stored_name(*node, r.new_name)] = node;
    make(r.from);
    make(r.to);
    if (node->directory()) {
        make(*node);
        node->parent = &r.to;
    }
    return {};
}

Expected NamespaceModel::exchange(const Rename& r) {
    const ModelPtr a = find(r.from, r.name);
    if (a == nullptr) return {Code::not_found};
    const ModelPtr b = find(r.to, r.new_name);
    if (b == nullptr) return {Code::not_found};
    if (a == b) return {};
    if (a->directory() && below(&r.to, a.get())) return {Code::invalid_argument};
    if (b->directory() && below(&r.from, b.get())) return {Code::invalid_argument};
    const ModelPtr at_a = child(r.from, stored_name(*b, r.name));
    const ModelPtr at_b = child(r.to, stored_name(*a, r.new_name));
    for (const ModelPtr& taken : {at_a, at_b}) {
        if (taken != nullptr && taken != a && taken != b) return {Code::already_exists};
    }
    r.from.names.erase(stored_name(*a, r.name));
    r.to.names.erase(stored_name(*b, r.new_name));
    r.from.names[stored_name(*b, r.name)] = b;
    r.to.names[stored_name(*a, r.new_name)] = a;
    for (const auto& [node, parent] : {std::pair(a, &r.to), std::pair(b, &r.from)}) {
        if (!node->directory()) continue;
        make(*node);
        node->parent = parent;
    }
    make(r.from);
    make(r.to);
    return {};
}

std::vector<ModelPtr> NamespaceModel::all() const {
    std::vector<ModelPtr> nodes{bucket};
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const ModelPtr node = nodes[i];
        for (const auto& [name, below_it] : node->names) {
            if (std::find(nodes.begin(), nodes.end(), below_it) == nodes.end()) {
                nodes.push_back(below_it);
            }
        }
    }
    return nodes;
}

}  // namespace tests
