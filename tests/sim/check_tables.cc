#include "tests/sim/check_tables.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "objstore/meta/ops_content.h"

using namespace objstore;

namespace tests {

namespace {

struct Counts {
    std::uint64_t children = 0;
    std::uint64_t hidden = 0;
    std::uint64_t subdirectories = 0;
    std::uint64_t visible = 0;
};

// One extent with who holds it, offsets as in SharedRow.
struct Held {
    InodeId holder = 0;
    std::uint64_t offset = 0;
    Extent extent;
};

bool is_hidden(std::string name) {
    if (name.ends_with('/')) name.pop_back();
    return name.empty() || name == "." || name == ".." || name.size() > 255;
}

class Checker final {
public:
    explicit Checker(const NamespaceRows& rows) : rows_(rows) {}

    std::vector<std::string> run() {
        check_entries();
        for (const auto& [id, inode] : rows_.inodes) {
            check_links(inode);
            check_content(inode);
            if (inode.is_directory()) check_directory(inode);
        }
        check_buckets();
        check_uploads();
        check_small_tables();
        check_places();
        return std::move(problems_);
    }

private:
    template <typename... Args>
    void expect(bool good, fmt::format_string<Args...> what, Args&&... args) {
        if (!good) problems_.push_back(fmt::format(what, std::forward<Args>(args)...));
    }
    const Inode* inode(InodeId id) const {
        const auto it = rows_.inodes.find(id);
        return it == rows_.inodes.end() ? nullptr : &it->second;
    }

    void check_entries();
    void check_entry(const Entry& entry, const Inode& inode, const Inode& parent);
    void check_links(const Inode& inode);
    void check_directory(const Inode& inode);
    bool shows(InodeId directory);
    void check_content(const Inode& inode);
    void check_extents(InodeId holder, const std::vector<Extent>& extents, std::uint64_t size);
    void check_buckets();
    void check_uploads();
    void check_small_tables();
    void check_places();
    std::uint64_t check_stripe(const std::vector<Held>& held);
    void check_inline(std::uint64_t id, const std::vector<Held>& held);
    void check_holders(const std::vector<Held>& held);

    const NamespaceRows& rows_;
    std::vector<std::string> problems_;
    std::map<InodeId, std::vector<const Entry*>> names_;  // by inode
    std::map<InodeId, Counts> counts_;                    // by directory, without `visible`
    std::map<InodeId, std::vector<const Entry*>> below_;  // by directory
    std::map<InodeId, bool> shows_;
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::vector<Held>> places_;
    std::size_t shared_ = 0;  // extents that are
};

void Checker::check_entries() {
    std::set<std::pair<InodeId, std::uint64_t>> cookies;
    for (const auto& [key, entry] : rows_.entries) {
        expect(key == std::pair(entry.parent, entry.name), "entry {} lies elsewhere", entry.name);
        const Inode* parent = inode(entry.parent);
        const Inode* named = inode(entry.inode);
        expect(parent != nullptr, "entry {} has no parent {}", entry.name, entry.parent);
        expect(named != nullptr, "entry {} names no inode {}", entry.name, entry.inode);
        if (parent == nullptr || named == nullptr) continue;
        check_entry(entry, *named, *parent);
        const bool fresh = cookies.emplace(entry.parent, entry.cookie).second;
        expect(fresh && entry.cookie > 0 && entry.cookie <= INT64_MAX,
               "entry {} has a bad cookie {}",
               entry.name,
               entry.cookie);
        names_[entry.inode].push_back(&entry);
        below_[entry.parent].push_back(&entry);
        Counts& counts = counts_[entry.parent];
        ++counts.children;
        if (is_hidden(entry.name)) ++counts.hidden;
        if (entry.type == FileType::directory) ++counts.subdirectories;
    }
}

void Checker::check_entry(const Entry& entry, const Inode& named, const Inode& parent) {
    const std::string& name = entry.name;
    expect(parent.is_directory(), "entry {} lies in no directory", name);
    expect(parent.parent != 0 || parent.id == kRootInode, "entry {} in a removed one", name);
    expect(entry.type == named.type, "entry {} has another type", name);
    expect(name.ends_with('/') == named.is_directory(), "entry {} is named wrongly", name);
    expect(!name.empty() && name.find('/') >= name.size() - 1, "entry name {} is none", name);
    const InodeId bucket = parent.id == kRootInode ? named.id : parent.bucket;
    expect(named.bucket == bucket, "entry {} is in bucket {}", name, named.bucket);
}

void Checker::check_links(const Inode& inode) {
    const auto& names = names_[inode.id];
    const std::uint64_t links = inode.is_directory() && inode.nlink > 0 ? 1 : inode.nlink;
    if (inode.id == kRootInode) {
        expect(names.empty() && inode.parent == 0, "the root has a name");
        return;
    }
    expect(names.size() == links, "inode {} has {} names, not {}", inode.id, names.size(), links);
    const bool orphan = rows_.orphans.count(inode.id) > 0;
    expect(orphan == (inode.nlink == 0), "inode {} with {} links", inode.id, inode.nlink);
    if (names.size() != 1) {
        expect(inode.parent == 0 && inode.name.empty(), "inode {} has one name", inode.id);
        return;
    }
    // Of several hard links the last may not know its name.
    if (inode.parent == 0 && !inode.is_directory()) return;
    expect(inode.parent == names[0]->parent && inode.name == names[0]->name,
           "inode {} has another name than {}",
           inode.id,
           inode.name);
}

bool Checker::shows(InodeId directory) {
    const auto known = shows_.find(directory);
    if (known != shows_.end()) return known->second;
    const Inode* found = inode(directory);
    if (found == nullptr) return false;
    const auto& below = below_[directory];
    const DirectoryState& state = found->directory;
    bool shows_key = state.marker || (state.kind == DirectoryKind::made && below.empty());
    for (const Entry* entry : below) {
        if (entry->type == FileType::regular) shows_key = true;
        if (entry->type == FileType::directory && shows(entry->inode)) shows_key = true;
    }
    shows_[directory] = shows_key;
    return shows_key;
}

void Checker::check_directory(const Inode& inode) {
    Counts counts = counts_[inode.id];
    for (const Entry* entry : below_[inode.id]) {
        const bool shows_key = entry->type == FileType::directory
                                   ? shows(entry->inode)
                                   : entry->type == FileType::regular;
        if (shows_key && inode.id != kRootInode) ++counts.visible;
    }
    const DirectoryState& state = inode.directory;
    const InodeId id = inode.id;
    const auto same = [&](std::uint64_t said, std::uint64_t is, std::string_view what) {
        expect(said == is, "directory {} counts {} {}, not {}", id, said, what, is);
    };
    same(state.children, counts.children, "children");
    same(state.hidden, counts.hidden, "hidden");
    same(state.subdirectories, counts.subdirectories, "directories");
    same(state.visible, counts.visible, "visible");
    if (inode.nlink > 0) same(inode.nlink, 2 + counts.subdirectories, "links");
    const bool kind = state.kind == DirectoryKind::made || state.kind == DirectoryKind::implied;
    expect(kind, "directory {} is of no kind", id);
    if (state.marker) return;
    expect(inode.size == 0 && inode.headers.empty() && inode.checksums.empty() &&
               inode.extents.empty() && !inode.extents_in_table,
           "directory {} has content and is no marker",
           id);
}

void Checker::check_extents(InodeId holder,
                            const std::vector<Extent>& extents,
                            std::uint64_t size) {
    std::uint64_t at = 0;
    for (const Extent& e : extents) {
        expect(e.logical_offset >= at && e.length > 0 && e.length <= size &&
                   e.logical_offset <= size - e.length,
               "inode {} has a bad extent at {}",
               holder,
               e.logical_offset);
        at = e.end();
    }
}

void Checker::check_content(const Inode& inode) {
    const auto stored = rows_.extents.find(inode.id);
    std::vector<Extent> extents = inode.extents;
    expect(extents.size() <= kEmbeddedExtentsMax, "inode {} embeds too many", inode.id);
    if (stored != rows_.extents.end()) {
        expect(inode.extents_in_table && extents.empty(), "inode {} has extent rows", inode.id);
        for (const auto& [offset, e] : stored->second) {
            expect(offset == e.logical_offset, "an extent row lies elsewhere");
            extents.push_back(e);
        }
    }
    check_extents(inode.id, extents, inode.size);
    expect(inode.is_regular() || inode.is_directory() || extents.empty(),
           "inode {} can have no content",
           inode.id);
    for (const Extent& e : extents) {
        places_[{e.volume, e.place}].push_back({inode.id, e.logical_offset, e});
    }
}

void Checker::check_buckets() {
    for (const auto& [id, row] : rows_.buckets) {
        const auto entry = rows_.entries.find({kRootInode, row.name + '/'});
        expect(row.inode == id && entry != rows_.entries.end() && entry->second.inode == id,
               "bucket {} is not in the root",
               row.name);
    }
    for (const Entry* entry : below_[kRootInode]) {
        expect(rows_.buckets.count(entry->inode) > 0, "{} is no bucket", entry->name);
    }
}

void Checker::check_uploads() {
    for (const auto& [id, row] : rows_.uploads) {
        const bool aborted = row.bucket == 0 && rows_.orphans.count(row.inode) > 0;
        expect(aborted || rows_.buckets.count(row.bucket) > 0, "upload {} is in no bucket", id);
        expect(inode(row.inode) == nullptr, "upload {} has an inode already", id);
    }
    for (const auto& [key, part] : rows_.parts) {
        const auto upload = rows_.uploads.find(key.first);
        expect(upload != rows_.uploads.end(), "part {} of no upload", key.second);
        if (upload == rows_.uploads.end()) continue;
        check_extents(upload->second.inode, part.extents, part.size);
        for (const Extent& e : part.extents) {
            places_[{e.volume, e.place}].push_back(
                {upload->second.inode, part_offset(key.second, e.logical_offset), e});
        }
    }
}

void Checker::check_small_tables() {
    std::map<InodeId, std::size_t> xattrs;
    for (const auto& [key, row] : rows_.xattrs) {
        expect(inode(row.inode) != nullptr, "attribute {} of no inode", row.name);
        ++xattrs[row.inode];
    }
    for (const auto& [id, inode] : rows_.inodes) {
        expect(inode.has_xattrs == (xattrs[id] > 0), "inode {} miscounts attributes", id);
        const auto parts = rows_.object_parts.find(id);
        const std::size_t count = parts == rows_.object_parts.end() ? 0 : parts->second.size();
        expect(inode.part_count == count,
               "inode {} has {} parts, not {}",
               id,
               count,
               inode.part_count);
    }
    for (const auto& [id, parts] : rows_.object_parts) {
        expect(inode(id) != nullptr, "parts of no inode {}", id);
    }
    std::set<InodeId> aborted;
    for (const auto& [id, row] : rows_.uploads) {
        if (row.bucket == 0) aborted.insert(row.inode);
    }
    for (const auto& [id, row] : rows_.orphans) {
        expect(aborted.count(id) > 0 || inode(id) != nullptr, "orphan {} is gone", id);
    }
    for (const auto& [id, extents] : rows_.extents) {
        expect(inode(id) != nullptr && !extents.empty(), "extents of no inode {}", id);
    }
}

// Live bytes of one stripe.
std::uint64_t Checker::check_stripe(const std::vector<Held>& held) {
    std::vector<const Held*> order;
    for (const Held& h : held) order.push_back(&h);
    std::sort(order.begin(), order.end(), [](const Held* a, const Held* b) {
        return a->extent.payload_offset < b->extent.payload_offset;
    });
    std::uint64_t bytes = 0;
    std::uint64_t at = 0;  // covered up to here
    bool shared = true;    // by extents that all say so
    for (const Held* h : order) {
        const Extent& e = h->extent;
        const std::uint64_t end = e.payload_offset + e.length;
        if (e.payload_offset < at) {
            expect(shared && e.shared, "inode {} names another's bytes", h->holder);
        }
        if (e.payload_offset >= at) shared = e.shared;
        shared = shared && e.shared;
        bytes += end - std::min(end, std::max<std::uint64_t>(at, e.payload_offset));
        at = std::max(at, end);
    }
    return bytes;
}

void Checker::check_inline(std::uint64_t id, const std::vector<Held>& held) {
    const auto row = rows_.inlines.find(id);
    expect(row != rows_.inlines.end(), "inode {} names no row {}", held.front().holder, id);
    if (row == rows_.inlines.end()) return;
    check_stripe(held);
    for (const Held& h : held) {
        const Extent& e = h.extent;
        expect(e.kind == ExtentKind::inline_data, "extent of row {} is not inline", id);
        expect(e.payload_offset + e.length <= row->second.bytes.size(), "beyond row {}", id);
        if (e.shared) continue;
        expect(row->second.inode == h.holder &&
                   row->second.logical_offset + e.payload_offset == h.offset,
               "row {} can not find inode {}",
               id,
               h.holder);
    }
}

void Checker::check_holders(const std::vector<Held>& held) {
    for (const Held& h : held) {
        const Extent& e = h.extent;
        if (!e.shared) continue;
        ++shared_;
        const auto row = rows_.shared.find({e.volume, e.place, h.holder, h.offset});
        expect(row != rows_.shared.end() && row->second.payload_offset == e.payload_offset &&
                   row->second.length == e.length,
               "inode {} at {} is shared and no holder",
               h.holder,
               h.offset);
    }
}

void Checker::check_places() {
    std::map<VolumeId, std::uint64_t> live;
    std::set<std::uint64_t> inlines;
    for (const auto& [place, held] : places_) {
        check_holders(held);
        if (place.first == 0) {
            check_inline(place.second, held);
            inlines.insert(place.second);
            continue;
        }
        live[place.first] += check_stripe(held);
        const Extent& e = held.front().extent;
        const auto volume = rows_.volumes.find(place.first);
        expect(volume != rows_.volumes.end() &&
                   volume->second.named_end >= e.place + e.header_bytes + e.column_bytes,
               "volume {} does not reach its last stripe",
               place.first);
    }
    for (const auto& [id, row] : rows_.volumes) {
        expect(row.live_bytes == live[id],
               "volume {} counts {} live bytes, not {}",
               id,
               row.live_bytes,
               live[id]);
    }
    for (const auto& [id, row] : rows_.inlines) {
        expect(inlines.count(id) > 0, "nobody names inline row {}", id);
    }
    expect(
        shared_ == rows_.shared.size(), "{} holders for {} extents", rows_.shared.size(), shared_);
}

}  // namespace

std::vector<std::string> check_tables(const NamespaceRows& rows) {
    return Checker(rows).run();
}

}  // namespace tests
