// The engine's calls for objects by key.
#include <algorithm>

#include "objstore/engine/content_map.h"
#include "objstore/engine/key_walker.h"
#include "objstore/engine/local_engine.h"
#include "objstore/meta/visibility.h"

namespace objstore {

namespace {

Status no_such_key(std::string_view key) {
    return Status::not_found("the key does not exist: " + std::string(key));
}

// The next component of `key` at `at`, with its '/' if it has one; moves `at` past it.
std::string_view take_component(std::string_view key, std::size_t& at) {
    const std::size_t slash = key.find('/', at);
    const std::size_t end = slash == std::string_view::npos ? key.size() : slash + 1;
    const std::string_view component = key.substr(at, end - at);
    at = end;
    return component;
}

ObjectInfo info_of(const EntryWithInode& found) {
    return {.inode = found.inode, .last_modified = last_modified(found.entry, *found.inode)};
}

}  // namespace

Result<BucketRow> LocalEngine::bucket(std::string_view name) {
    return meta_.bucket(name);
}

Result<EntryWithInode> LocalEngine::find(InodeId bucket, std::string_view key) {
    InodeId directory = bucket;
    for (std::size_t at = 0; at < key.size();) {
        auto found = meta_.lookup(directory, take_component(key, at));
        if (found.code() == Code::not_found) break;
        if (!found.ok() || at == key.size()) return found;
        directory = found->inode->id;
    }
    return no_such_key(key);
}

Result<ObjectInfo> LocalEngine::stat(InodeId bucket, std::string_view key) {
    TRY_ASSIGN(const EntryWithInode found, find(bucket, key));
    if (!is_object(*found.inode)) return no_such_key(key);
    return info_of(found);
}

std::optional<ObjectInfo> LocalEngine::try_stat(InodeId bucket, std::string_view key) {
    InodeId directory = bucket;
    for (std::size_t at = 0; at < key.size();) {
        const auto found = meta_.cached_lookup(directory, take_component(key, at));
        if (!found || found->inode == nullptr) return std::nullopt;
        if (at < key.size()) {
            directory = found->inode->id;
        } else if (is_object(*found->inode)) {
            return info_of(*found);
        }
    }
    return std::nullopt;
}

Result<Namespace::ContentMap> LocalEngine::content_for(const ObjectInfo& object, bool& held) {
    const InodeId id = object.inode->id;
    if (object.inode->extents_in_table) {
        // More extents than are read at once: the rest must still be there then.
        TRY(meta_.hold(id));
        held = true;
    }
    auto map = meta_.content(id, 0, ObjectReader::first_window_bytes(*object.inode));
    if (!map.ok() && std::exchange(held, false)) meta_.release(id);
    return map;
}

Result<std::unique_ptr<ObjectReader>> LocalEngine::open(const ObjectInfo& object) {
    if (auto reader = try_open(object)) return reader;
    Pins::Pin pin = pins_.acquire();
    bool held = false;
    TRY_ASSIGN(auto map, content_for(object, held));
    // Its extents may have moved to the table since: then only what was read now is at hand.
    const std::uint64_t window = ObjectReader::first_window_bytes(*object.inode);
    ObjectReader::Deps deps{meta_, volumes_, std::move(pin), held};
    return std::make_unique<ObjectReader>(std::move(deps), std::move(map), window);
}

std::unique_ptr<ObjectReader> LocalEngine::try_open(const ObjectInfo& object) {
    Pins::Pin pin = pins_.acquire();
    // The pin came after the stat: what that found must still be so.
    auto map = meta_.cached_content(object.inode->id, 0, UINT64_MAX);
    if (!map) return nullptr;
    ObjectReader::Deps deps{meta_, volumes_, std::move(pin), false};
    return std::make_unique<ObjectReader>(std::move(deps), *std::move(map), UINT64_MAX);
}

Result<ListPage> LocalEngine::list(InodeId bucket, const ListRequest& request) {
    KeyWalker walker(meta_, bucket, request.prefix);
    const bool by_directory = request.delimiter == "/";
    walker.collapse_directories(by_directory);
    const std::string& after = request.start_after;
    const auto common_prefix = [&](const std::string& key) -> std::string {
        if (request.delimiter.empty()) return {};
        const std::size_t found = key.find(request.delimiter, request.prefix.size());
        if (found == std::string::npos) return {};
        return key.substr(0, found + request.delimiter.size());
    };
    if (after < request.prefix) {
        TRY(walker.seek(request.prefix, true));
    } else if (!after.empty() && common_prefix(after) == after) {
        TRY(walker.seek_past(after));
    } else {
        TRY(walker.seek(after, false));
    }
    ListPage page;
    while (true) {
        TRY_ASSIGN(const bool found, walker.next());
        if (!found) return page;
        if (page.objects.size() + page.common_prefixes.size() == request.limit) {
            page.truncated = request.limit != 0;
            return page;
        }
        std::string prefix = walker.collapsed() ? walker.key() : common_prefix(walker.key());
        if (prefix.empty()) {
            const EntryWithInode& entry = walker.entry();
            page.objects.push_back(
                {walker.key(), entry.inode, last_modified(entry.entry, *entry.inode)});
            page.next = walker.key();
            continue;
        }
        if (!walker.collapsed()) TRY(walker.seek_past(prefix));
        page.next = prefix;
        page.common_prefixes.push_back(std::move(prefix));
    }
}

std::unique_ptr<ContentWriter> LocalEngine::new_content(Owner owner, std::uint64_t size_hint) {
    ASSERT(owner.inode != 0);
    return std::make_unique<ContentWriter>(volumes_, pins_.acquire(), owner, size_hint);
}

std::unique_ptr<ContentWriter> LocalEngine::new_object(InodeId bucket,
                                                       std::string_view key,
                                                       std::uint64_t size_hint) {
    using InodeIs = ContentWriter::InodeIs;
    Owner owner{.inode = 0, .generation = 1};
    if (key.ends_with('/')) {
        const auto found = find(bucket, key);
        if (found.ok()) owner = {found->inode->id, found->inode->generation + 1};
    }
    const auto inode_is = owner.inode == 0 ? InodeIs::fresh : InodeIs::there;
    if (owner.inode == 0) owner.inode = meta_.new_inode_id();
    return std::make_unique<ContentWriter>(volumes_, pins_.acquire(), owner, size_hint, inode_is);
}

Status LocalEngine::take_content(ContentWriter& content,
                                 NewContent& into,
                                 std::vector<Placement>& placements) {
    if (content.size() == 0) return {};
    if (content.is_small()) {
        placements.push_back({0, content.owner(), content.small_bytes()});
        return {};
    }
    TRY_ASSIGN(into.extents, content.finish_stream());
    return {};
}

namespace {

PutObjectOp put_op(InodeId bucket,
                   std::string_view key,
                   PutAttributes&& attributes,
                   UnixNanos now) {
    PutObjectOp op{.bucket = bucket, .key = std::string(key), .time = now};
    op.inode.etag = attributes.etag;
    op.inode.headers = std::move(attributes.headers);
    op.inode.checksums = std::move(attributes.checksums);
    op.inode.generation = 1;
    op.inode.mtime = attributes.mtime.value_or(now);
    op.mode = attributes.mode;
    op.owner = attributes.owner;
    op.conditions = std::move(attributes.conditions);
    return op;
}

}  // namespace

Result<LocalEngine::NewPut> LocalEngine::new_put(PutObjectOp op, ContentWriter& content) {
    NewPut made;
    op.inode.id = content.fresh_inode();
    op.stripes_of = content.owner().inode;
    op.inode.size = content.size();
    TRY(take_content(content, op.content, made.placements));
    made.txn.ops.emplace_back(std::move(op));
    return made;
}

Result<OpResult> LocalEngine::put(InodeId bucket,
                                  std::string_view key,
                                  std::unique_ptr<ContentWriter> content,
                                  PutAttributes attributes) {
    PutObjectOp op = put_op(bucket, key, std::move(attributes), clock_.now());
    TRY_ASSIGN(NewPut made, new_put(std::move(op), *content));
    return commit(std::move(made.txn), std::move(made.placements), Door::s3);
}

void LocalEngine::start_put(InodeId bucket,
                            std::string_view key,
                            std::unique_ptr<ContentWriter> content,
                            PutAttributes attributes,
                            PutDone done) {
    ASSERT(content->is_small());
    PutObjectOp op = put_op(bucket, key, std::move(attributes), clock_.now());
    auto made = new_put(std::move(op), *content);
    if (!made.ok()) return done(made.error());
    // Until the commit is done the placement needs the content.
    struct Waiting {
        std::unique_ptr<ContentWriter> content;
        PutDone done;
    };
    auto waiting = std::make_shared<Waiting>(Waiting{std::move(content), std::move(done)});
    committer_.submit(
        std::move(made->txn), std::move(made->placements), [this, waiting](TxnResult&& result) {
            waiting->content.reset();
            mover_.wake();
            finish_put({std::move(result), std::move(waiting->done)});
        });
}

Result<OpResult> LocalEngine::copy(const CopySource& source,
                                   InodeId bucket,
                                   std::string_view key,
                                   PutAttributes attributes) {
    PutObjectOp op = put_op(bucket, key, std::move(attributes), clock_.now());
    op.inode.size = source.length;
    if (source.inode->part_count != 0) op.parts_of = source.inode->id;
    op.clones.push_back({.source = source.inode->id,
                         .source_generation = source.inode->generation,
                         .source_offset = source.offset,
                         .length = source.length});
    return copy_in_steps(source, std::move(op));
}

}  // namespace objstore
