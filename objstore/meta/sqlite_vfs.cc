#include "objstore/meta/sqlite_vfs.h"

#include <algorithm>
#include <cstring>
#include <map>

#include <fmt/format.h>
#include <sqlite3.h>

#include "objstore/disk/path.h"
#include "objstore/meta/sqlite_file.h"
#include "objstore/meta/sqlite_page.h"
#include "objstore/meta/sqlite_page_cache.h"

namespace objstore {

namespace {

// The first of all uses of SQLite.
sqlite3_vfs* default_vfs() {
    (void)use_sqlite_page_cache();  // SQLite's own serves as well
    return sqlite3_vfs_find(nullptr);
}

constexpr int kSectorBytes = 4096;
constexpr int kPathBytesMax = 512;
constexpr std::string_view kWalSuffix = "-wal";

// What SQLite knows as an open file. It provides the memory, which is plain.
struct Handle {
    sqlite3_file base;  // must be first
    struct State {
        SqliteFileContext& context;
        std::shared_ptr<SqliteFile> file;  // shared by all connections to the path
        std::shared_ptr<SqliteOpening> opening;
        SqliteLocks::Holder holder;
        bool read_only;
    };
    State* state;  // owned: freed by xClose
};
static_assert(std::is_trivial_v<Handle>);

Handle::State& state_of(sqlite3_file* file) {
    return *reinterpret_cast<Handle*>(file)->state;
}

SqliteLocks& locks_of(sqlite3_file* file) {
    return state_of(file).file->locks();
}

// Reports an error and picks what SQLite is told: that the disk is full, that there are too few to
// write, or `otherwise`.
int answer(const SqliteFileContext& context, Status status, int otherwise) {
    if (status.ok()) return SQLITE_OK;
    const Status reported = context.report(std::move(status));
    if (reported.why() == Why::read_only) return SQLITE_READONLY;
    // Only where nothing has happened is that all there is to say.
    const bool refused =
        reported.code() == Code::no_space && reported.why() != Why::outcome_unknown;
    return refused ? SQLITE_FULL : otherwise;
}

int refusal(const SqliteOpening& opening) {
    return opening.read_only ? SQLITE_READONLY : SQLITE_IOERR_FSYNC;
}

int close_file(sqlite3_file* file) noexcept {
    const std::unique_ptr<Handle::State> state(&state_of(file));
    SqliteLocks& locks = state->file->locks();
    locks.unmap(state->holder);
    locks.unlock(state->holder, SqliteLockLevel::none);
    file->pMethods = nullptr;
    return SQLITE_OK;
}

int read_file(sqlite3_file* file, void* out, int length, sqlite3_int64 offset) noexcept {
    const Handle::State& state = state_of(file);
    const MutableBytes target(static_cast<std::byte*>(out), static_cast<std::size_t>(length));
    auto got = state.file->read(*state.opening, static_cast<std::uint64_t>(offset), target);
    if (got.ok()) return *got == target.size() ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
    const int code = got.code() == Code::corruption ? SQLITE_IOERR_DATA : SQLITE_IOERR_READ;
    return answer(state.context, std::move(got).error(), code);
}

int write_file(sqlite3_file* file, const void* in, int length, sqlite3_int64 offset) noexcept {
    const Handle::State& state = state_of(file);
    if (state.read_only) return SQLITE_READONLY;
    if (state.opening->sync_failed) return refusal(*state.opening);
    const Bytes source(static_cast<const std::byte*>(in), static_cast<std::size_t>(length));
    Status status = state.file->write(*state.opening, static_cast<std::uint64_t>(offset), source);
    return answer(state.context, std::move(status), SQLITE_IOERR_WRITE);
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) noexcept {
    const Handle::State& state = state_of(file);
    if (state.read_only) return SQLITE_READONLY;
    if (state.opening->sync_failed) return refusal(*state.opening);
    Status status = state.file->truncate(*state.opening, static_cast<std::uint64_t>(size));
    return answer(state.context, std::move(status), SQLITE_IOERR_TRUNCATE);
}

int sync_file(sqlite3_file* file, int /*flags*/) noexcept {
    const Handle::State& state = state_of(file);
    if (state.opening->sync_failed) return refusal(*state.opening);
    return answer(state.context, state.file->sync(*state.opening), SQLITE_IOERR_FSYNC);
}

int file_size(sqlite3_file* file, sqlite3_int64* size) noexcept {
    const Handle::State& state = state_of(file);
    auto found = state.file->size(*state.opening);
    if (!found.ok()) return answer(state.context, std::move(found).error(), SQLITE_IOERR_FSTAT);
    *size = static_cast<sqlite3_int64>(*found);
    return SQLITE_OK;
}

int lock_file(sqlite3_file* file, int level) noexcept {
    const auto wanted = static_cast<SqliteLockLevel>(level);
    return locks_of(file).lock(state_of(file).holder, wanted) ? SQLITE_OK : SQLITE_BUSY;
}

int unlock_file(sqlite3_file* file, int level) noexcept {
    locks_of(file).unlock(state_of(file).holder, static_cast<SqliteLockLevel>(level));
    return SQLITE_OK;
}

int check_reserved_lock(sqlite3_file* file, int* reserved) noexcept {
    *reserved = locks_of(file).is_reserved() ? 1 : 0;
    return SQLITE_OK;
}

int control_file(sqlite3_file* file, int operation, void* argument) noexcept {
    const Handle::State& state = state_of(file);
    int* const number = static_cast<int*>(argument);
    switch (operation) {
        case SQLITE_FCNTL_LOCKSTATE:
            *number = static_cast<int>(state.holder.level);
            return SQLITE_OK;
        case SQLITE_FCNTL_PERSIST_WAL:
            // Always: a WAL that stays keeps its blocks, so a sync stays a pure flush.
            if (*number < 0) *number = 1;
            return SQLITE_OK;
        case SQLITE_FCNTL_COMMIT_PHASETWO:
            // A commit that asked for no sync: the file has it from here on, whatever happens to
            // this process.
            return answer(state.context, state.file->flush_wal(), SQLITE_IOERR_WRITE);
        case SQLITE_FCNTL_POWERSAFE_OVERWRITE:
        case SQLITE_FCNTL_HAS_MOVED:
            *number = 0;
            return SQLITE_OK;
        default:
            return SQLITE_NOTFOUND;
    }
}

int sector_size(sqlite3_file* /*file*/) noexcept {
    return kSectorBytes;
}

// Nothing is promised: no atomic write, no power-safe overwrite within a sector.
int device_characteristics(sqlite3_file* /*file*/) noexcept {
    return 0;
}

int map_shared_memory(
    sqlite3_file* file, int region, int bytes, int make, void volatile** out) noexcept {
    *out = nullptr;
    if (locks_of(file).is_invalid()) return SQLITE_IOERR_SHMMAP;
    *out = locks_of(file).map(state_of(file).holder,
                              static_cast<std::size_t>(region),
                              static_cast<std::size_t>(bytes),
                              make != 0);
    return SQLITE_OK;
}

int lock_shared_memory(sqlite3_file* file, int first, int count, int flags) noexcept {
    SqliteLocks& locks = locks_of(file);
    SqliteLocks::Holder& holder = state_of(file).holder;
    const SqliteLocks::Slots slots{first, count};
    if ((flags & SQLITE_SHM_UNLOCK) != 0) {
        locks.unlock_slots(holder, slots);
        return SQLITE_OK;
    }
    if (locks.is_invalid()) return SQLITE_IOERR_SHMLOCK;
    const bool shared = (flags & SQLITE_SHM_SHARED) != 0;
    const bool locked =
        shared ? locks.lock_shared(holder, slots) : locks.lock_exclusive(holder, slots);
    return locked ? SQLITE_OK : SQLITE_BUSY;
}

void shared_memory_barrier(sqlite3_file* /*file*/) noexcept {
    std::atomic_thread_fence(std::memory_order_seq_cst);
}

int unmap_shared_memory(sqlite3_file* file, int /*remove*/) noexcept {
    locks_of(file).unmap(state_of(file).holder);
    return SQLITE_OK;
}

const sqlite3_io_methods kMethods = {
    .iVersion = 2,
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = file_size,
    .xLock = lock_file,
    .xUnlock = unlock_file,
    .xCheckReservedLock = check_reserved_lock,
    .xFileControl = control_file,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = device_characteristics,
    .xShmMap = map_shared_memory,
    .xShmLock = lock_shared_memory,
    .xShmBarrier = shared_memory_barrier,
    .xShmUnmap = unmap_shared_memory,
    .xFetch = nullptr,  // no memory-mapped reads: an I/O error would be a signal
    .xUnfetch = nullptr,
};

SqliteFileKind kind_of(int flags) {
    if ((flags & SQLITE_OPEN_MAIN_DB) != 0) return SqliteFileKind::database;
    return (flags & SQLITE_OPEN_WAL) != 0 ? SqliteFileKind::wal : SqliteFileKind::journal;
}

}  // namespace

class SqliteVfs::Impl final {
public:
    Impl(Disk& disk, std::string name, SqliteVfsOptions options);
    ~Impl();

    const std::string& name() const { return name_; }
    SqliteFileContext& context() { return context_; }
    // The file that connections have open under this path, or null.
    std::shared_ptr<SqliteFile> find(const std::string& path);

private:
    static Impl& from(sqlite3_vfs* vfs) { return *static_cast<Impl*>(vfs->pAppData); }
    static sqlite3_vfs* system(sqlite3_vfs* vfs) { return from(vfs).system_; }

    static int open(
        sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) noexcept;
    static int remove(sqlite3_vfs* vfs, const char* path, int sync_directory) noexcept;
    static int access(sqlite3_vfs* vfs, const char* path, int flags, int* result) noexcept;
    static int full_path(sqlite3_vfs* vfs, const char* path, int length, char* out) noexcept;
    static int randomness(sqlite3_vfs* vfs, int length, char* out) noexcept;
    static int sleep(sqlite3_vfs* vfs, int microseconds) noexcept;
    static int current_time(sqlite3_vfs* vfs, double* out) noexcept;
    static int current_time_64(sqlite3_vfs* vfs, sqlite3_int64* out) noexcept;
    static int last_error(sqlite3_vfs* vfs, int length, char* out) noexcept;

    std::shared_ptr<SqliteFile> find_or_make(const std::string& path, SqliteFileKind kind);
    Status open_path(const char* path, Handle& handle, int flags);

    SqliteFileContext context_;
    const std::string name_;
    sqlite3_vfs* const system_;  // the default one: for temporary files, time and randomness
    sqlite3_vfs vfs_{};
    // Weak: a path is forgotten when the last connection has closed it.
    Guarded<std::map<std::string, std::weak_ptr<SqliteFile>>> files_;
};

SqliteVfs::Impl::Impl(Disk& disk, std::string name, SqliteVfsOptions options)
    : context_{disk, std::move(options), {}, Guarded<std::set<std::string>>()},
      name_(std::move(name)),
      system_(default_vfs()) {
    ASSERT(context_.options.wal_step_bytes > 0);
    ASSERT(context_.options.wal_step_bytes % kBlockBytes == 0);
    ASSERT(system_ != nullptr);
    ASSERT(sqlite3_vfs_find(name_.c_str()) == nullptr);
    vfs_.iVersion = 2;
    vfs_.szOsFile = std::max(static_cast<int>(sizeof(Handle)), system_->szOsFile);
    vfs_.mxPathname = kPathBytesMax;
    vfs_.zName = name_.c_str();
    vfs_.pAppData = this;
    vfs_.xOpen = open;
    vfs_.xDelete = remove;
    vfs_.xAccess = access;
    vfs_.xFullPathname = full_path;
    vfs_.xRandomness = randomness;
    vfs_.xSleep = sleep;
    vfs_.xCurrentTime = current_time;
    vfs_.xCurrentTimeInt64 = current_time_64;
    vfs_.xGetLastError = last_error;
    const int registered = sqlite3_vfs_register(&vfs_, 0);
    ASSERT(registered == SQLITE_OK);
}

SqliteVfs::Impl::~Impl() {
    (void)sqlite3_vfs_unregister(&vfs_);
    files_.with([](const auto& files) {
        for (const auto& [path, file] : files) ASSERT(file.expired());
    });
}

std::shared_ptr<SqliteFile> SqliteVfs::Impl::find(const std::string& path) {
    return files_.with([&](const auto& files) {
        const auto found = files.find(path);
        return found == files.end() ? nullptr : found->second.lock();
    });
}

std::shared_ptr<SqliteFile> SqliteVfs::Impl::find_or_make(const std::string& path,
                                                          SqliteFileKind kind) {
    std::shared_ptr<SqliteFile> database;
    if (kind == SqliteFileKind::wal) {
        // SQLite opens a WAL for a database that it has open.
        ASSERT(path.ends_with(kWalSuffix));
        database = find(path.substr(0, path.size() - kWalSuffix.size()));
        ASSERT(database != nullptr);
    }
    return files_.with([&](auto& files) {
        std::erase_if(files, [](const auto& entry) { return entry.second.expired(); });
        auto file = files[path].lock();
        if (file == nullptr) {
            file = std::make_shared<SqliteFile>(context_, path, kind, database);
            if (database != nullptr) database->set_wal(file);
            files[path] = file;
        }
        return file;
    });
}

Status SqliteVfs::Impl::open_path(const char* path, Handle& handle, int flags) {
    // A read-only connection shares its opening with those that write, so all are for writing.
    const bool create = (flags & SQLITE_OPEN_CREATE) != 0;
    auto file = find_or_make(path, kind_of(flags));
    TRY_ASSIGN(auto opening, file->open(create ? OpenMode::create : OpenMode::write));
    const bool read_only = (flags & SQLITE_OPEN_READONLY) != 0;
    auto state = std::make_unique<Handle::State>(
        Handle::State{context_, std::move(file), std::move(opening), {}, read_only});
    handle.state = state.release();
    handle.base.pMethods = &kMethods;
    return {};
}

int SqliteVfs::Impl::open(
    sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) noexcept {
    constexpr int kTemporary = SQLITE_OPEN_TEMP_DB | SQLITE_OPEN_TRANSIENT_DB |
                               SQLITE_OPEN_TEMP_JOURNAL | SQLITE_OPEN_SUBJOURNAL;
    sqlite3_vfs* const fallback = system(vfs);
    if (path == nullptr || (flags & kTemporary) != 0) {
        return fallback->xOpen(fallback, path, file, flags, out_flags);
    }
    file->pMethods = nullptr;  // so that xClose is not called after an error
    Status status = from(vfs).open_path(path, *reinterpret_cast<Handle*>(file), flags);
    if (!status.ok()) return answer(from(vfs).context_, std::move(status), SQLITE_CANTOPEN);
    if (out_flags != nullptr) *out_flags = flags;
    return SQLITE_OK;
}

int SqliteVfs::Impl::remove(sqlite3_vfs* vfs, const char* path, int sync_directory) noexcept {
    Impl& self = from(vfs);
    Status status = self.context_.disk.remove(path);
    if (status.code() == Code::not_found) return SQLITE_IOERR_DELETE_NOENT;
    if (!status.ok()) return answer(self.context_, std::move(status), SQLITE_IOERR_DELETE);
    self.files_.with([&](auto& files) { files.erase(path); });
    if (sync_directory == 0) return SQLITE_OK;
    status = self.context_.disk.sync_dir(split_disk_path(path).first);
    return answer(self.context_, std::move(status), SQLITE_IOERR_DIR_FSYNC);
}

int SqliteVfs::Impl::access(sqlite3_vfs* vfs, const char* path, int flags, int* result) noexcept {
    Impl& self = from(vfs);
    *result = 0;
    auto file = self.context_.disk.open(path, OpenMode::read);
    if (file.code() == Code::not_found) return SQLITE_OK;
    if (!file.ok()) return answer(self.context_, std::move(file).error(), SQLITE_IOERR_ACCESS);
    auto size = (*file)->size();
    if (!size.ok()) return answer(self.context_, std::move(size).error(), SQLITE_IOERR_ACCESS);
    // An empty file counts as absent, as SQLite's own VFS has it.
    *result = flags != SQLITE_ACCESS_EXISTS || *size > 0 ? 1 : 0;
    return SQLITE_OK;
}

// Paths are relative to the disk already.
int SqliteVfs::Impl::full_path(sqlite3_vfs* /*vfs*/,
                               const char* path,
                               int length,
                               char* out) noexcept {
    const std::size_t size = std::strlen(path);
    if (size >= static_cast<std::size_t>(length)) return SQLITE_CANTOPEN;
    std::memcpy(out, path, size + 1);
    return SQLITE_OK;
}

int SqliteVfs::Impl::randomness(sqlite3_vfs* vfs, int length, char* out) noexcept {
    return system(vfs)->xRandomness(system(vfs), length, out);
}

int SqliteVfs::Impl::sleep(sqlite3_vfs* vfs, int microseconds) noexcept {
    return system(vfs)->xSleep(system(vfs), microseconds);
}

int SqliteVfs::Impl::current_time(sqlite3_vfs* vfs, double* out) noexcept {
    return system(vfs)->xCurrentTime(system(vfs), out);
}

int SqliteVfs::Impl::current_time_64(sqlite3_vfs* vfs, sqlite3_int64* out) noexcept {
    return system(vfs)->xCurrentTimeInt64(system(vfs), out);
}

int SqliteVfs::Impl::last_error(sqlite3_vfs* /*vfs*/, int /*length*/, char* /*out*/) noexcept {
    return 0;
}

SqliteVfs::SqliteVfs(Disk& disk, std::string name, SqliteVfsOptions options)
    : impl_(std::make_unique<Impl>(disk, std::move(name), std::move(options))) {}

SqliteVfs::~SqliteVfs() = default;

const std::string& SqliteVfs::name() const {
    return impl_->name();
}

const SqliteVfsCounts& SqliteVfs::counts() const {
    return impl_->context().counts;
}

Status SqliteVfs::sync_wal(std::string_view path) {
    const auto wal = impl_->find(fmt::format("{}{}", path, kWalSuffix));
    const auto opening = wal == nullptr ? nullptr : wal->current();
    if (opening == nullptr) {
        return Status::not_found(fmt::format("{}: is not open in WAL mode", path));
    }
    return impl_->context().report(wal->sync(*opening));
}

Status prepare_sqlite_connection(sqlite3* connection) {
    const auto failed = [&](std::string_view step) {
        return Status::io_error(fmt::format("{}: {}", step, sqlite3_errmsg(connection)));
    };
    const auto run = [&](const std::string& sql) {
        return sqlite3_exec(connection, sql.c_str(), nullptr, nullptr, nullptr);
    };
    const auto set_page_size = fmt::format("PRAGMA page_size={}", kSqlitePageBytes);
    if (run(set_page_size) != SQLITE_OK) return failed(set_page_size);
    int reserve = kSqliteReserveBytes;
    if (sqlite3_file_control(connection, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve) !=
        SQLITE_OK) {
        return failed("reserve bytes");
    }
    // The first read rolls back what a crash has left half made; only then the header counts.
    if (run("PRAGMA schema_version") != SQLITE_OK) return failed("first read");
    sqlite3_file* file = nullptr;
    if (sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK) {
        return failed("file pointer");
    }
    std::array<std::byte, 100> header;
    const int length = static_cast<int>(header.size());
    const int result = file->pMethods->xRead(file, header.data(), length, 0);
    if (result == SQLITE_IOERR_SHORT_READ) return {};  // no database yet
    if (result != SQLITE_OK) return Status::io_error("the database's header can not be read");
    if (has_reserve_for_stamp(header)) return {};
    return Status::invalid_argument("the database has another page size or no reserve bytes");
}

}  // namespace objstore
