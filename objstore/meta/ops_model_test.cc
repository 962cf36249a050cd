// Random operations by all doors against a simple model, with every count worked out again after
// each of them. ASHLAR_TEST_SEED sets the first seed.
#include <algorithm>

#include <doctest/doctest.h>

#include "tests/sim/namespace_model.h"
#include "tests/sim/sim_namespace.h"
#include "tests/sim/sim_random.h"

using namespace objstore;
using tests::Expected;
using tests::ModelNode;
using tests::ModelPtr;
using tests::NamespaceRows;

namespace {

constexpr std::size_t kFileBytesMost = 400;

class Driver final {
public:
    explicit Driver(std::uint64_t seed) : random_(seed) {
        model_.bucket->id = names_.bucket;
        before_ = names_.tables.rows();
    }

    void step();
    void finish();

private:
    struct Upload {
        std::string key;
        std::map<std::uint32_t, std::string> parts;
    };

    // ---- what to do it with
    template <typename T>
    const T& pick(const std::vector<T>& of) {
        return of[random_.below(of.size())];
    }
    std::string name() { return pick<std::string>({"a", "b", "c", "d"}); }
    std::string key();
    std::string bytes(std::size_t most);
    NewContent content(std::uint64_t offset, const std::string& all);
    ModelPtr directory();
    ModelPtr file();
    CloneRange range_of(const ModelNode& source);

    // ---- operations
    void put();
    void copy();
    void remove();
    void create();
    void link();
    void unlink();
    void rmdir();
    void rename();
    void write();
    void truncate();
    void punch();
    void clone();
    void upload();
    void put_part(std::uint64_t id, Upload& upload);
    void complete(std::uint64_t id, Upload& upload);
    void abort(std::uint64_t id);
    void hold();
    void use();
    void pack();
    void attributes();

    // ---- what must hold
    void run(const Op& op, const Expected& expected);
    void check();
    void check_result();
    void check_change_counters(const NamespaceRows& after);
    void compare(const ModelPtr& node, InodeId id);

    tests::SimRandom random_;
    tests::SimNamespace names_;
    tests::NamespaceModel model_;
    std::map<std::uint64_t, Upload> uploads_;
    std::uint64_t next_upload_ = 1;
    NamespaceRows before_;
};

std::string Driver::key() {
    static const std::vector<std::string> components{"a", "b", "c", "d", "", ".", ".."};
    std::string made;
    const std::uint64_t depth = random_.below(3);
    for (std::uint64_t i = 0; i < depth; ++i) {
        made += (random_.percent(90) ? name() : pick(components)) + '/';
    }
    if (made.empty() || random_.percent(85)) made += name();
    return made;
}

std::string Driver::bytes(std::size_t most) {
    std::string made(random_.below(most + 1), ' ');
    for (char& c : made) c = static_cast<char>('A' + random_.below(26));
    return made;
}

// In one piece or several, in stripes or inline.
NewContent Driver::content(std::uint64_t offset, const std::string& all) {
    NewContent made;
    std::size_t at = 0;
    while (at < all.size()) {
        const std::size_t most = random_.percent(70) ? all.size() - at : 7;
        const std::string piece = all.substr(at, most);
        if (random_.percent(40)) {
            made.inlines.push_back({offset + at, piece});
        } else {
            made.extents.push_back(names_.stored(offset + at, piece).extents[0]);
        }
        at += piece.size();
    }
    return made;
}

ModelPtr Driver::directory() {
    auto nodes = model_.all();
    std::erase_if(nodes, [](const ModelPtr& node) { return !node->directory(); });
    return pick(nodes);
}

// Any regular file, sometimes one that has no name any more; null when there is none.
ModelPtr Driver::file() {
    auto nodes = model_.all();
    nodes.insert(nodes.end(), model_.orphans.begin(), model_.orphans.end());
    std::erase_if(nodes, [](const ModelPtr& node) { return node->type != FileType::regular; });
    return nodes.empty() ? nullptr : pick(nodes);
}

CloneRange Driver::range_of(const ModelNode& source) {
    CloneRange range = names_.all_of(source.id);
    range.source_offset = random_.below(source.bytes.size() + 1);
    range.length = random_.below(source.bytes.size() - range.source_offset + 1);
    return range;
}

void Driver::run(const Op& op, const Expected& expected) {
    const Status status = names_.run(op);
    CAPTURE(status.message());
    CHECK(to_string(status.code()) == to_string(expected.code));
    CHECK(static_cast<int>(status.why()) == static_cast<int>(expected.why));
    if (status.ok()) check_result();
    check();
}

// What the operation told must be what was and what is.
void Driver::check_result() {
    const NamespaceRows after = names_.tables.rows();
    const auto check_is = [](const InodePtr& said, const NamespaceRows& rows) {
        if (said == nullptr) return;
        const auto it = rows.inodes.find(said->id);
        REQUIRE(it != rows.inodes.end());
        CHECK(*said == it->second);
    };
    const OpResult& result = names_.result;
    check_is(result.inode, after);
    check_is(result.parent_after, after);
    check_is(result.new_parent_after, after);
    check_is(result.before, before_);
    check_is(result.parent_before, before_);
    check_is(result.new_parent_before, before_);
}

// Whatever a client can see of an inode moves its change counter.
void Driver::check_change_counters(const NamespaceRows& after) {
    for (const auto& [id, now] : after.inodes) {
        const auto it = before_.inodes.find(id);
        if (it == before_.inodes.end()) continue;
        const Inode& old = it->second;
        CHECK(now.change >= old.change);
        const bool same = now.mode == old.mode && now.nlink == old.nlink && now.size == old.size &&
                          now.mtime == old.mtime && now.ctime == old.ctime &&
                          now.etag == old.etag && now.generation == old.generation &&
                          now.directory.children == old.directory.children &&
                          now.has_xattrs == old.has_xattrs;
        CHECK((same || now.change > old.change));
    }
}

void Driver::compare(const ModelPtr& node, InodeId id) {
    CAPTURE(id);
    if (node->id == 0) node->id = id;
    REQUIRE(node->id == id);
    const Inode* inode = names_.inode(id);
    REQUIRE(inode != nullptr);
    CHECK(inode->type == node->type);
    if (node->directory()) {
        CHECK((inode->directory.kind == DirectoryKind::implied) == node->implied);
        CHECK(inode->directory.marker == node->marker);
    } else {
        CHECK(inode->nlink == static_cast<std::uint32_t>(node->links));
    }
    if (node->type == FileType::regular || node->marker) CHECK(names_.read(id) == node->bytes);
    const auto entries = names_.tables.entries(id, "", SIZE_MAX);
    REQUIRE(entries->size() == node->names.size());
    auto expected = node->names.begin();
    for (const Entry& entry : *entries) {
        REQUIRE(entry.name == expected->first);
        compare(expected->second, entry.inode);
        ++expected;
    }
}

void Driver::check() {
    const NamespaceRows after = names_.tables.rows();
    REQUIRE(names_.problems() == "");
    compare(model_.bucket, names_.bucket);
    for (const ModelPtr& orphan : model_.orphans) compare(orphan, orphan->id);
    CHECK(after.orphans.size() == model_.orphans.size());
    CHECK(names_.list() == model_.list());
    check_change_counters(after);
    before_ = after;
}

void Driver::put() {
    const std::string k = key();
    const std::string all = bytes(60);
    PutObjectOp op = names_.put_op(k, "");
    op.content = content(0, all);
    op.inode.size = all.size();
    const bool must_be_absent = random_.percent(20);
    if (must_be_absent) op.conditions.if_none_match = {"*"};
    run(op, model_.put(k, all, must_be_absent));
}

void Driver::copy() {
    const std::string from = key();
    const ModelPtr source = model_.object(from);
    if (source == nullptr) return;
    const std::string to = random_.percent(20) ? from : key();
    PutObjectOp op = names_.put_op(to, "");
    op.clones = {names_.all_of(source->id)};
    op.inode.size = source->bytes.size();
    const std::string all = source->bytes;
    run(op, model_.put(to, all));
}

void Driver::remove() {
    DeleteObjectOp op;
    op.bucket = names_.bucket;
    op.key = key();
    op.time = names_.tick();
    run(op, model_.remove(op.key));
}

void Driver::create() {
    const ModelPtr parent = directory();
    CreateOp op;
    op.parent = parent->id;
    op.name = name();
    op.inode.type =
        pick<FileType>({FileType::regular, FileType::directory, FileType::symlink, FileType::fifo});
    if (op.inode.type == FileType::symlink) op.inode.target = "t";
    op.inode.ctime = names_.tick();
    run(op, model_.create(*parent, op.name, op.inode.type));
}

void Driver::link() {
    auto nodes = model_.all();
    nodes.insert(nodes.end(), model_.orphans.begin(), model_.orphans.end());
    const ModelPtr node = pick(nodes);
    const ModelPtr parent = directory();
    const std::string to = name();
    run(LinkOp{node->id, parent->id, to, names_.tick()}, model_.link(node, *parent, to));
}

void Driver::unlink() {
    const ModelPtr parent = directory();
    const std::string which = name();
    run(UnlinkOp{parent->id, which, names_.tick()}, model_.unlink(*parent, which));
}

void Driver::rmdir() {
    const ModelPtr parent = directory();
    const std::string which = name();
    run(RmdirOp{parent->id, which, names_.tick()}, model_.rmdir(*parent, which));
}

void Driver::rename() {
    const ModelPtr from = directory();
    const ModelPtr to = random_.percent(40) ? from : directory();
    tests::NamespaceModel::Rename rename{*from, name(), *to, name()};
    RenameOp op{from->id, rename.name, to->id, rename.new_name};
    op.time = names_.tick();
    op.exchange = random_.percent(25);
    op.no_replace = !op.exchange && random_.percent(20);
    rename.no_replace = op.no_replace;
    run(op, op.exchange ? model_.exchange(rename) : model_.rename(rename));
}

void Driver::write() {
    const ModelPtr target = file();
    if (target == nullptr) return;
    const std::uint64_t offset = random_.below(kFileBytesMost);
    const std::string all = bytes(50);
    WriteOp op;
    op.inode = target->id;
    op.content = content(offset, all);
    op.time = names_.tick();
    if (!all.empty()) {
        const std::size_t end = static_cast<std::size_t>(offset) + all.size();
        if (target->bytes.size() < end) target->bytes.resize(end, '\0');
        target->bytes.replace(static_cast<std::size_t>(offset), all.size(), all);
    }
    run(op, {});
}

void Driver::truncate() {
    const ModelPtr target = file();
    if (target == nullptr) return;
    const std::uint64_t size = random_.percent(20) ? 0 : random_.below(kFileBytesMost);
    target->bytes.resize(static_cast<std::size_t>(size), '\0');
    run(TruncateOp{target->id, size, false, names_.tick()}, {});
}

void Driver::punch() {
    const ModelPtr target = file();
    if (target == nullptr) return;
    const std::uint64_t offset = random_.below(kFileBytesMost);
    const std::uint64_t length = random_.below(100);
    for (std::uint64_t i = offset; i < std::min(offset + length, target->bytes.size()); ++i) {
        target->bytes[i] = '\0';
    }
    run(PunchOp{target->id, offset, length, names_.tick()}, {});
}

void Driver::clone() {
    const ModelPtr source = file();
    if (source == nullptr) return;
    const ModelPtr target = random_.percent(30) ? source : file();
    CloneRange range = range_of(*source);
    range.offset = random_.below(kFileBytesMost);
    WriteOp op;
    op.inode = target->id;
    op.time = names_.tick();
    if (random_.percent(10)) {
        op.clones = {range};
        op.clones[0].source_generation += 1;
        run(op, {Code::conflict});
        return;
    }
    op.clones = {range};
    const std::string all = source->bytes.substr(range.source_offset, range.length);
    const std::size_t end = static_cast<std::size_t>(range.offset) + all.size();
    if (target->bytes.size() < end) target->bytes.resize(end, '\0');
    target->bytes.replace(static_cast<std::size_t>(range.offset), all.size(), all);
    run(op, {});
}

void Driver::upload() {
    if (uploads_.size() < 3) {
        const std::uint64_t id = next_upload_++;
        CreateUploadOp op;
        op.upload.id = id;
        op.upload.bucket = names_.bucket;
        op.upload.key = key();
        uploads_[id].key = op.upload.key;
        run(op, {});
        return;
    }
    auto it = uploads_.begin();
    std::advance(it, random_.below(uploads_.size()));
    const std::uint64_t id = it->first;
    if (random_.percent(70)) {
        put_part(id, it->second);
    } else if (random_.percent(70)) {
        complete(id, it->second);
    } else {
        abort(id);
    }
}

void Driver::put_part(std::uint64_t id, Upload& upload) {
    PutPartOp op;
    op.part.upload = id;
    op.part.number = static_cast<std::uint32_t>(1 + random_.below(5));
    std::string all = bytes(40);
    const ModelPtr source = file();
    if (source != nullptr && random_.percent(50)) {
        op.clones = {range_of(*source)};
        all = source->bytes.substr(op.clones[0].source_offset, op.clones[0].length);
    } else {
        op.content = content(0, all);
    }
    op.part.size = all.size();
    op.part.etag = tests::etag_of(all);
    upload.parts[op.part.number] = all;
    run(op, {});
}

void Driver::complete(std::uint64_t id, Upload& upload) {
    CompleteUploadOp op;
    op.bucket = names_.bucket;
    op.key = upload.key;
    op.upload = id;
    op.part_bytes_min = 0;
    op.time = names_.tick();
    std::string all;
    for (const auto& [number, part] : upload.parts) {
        if (random_.percent(20)) continue;
        op.parts.push_back({number, tests::etag_of(part).to_string(), ""});
        all += part;
    }
    op.inode.etag.parts = static_cast<std::uint32_t>(op.parts.size());
    if (op.parts.empty()) {
        run(op, {Code::invalid_argument});
        return;
    }
    if (random_.percent(20)) {
        op.parts.back().etag = "another";
        run(op, {Code::invalid_argument, Why::invalid_part});
        return;
    }
    const Expected expected = model_.put(upload.key, all);
    uploads_.erase(id);
    run(op, expected);
}

void Driver::abort(std::uint64_t id) {
    const std::string k = uploads_[id].key;
    uploads_.erase(id);
    run(AbortUploadOp{names_.bucket, k, id}, {});
}

// Somebody opens or closes something; what was removed meanwhile is reaped then.
void Driver::hold() {
    if (model_.held.size() < 5 && random_.percent(60)) {
        const ModelPtr node = pick(model_.all());
        if (node == model_.bucket || !model_.held.insert(node->id).second) return;
        names_.tables.holds.insert(node->id);
        return;
    }
    if (model_.held.empty()) return;
    auto it = model_.held.begin();
    std::advance(it, random_.below(model_.held.size()));
    const InodeId id = *it;
    model_.release(id);
    names_.tables.holds.erase(id);
    run(ReapOp{id}, {});
}

// A mount uses a directory, or has not for a while: then upkeep looks at it again.
void Driver::use() {
    if (random_.percent(50)) {
        const InodeId id = directory()->id;
        model_.used.insert(id);
        names_.tables.used.insert(id);
        return;
    }
    model_.used.clear();
    names_.tables.used.clear();
    const auto prunes = std::exchange(names_.tables.prunes, {});
    for (const InodeId id : prunes) {
        const auto nodes = model_.all();
        const auto node = std::find_if(
            nodes.begin(), nodes.end(), [&](const ModelPtr& n) { return n->id == id; });
        if (node != nodes.end()) model_.prune(node->get());
        run(PruneOp{id, names_.tick()}, {});
    }
}

void Driver::pack() {
    const NamespaceRows rows = names_.tables.rows();
    if (rows.inlines.empty()) return;
    auto it = rows.inlines.begin();
    std::advance(it, random_.below(rows.inlines.size()));
    const std::string& all = it->second.bytes;
    run(PackInlineOp{it->first, names_.packed(all, random_.below(all.size() + 1))}, {});
}

void Driver::attributes() {
    const ModelPtr node = pick(model_.all());
    SetAttributesOp op;
    op.inode = node->id;
    op.mode = static_cast<std::uint32_t>(random_.below(01000));
    op.time = names_.tick();
    if (node->directory()) node->implied = false;
    run(op, {});
}

void Driver::step() {
    using Action = void (Driver::*)();
    static constexpr std::pair<unsigned, Action> kActions[] = {
        {14, &Driver::put},
        {7, &Driver::copy},
        {12, &Driver::remove},
        {10, &Driver::create},
        {4, &Driver::link},
        {7, &Driver::unlink},
        {4, &Driver::rmdir},
        {12, &Driver::rename},
        {14, &Driver::write},
        {4, &Driver::truncate},
        {4, &Driver::punch},
        {9, &Driver::clone},
        {12, &Driver::upload},
        {6, &Driver::hold},
        {4, &Driver::use},
        {8, &Driver::pack},
        {1, &Driver::attributes},
    };
    unsigned total = 0;
    for (const auto& [weight, action] : kActions) total += weight;
    std::uint64_t left = random_.below(total);
    for (const auto& [weight, action] : kActions) {
        if (left < weight) return (this->*action)();
        left -= weight;
    }
}

// Everything is deleted, by S3, and nothing is left but what S3 does not delete.
void Driver::finish() {
    while (!uploads_.empty()) abort(uploads_.begin()->first);
    while (!model_.held.empty()) {
        const InodeId id = *model_.held.begin();
        model_.release(id);
        names_.tables.holds.clear();
        for (const InodeId still : model_.held) names_.tables.holds.insert(still);
        run(ReapOp{id}, {});
    }
    model_.used.clear();
    names_.tables.used.clear();
    for (int round = 0; round < 10; ++round) {
        for (const std::string& key : model_.list()) {
            DeleteObjectOp op;
            op.bucket = names_.bucket;
            op.key = key;
            op.time = names_.tick();
            run(op, model_.remove(key));
        }
    }
    CHECK(names_.list().empty());
    CHECK(names_.live_bytes() == 0);
    CHECK(names_.tables.rows().inlines.empty());
    CHECK(names_.tables.rows().shared.empty());
}

}  // namespace

TEST_CASE("random operations by all doors agree with a simple model") {
    const std::uint64_t first = tests::test_seed();
    for (std::uint64_t seed = first; seed < first + 6; ++seed) {
        CAPTURE(seed);
        Driver driver(seed);
        for (int step = 0; step < 1500; ++step) {
            CAPTURE(step);
            driver.step();
        }
        driver.finish();
    }
}
