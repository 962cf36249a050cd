#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "objstore/meta/meta_store.h"

namespace objstore {

// Walks the keys of a bucket that S3 lists, in the order of their bytes. Directories whose key is
// at or beyond `collapse_from` bytes long in front of their '/' can be taken whole.
// Threads: one. Sees each directory page as it is when reached, no snapshot over all.
class KeyWalker final {
public:
    KeyWalker(Namespace& names, InodeId bucket, std::string prefix);

    // Next comes the first key above `key` (or, `inclusive`, at it).
    Status seek(std::string_view key, bool inclusive);
    // Next comes the first key above all that begin with `prefix`, which is not empty.
    Status seek_past(std::string prefix);
    // With '/' as delimiter: directories below the prefix come as one step, not as their keys.
    void collapse_directories(bool on) { collapse_ = on; }
    // Moves on. False at the end.
    Result<bool> next();

    const std::string& key() const { return key_; }  // a collapsed directory's ends in '/'
    bool collapsed() const { return collapsed_; }
    const EntryWithInode& entry() const { return *entry_; }

private:
    struct Frame {
        InodeId directory = 0;
        std::string prefix;  // its key: "" or ending in '/'
        std::vector<EntryWithInode> page;
        std::size_t position = 0;
        bool more = false;
        std::size_t page_size = 16;
    };

    Status push(InodeId directory, std::string prefix, std::string_view from, bool inclusive);
    Status fetch(Frame& frame, std::string_view from, bool inclusive);
    Result<bool> step();
    Result<bool> visit(const EntryWithInode& found, std::string key);

    Namespace& names_;
    const InodeId bucket_;
    const std::string prefix_;
    bool collapse_ = false;
    std::vector<Frame> frames_;
    InodeId descend_ = 0;  // the directory just given as a key: its children come next
    std::string key_;
    bool collapsed_ = false;
    const EntryWithInode* entry_ = nullptr;
    EntryWithInode held_;  // what `entry_` points to when no page has it
};

}  // namespace objstore
