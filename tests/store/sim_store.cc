#include "tests/store/sim_store.h"

#include <spdlog/sinks/null_sink.h>

namespace tests {

using objstore::Code;
using objstore::Result;
using objstore::Status;

namespace {

objstore::Deployment::Options small_options(std::chrono::milliseconds pack_after) {
    objstore::Deployment::Options options;
    options.engine.mover.pack_after = pack_after;
    options.meta.wal_step_bytes = 64 * objstore::kKiB;
    options.volumes.shard_bytes_max = 8 * objstore::kMiB;
    options.volumes.allocate_bytes = objstore::kMiB;
    options.volumes.stream_volumes_max = 2;
    return options;
}

}  // namespace

SimStore::SimStore(Options options)
    : options_(options),
      world_(options.seed),
      random_(options.seed ^ 0x9e3779b97f4a7c15),
      log_(std::make_shared<spdlog::logger>("test",
                                            std::make_shared<spdlog::sinks::null_sink_mt>())) {
    for (std::size_t i = 0; i < options.disks; ++i) world_.add_disk("d" + std::to_string(i + 1));
    if (!options.open) return;
    const Status opened = open();
    ASSERT(opened.ok());
}

SimStore::~SimStore() {
    close();
}

Status SimStore::open() {
    std::vector<objstore::Disk*> disks;
    for (std::size_t i = 0; i < world_.disk_count(); ++i) disks.push_back(&world_.disk(i));
    objstore::Deployment::Deps deps{disks, pool_, random_, clock_, *log_};
    TRY_ASSIGN(deployment_, objstore::Deployment::open(small_options(options_.pack_after), deps));
    return find_bucket();
}

Status SimStore::find_bucket() {
    const auto found = engine().bucket("b");
    if (found.ok()) {
        bucket_ = found->inode;
        return {};
    }
    if (found.code() != Code::not_found) return found.error();
    objstore::CreateBucketOp op;
    op.bucket.name = "b";
    op.bucket.created = clock_.now();
    TRY_ASSIGN(const auto made, engine().apply(std::move(op), {}));
    TRY_ASSIGN(const auto row, engine().bucket("b"));
    bucket_ = row.inode;
    return {};
}

void SimStore::close() {
    deployment_.reset();
}

Status SimStore::power_cycle() {
    close();
    world_.power_cycle();
    return open();
}

Status SimStore::put(const std::string& key, const std::string& bytes) {
    auto content = engine().new_object(bucket_, key, bytes.size());
    TRY(content->write(objstore::as_bytes(bytes)));
    return engine().put(bucket_, key, std::move(content), {}).error();
}

Result<std::string> SimStore::read(const std::string& key) {
    TRY_ASSIGN(const auto object, engine().stat(bucket_, key));
    TRY_ASSIGN(const auto reader, engine().open(object));
    std::string bytes(reader->size(), '\0');
    TRY(reader->read(0, std::as_writable_bytes(std::span(bytes))));
    return bytes;
}

Status SimStore::remove(const std::string& key) {
    objstore::DeleteObjectOp op{.bucket = bucket_, .key = key, .time = clock_.now()};
    return engine().apply(std::move(op), {}).error();
}

std::vector<SimStore::NamespaceFile> SimStore::namespace_files() {
    std::vector<NamespaceFile> files;
    for (std::size_t i = 0; i < world_.disk_count(); ++i) {
        const auto names = world_.disk(i).list("meta");
        if (!names.ok()) continue;
        for (const std::string& name : *names) {
            if (name.ends_with(".db")) files.push_back({&world_.disk(i), "meta/" + name});
        }
    }
    return files;
}

std::string some_bytes(std::size_t size, std::uint64_t seed) {
    SimRandom random(seed);
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; i += 8) {
        const std::uint64_t word = random.next();
        std::memcpy(bytes.data() + i, &word, std::min<std::size_t>(8, size - i));
    }
    return bytes;
}

}  // namespace tests
