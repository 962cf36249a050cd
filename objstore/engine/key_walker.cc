#include "objstore/engine/key_walker.h"

#include <algorithm>

#include "objstore/meta/visibility.h"

namespace objstore {

namespace {

constexpr std::size_t kPageMax = 1000;
constexpr std::size_t kKeyBytesMax = 1024;

}  // namespace

KeyWalker::KeyWalker(Namespace& names, InodeId bucket, std::string prefix)
    : names_(names), bucket_(bucket), prefix_(std::move(prefix)) {}

Status KeyWalker::seek(std::string_view key, bool inclusive) {
    frames_.clear();
    descend_ = 0;
    InodeId directory = bucket_;
    std::size_t at = 0;
    while (true) {
        const std::size_t slash = key.find('/', at);
        const std::string prefix(key.substr(0, at));
        if (slash == std::string_view::npos) {
            return push(directory, prefix, key.substr(at), inclusive);
        }
        const std::string_view component = key.substr(at, slash + 1 - at);
        const bool whole = slash + 1 == key.size();
        TRY(push(directory, prefix, component, true));
        Frame& frame = frames_.back();
        if (frame.page.empty() || frame.page.front().entry.name != component) return {};
        if (whole && inclusive) return {};
        // Its own key lies before what is sought; what is below it may not.
        directory = frame.page.front().inode->id;
        frame.position = 1;
        at = slash + 1;
    }
}

Status KeyWalker::seek_past(std::string prefix) {
    while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff) prefix.pop_back();
    if (prefix.empty()) {
        // Nothing is above a prefix of such bytes alone. To seek "" would begin anew.
        frames_.clear();
        descend_ = 0;
        return {};
    }
    ++prefix.back();
    return seek(prefix, true);
}

Status KeyWalker::push(InodeId directory,
                       std::string prefix,
                       std::string_view from,
                       bool inclusive) {
    Frame frame;
    frame.directory = directory;
    frame.prefix = std::move(prefix);
    TRY(fetch(frame, from, inclusive));
    frames_.push_back(std::move(frame));
    return {};
}

Status KeyWalker::fetch(Frame& frame, std::string_view from, bool inclusive) {
    ListQuery query{.parent = frame.directory,
                    .from = std::string(from),
                    .from_inclusive = inclusive,
                    .limit = frame.page_size};
    // Above the prefix's last '/', only what leads to the prefix is wanted.
    if (prefix_.size() > frame.prefix.size() && prefix_.starts_with(frame.prefix)) {
        const std::string rest = prefix_.substr(frame.prefix.size());
        query.prefix = rest.substr(0, rest.find('/'));
    }
    TRY_ASSIGN(frame.page, names_.list(query));
    frame.position = 0;
    frame.more = frame.page.size() == frame.page_size;
    frame.page_size = std::min(frame.page_size * 8, kPageMax);
    return {};
}

Result<bool> KeyWalker::next() {
    while (true) {
        if (descend_ != 0) {
            const InodeId directory = std::exchange(descend_, 0);
            TRY(push(directory, key_, "", true));
        }
        if (frames_.empty()) return false;
        TRY_ASSIGN(const bool found, step());
        if (!found) continue;
        if (key_.starts_with(prefix_)) return true;
        if (key_ > prefix_) {
            frames_.clear();
            return false;
        }
    }
}

// Looks at one more entry of the deepest directory. False: nothing to show there.
Result<bool> KeyWalker::step() {
    Frame& frame = frames_.back();
    if (frame.position == frame.page.size()) {
        if (!frame.more) {
            frames_.pop_back();
            return false;
        }
        const std::string last = frame.page.back().entry.name;
        TRY(fetch(frame, last, false));
        return false;
    }
    const EntryWithInode& found = frame.page[frame.position++];
    return visit(found, frame.prefix + found.entry.name);
}

Result<bool> KeyWalker::visit(const EntryWithInode& found, std::string key) {
    collapsed_ = false;
    if (!found.inode->is_directory()) {
        key_ = std::move(key);
        entry_ = &found;
        return found.inode->is_regular() && key_.size() <= kKeyBytesMax;
    }
    const Inode& directory = *found.inode;
    // Below a path that is no key there are none either.
    if (!shows_in_listing(directory) || key.size() > kKeyBytesMax) return false;
    // Neither before nor within the prefix: nothing below can match.
    if (!key.starts_with(prefix_) && !prefix_.starts_with(key)) {
        key_ = std::move(key);
        entry_ = &found;
        return listed_as_key(directory);
    }
    key_ = std::move(key);
    if (collapse_ && key_.size() > prefix_.size()) {
        collapsed_ = true;
        entry_ = &found;
        return true;
    }
    descend_ = directory.id;
    held_ = found;  // the page moves when the frame below is pushed
    entry_ = &held_;
    return listed_as_key(directory);
}

}  // namespace objstore
