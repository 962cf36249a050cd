#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "objstore/base/status.h"
#include "objstore/meta/inode.h"

namespace tests {

// What an operation should answer.
struct Expected {
    objstore::Code code = objstore::Code::ok;
    objstore::Why why = objstore::Why::none;
};

// A file or directory of the model: plain strings under plain names.
struct ModelNode {
    objstore::FileType type = objstore::FileType::regular;
    std::string bytes;  // of files and markers
    int links = 0;
    // Directories:
    bool implied = false;
    bool marker = false;
    ModelNode* parent = nullptr;                              // null: a bucket, or removed
    std::map<std::string, std::shared_ptr<ModelNode>> names;  // directories' end in '/'
    // The inode that stands for it, learned after the operation that made it.
    objstore::InodeId id = 0;

    bool directory() const { return type == objstore::FileType::directory; }
};
using ModelPtr = std::shared_ptr<ModelNode>;

// The semantics page in its simplest form: one bucket as a tree of names to byte strings, seen by
// S3 and POSIX. Knows nothing of inodes, extents or counters.
class NamespaceModel final {
public:
    NamespaceModel();

    ModelPtr bucket;
    std::set<objstore::InodeId> held;
    std::set<objstore::InodeId> used;
    std::vector<ModelPtr> orphans;  // without a name, but held

    // ---- S3
    Expected put(const std::string& key, const std::string& bytes, bool must_be_absent = false);
    Expected remove(const std::string& key);
    // Null when GET is a 404.
    ModelPtr object(const std::string& key) const;
    std::vector<std::string> list() const;

    // ---- POSIX
    static ModelPtr find(const ModelNode& directory, const std::string& name);
    Expected create(ModelNode& parent, const std::string& name, objstore::FileType type);
    Expected link(const ModelPtr& file, ModelNode& parent, const std::string& name);
    Expected unlink(ModelNode& parent, const std::string& name);
    Expected rmdir(ModelNode& parent, const std::string& name);
    struct Rename {
        ModelNode& from;
        std::string name;
        ModelNode& to;
        std::string new_name;
        bool no_replace = false;
    };
    Expected rename(const Rename& rename);
    Expected exchange(const Rename& rename);

    // Whoever had it open lets go.
    void release(objstore::InodeId id);
    // The upkeep's second look at an implied directory.
    void prune(ModelNode* directory);

    // All nodes with a name, once each; directories' too.
    std::vector<ModelPtr> all() const;

private:
    void drop(const ModelPtr& node);
    void make(ModelNode& directory) { directory.implied = false; }

    static void list_below(const ModelNode& directory,
                           const std::string& prefix,
                           std::vector<std::string>& keys);
};

}  // namespace tests
