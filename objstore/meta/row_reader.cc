#include "objstore/meta/row_reader.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "objstore/meta/record.h"

namespace objstore {

namespace {

// Bounds above what a signed column can hold mean "to the end".
std::uint64_t clamp_signed(std::uint64_t value) {
    return std::min(value, std::uint64_t{std::numeric_limits<std::int64_t>::max()});
}

// Numbers of small columns: what does not fit is damage, not a cast.
template <typename T>
bool fits(std::int64_t value) {
    return value >= 0 && static_cast<std::uint64_t>(value) <= std::numeric_limits<T>::max();
}

Result<InodePtr> decode_named(InodeId id,
                              InodeId parent,
                              std::string_view name,
                              std::string_view record) {
    Result<Inode> decoded = decode_inode(as_bytes(record));
    if (!decoded.ok()) return std::move(decoded).error().with_context(fmt::format("inode {}", id));
    auto inode = std::make_shared<Inode>(std::move(decoded).value());
    inode->id = id;
    inode->parent = parent;
    inode->name = name;
    return InodePtr(std::move(inode));
}

// Columns: name, ino, type, cookie, last_modified, record.
Result<StoredEntry> entry_of(const Cursor& row, InodeId parent) {
    StoredEntry stored;
    Entry& entry = stored.entry;
    entry.parent = parent;
    entry.name = row.blob(0);
    entry.inode = row.number(1);
    const std::int64_t type = row.signed_number(2);
    if (type < 1 || type > 7) {
        return Status::corruption(fmt::format("entry of inode {}: type {}", entry.inode, type));
    }
    entry.type = static_cast<FileType>(type);
    entry.cookie = row.number(3);
    entry.last_modified = row.signed_number(4);
    if (!row.is_null(5)) {
        TRY_ASSIGN(stored.inode, decode_named(entry.inode, parent, entry.name, row.blob(5)));
    }
    return stored;
}

Result<UploadRow> upload_of(const Cursor& row) {
    UploadRow upload;
    upload.id = row.number(0);
    upload.bucket = row.number(1);
    upload.key = row.blob(2);
    upload.inode = row.number(3);
    upload.initiated = row.signed_number(4);
    TRY(decode_upload(as_bytes(row.blob(5)), upload));
    return upload;
}

Result<std::optional<UploadRow>> first_upload(Cursor& cursor) {
    TRY_ASSIGN(const bool found, cursor.next());
    if (!found) return std::optional<UploadRow>();
    TRY_ASSIGN(UploadRow upload, upload_of(cursor));
    return std::optional<UploadRow>(std::move(upload));
}

Result<std::uint32_t> inline_crc(const Cursor& row, int column) {
    if (fits<std::uint32_t>(row.signed_number(column))) {
        return static_cast<std::uint32_t>(row.number(column));
    }
    return Status::corruption(fmt::format("inline bytes {}: checksum", row.number(0)));
}

Result<InlineRow> inline_of(const Cursor& row) {
    InlineRow found;
    found.id = row.number(0);
    found.inode = row.number(1);
    found.generation = row.number(2);
    found.logical_offset = row.number(3);
    TRY_ASSIGN(found.crc, inline_crc(row, 4));
    found.bytes = row.blob(5);
    return found;
}

Result<BucketRow> bucket_of(const Cursor& row) {
    for (const int column : {4, 5, 6, 7}) {
        if (!fits<std::uint32_t>(row.signed_number(column))) {
            return Status::corruption("bucket: a number is out of range");
        }
    }
    if (!fits<std::uint8_t>(row.signed_number(8))) return Status::corruption("bucket: versioning");
    BucketRow bucket;
    bucket.inode = row.number(0);
    bucket.name = row.blob(1);
    bucket.created = row.signed_number(2);
    bucket.region = row.blob(3);
    bucket.uid = static_cast<std::uint32_t>(row.number(4));
    bucket.gid = static_cast<std::uint32_t>(row.number(5));
    bucket.file_mode = static_cast<std::uint32_t>(row.number(6));
    bucket.directory_mode = static_cast<std::uint32_t>(row.number(7));
    bucket.versioning = static_cast<std::uint8_t>(row.number(8));
    bucket.owner_from_metadata = row.number(9) != 0;
    return bucket;
}

Result<VolumeRow> volume_of(const Cursor& row) {
    VolumeRow volume;
    volume.id = row.number(0);
    for (const int column : {1, 2, 3, 5, 6, 7, 8}) {
        if (!fits<std::uint8_t>(row.signed_number(column))) {
            return Status::corruption(
                fmt::format("volume {:016x}: a number is out of range", volume.id));
        }
    }
    volume.geometry = {static_cast<std::uint8_t>(row.number(1)),
                       static_cast<std::uint8_t>(row.number(2))};
    const std::uint64_t state = row.number(3);
    const std::string_view disks = row.blob(4);
    if (!volume.geometry.valid() || state < 1 || state > 2 ||
        disks.size() != sizeof(DiskId) * static_cast<std::size_t>(volume.geometry.shards())) {
        return Status::corruption(fmt::format("volume {:016x}: its row is damaged", volume.id));
    }
    volume.state = static_cast<VolumeState>(state);
    std::memcpy(volume.disks.data(), disks.data(), disks.size());
    volume.code = static_cast<std::uint8_t>(row.number(5));
    volume.checksum = static_cast<std::uint8_t>(row.number(6));
    volume.storage_class = static_cast<std::uint8_t>(row.number(7));
    volume.pool = static_cast<std::uint8_t>(row.number(8));
    volume.node = row.number(9);
    volume.length = row.number(10);
    volume.payload_bytes = row.number(11);
    volume.live_bytes = row.number(12);
    volume.named_end = row.number(13);
    return volume;
}

// All rows of a cursor, each made by `make`, which returns a Result.
template <typename T, typename Fn>
Result<std::vector<T>> collect(Cursor& cursor, std::size_t limit, Fn&& make) {
    std::vector<T> rows;
    while (rows.size() < limit) {
        TRY_ASSIGN(const bool more, cursor.next());
        if (!more) break;
        Result<T> row = make(cursor);
        if (!row.ok()) return std::move(row).error();
        rows.push_back(std::move(row).value());
    }
    return rows;
}

constexpr std::uint8_t kSizeClasses = 65;  // of SharedRow

// The greatest class below another that holders of the place have.
Result<std::optional<std::uint8_t>> class_below(Connection& connection,
                                                RowReader::Place place,
                                                std::uint8_t size_class) {
    Cursor row(connection, Sql::shared_class);
    row.bind(place.volume).bind(place.place).bind(std::uint64_t{size_class});
    TRY_ASSIGN(const bool found, row.next());
    if (!found || row.is_null(0)) return std::optional<std::uint8_t>();
    if (!fits<std::uint8_t>(row.signed_number(0))) return Status::corruption("shared: size class");
    return std::optional<std::uint8_t>(static_cast<std::uint8_t>(row.number(0)));
}

constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();

}  // namespace

std::optional<std::string> prefix_end(std::string_view prefix) {
    std::string end(prefix);
    while (!end.empty() && end.back() == '\xff') end.pop_back();
    if (end.empty()) return std::nullopt;
    end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
    return end;
}

bool touches(const SharedRow& holder, RowReader::Range payload) {
    // Not by the holder's end, which a damaged row could make overflow.
    return holder.payload_offset < payload.to &&
           (holder.payload_offset >= payload.from ||
            holder.length > payload.from - holder.payload_offset);
}

Result<StateRow> RowReader::state() const {
    Cursor row(connection_, Sql::state);
    TRY_ASSIGN(const bool found, row.next());
    if (!found) return Status::corruption("namespace: no state row");
    return StateRow{row.number(0), row.number(1), row.number(2)};
}

Result<InodePtr> RowReader::inode(InodeId id) const {
    Cursor row(connection_, Sql::inode);
    TRY_ASSIGN(const bool found, row.bind(id).next());
    if (!found) return InodePtr();
    const int column = row.is_null(2) ? 3 : 2;
    if (row.is_null(column)) {
        return Status::corruption(fmt::format("inode {}: its record is missing", id));
    }
    return decode_named(id, row.number(0), row.blob(1), row.blob(column));
}

Result<std::optional<StoredEntry>> RowReader::entry(InodeId parent, std::string_view name) const {
    Cursor row(connection_, Sql::entry);
    TRY_ASSIGN(const bool found, row.bind(parent).bind(name).next());
    if (!found) return std::optional<StoredEntry>();
    TRY_ASSIGN(StoredEntry stored, entry_of(row, parent));
    return std::optional<StoredEntry>(std::move(stored));
}

Result<std::vector<StoredEntry>> RowReader::entries(const ListQuery& query) const {
    std::string from = query.from;
    if (!query.from_inclusive) from.push_back('\0');  // the next name there can be
    if (from < query.prefix) from = query.prefix;
    const std::optional<std::string> end = prefix_end(query.prefix);
    Cursor cursor(connection_, end ? Sql::entries_below : Sql::entries);
    cursor.bind(query.parent).bind(from);
    if (end) cursor.bind(*end);
    return collect<StoredEntry>(
        cursor, query.limit, [&query](const Cursor& row) { return entry_of(row, query.parent); });
}

Result<std::vector<StoredEntry>> RowReader::entries_by_cookie(InodeId parent,
                                                              std::uint64_t cookie,
                                                              std::size_t limit) const {
    Cursor row(connection_, Sql::entries_by_cookie);
    row.bind(parent).bind(clamp_signed(cookie));
    std::vector<StoredEntry> found;
    while (found.size() < limit) {
        TRY_ASSIGN(const bool more, row.next());
        if (!more) break;
        if (hidden_from_paths(row.blob(0))) continue;
        TRY_ASSIGN(StoredEntry stored, entry_of(row, parent));
        found.push_back(std::move(stored));
    }
    return found;
}

Result<std::vector<Extent>> RowReader::extents(InodeId id, Range range, std::size_t limit) const {
    Cursor row(connection_, Sql::extents);
    row.bind(id).bind(clamp_signed(range.from)).bind(clamp_signed(range.to));
    std::vector<Extent> found;
    while (found.size() < limit) {
        TRY_ASSIGN(const bool more, row.next());
        if (!more) break;
        Result<Extent> extent = decode_extent(row.number(0), as_bytes(row.blob(1)));
        if (!extent.ok()) {
            return std::move(extent).error().with_context(fmt::format("inode {}", id));
        }
        // The first begins at or before the range, and may end before it too.
        if (extent->end() > range.from) found.push_back(*extent);
    }
    return found;
}

Result<std::vector<BucketRow>> RowReader::buckets() const {
    Cursor cursor(connection_, Sql::buckets);
    return collect<BucketRow>(cursor, kAll, bucket_of);
}

Result<std::optional<UploadRow>> RowReader::upload(std::uint64_t id) const {
    Cursor cursor(connection_, Sql::upload);
    return first_upload(cursor.bind(id));
}

Result<std::optional<UploadRow>> RowReader::upload_by_inode(InodeId id) const {
    Cursor cursor(connection_, Sql::upload_by_inode);
    return first_upload(cursor.bind(id));
}

Result<std::vector<std::uint64_t>> RowReader::upload_ids(InodeId bucket, std::size_t limit) const {
    Cursor cursor(connection_, Sql::bucket_uploads);
    return collect<std::uint64_t>(cursor.bind(bucket), limit, [](const Cursor& row) {
        return Result<std::uint64_t>(row.number(0));
    });
}

Result<std::vector<UploadRow>> RowReader::uploads(InodeId bucket,
                                                  const UploadPosition& after,
                                                  std::size_t limit) const {
    Cursor cursor(connection_, Sql::uploads);
    cursor.bind(bucket).bind(after.key).bind_signed(after.initiated).bind_signed(after.id);
    return collect<UploadRow>(cursor.bind(clamp_signed(limit)), limit, upload_of);
}

Result<std::vector<PartRow>> RowReader::parts(std::uint64_t upload,
                                              std::uint32_t after,
                                              std::size_t limit) const {
    Cursor cursor(connection_, Sql::parts_after);
    cursor.bind(upload).bind(std::uint64_t{after});
    return collect<PartRow>(cursor, limit, [upload](const Cursor& row) -> Result<PartRow> {
        if (!fits<std::uint32_t>(row.signed_number(0))) return Status::corruption("part: number");
        return decode_part(
            upload, static_cast<std::uint32_t>(row.number(0)), as_bytes(row.blob(1)));
    });
}

Result<std::optional<PartRow>> RowReader::part(std::uint64_t upload, std::uint32_t number) const {
    Cursor row(connection_, Sql::part);
    TRY_ASSIGN(const bool found, row.bind(upload).bind(std::uint64_t{number}).next());
    if (!found) return std::optional<PartRow>();
    TRY_ASSIGN(PartRow part, decode_part(upload, number, as_bytes(row.blob(1))));
    return std::optional<PartRow>(std::move(part));
}

Result<std::vector<ObjectPart>> RowReader::object_parts(InodeId id) const {
    Cursor row(connection_, Sql::object_parts);
    TRY_ASSIGN(const bool found, row.bind(id).next());
    if (!found) return std::vector<ObjectPart>();
    auto parts = decode_object_parts(as_bytes(row.blob(0)));
    if (!parts.ok()) return std::move(parts).error().with_context(fmt::format("inode {}", id));
    return parts;
}

Result<std::optional<XattrRow>> RowReader::xattr(InodeId id, std::string_view name) const {
    Cursor row(connection_, Sql::xattr);
    TRY_ASSIGN(const bool found, row.bind(id).bind(name).next());
    if (!found) return std::optional<XattrRow>();
    return std::optional<XattrRow>(
        XattrRow{id, std::string(row.blob(0)), std::string(row.blob(1))});
}

Result<std::vector<XattrRow>> RowReader::xattrs(InodeId id) const {
    Cursor cursor(connection_, Sql::xattrs);
    return collect<XattrRow>(cursor.bind(id), kAll, [id](const Cursor& row) {
        return Result<XattrRow>({id, std::string(row.blob(0)), std::string(row.blob(1))});
    });
}

Result<std::optional<InlineRow>> RowReader::inline_row(std::uint64_t id) const {
    Cursor row(connection_, Sql::inline_row);
    TRY_ASSIGN(const bool found, row.bind(id).next());
    if (!found) return std::optional<InlineRow>();
    TRY_ASSIGN(InlineRow inlined, inline_of(row));
    return std::optional<InlineRow>(std::move(inlined));
}

Result<std::vector<InlineRow>> RowReader::inline_rows(std::uint64_t id_after,
                                                      std::size_t limit) const {
    Cursor cursor(connection_, Sql::inline_rows);
    cursor.bind(clamp_signed(id_after)).bind(clamp_signed(limit));
    return collect<InlineRow>(cursor, limit, inline_of);
}

Result<std::uint64_t> RowReader::inline_bytes() const {
    Cursor row(connection_, Sql::inline_total);
    TRY_ASSIGN(const bool found, row.next());
    return found ? row.number(0) : 0;
}

Result<std::optional<InlineHead>> RowReader::inline_head(std::uint64_t id) const {
    Cursor row(connection_, Sql::inline_head);
    TRY_ASSIGN(const bool found, row.bind(id).next());
    if (!found) return std::optional<InlineHead>();
    TRY_ASSIGN(const std::uint32_t crc, inline_crc(row, 3));
    return std::optional(InlineHead{id, row.number(1), row.number(2), crc, row.number(4)});
}

Result<std::vector<SharedRow>> RowReader::shared(Place place,
                                                 Range payload,
                                                 std::size_t limit) const {
    std::vector<SharedRow> found;
    // The large first: one may cover all that is asked for.
    std::optional<std::uint8_t> size_class = kSizeClasses;
    while (found.size() < limit) {
        TRY_ASSIGN(size_class, class_below(connection_, place, *size_class));
        if (!size_class) break;
        TRY(shared_of_class(place, *size_class, payload, limit, found));
    }
    return found;
}

// Adds those of one class, which are 2^n bytes long at most.
Status RowReader::shared_of_class(Place place,
                                  std::uint8_t size_class,
                                  Range payload,
                                  std::size_t limit,
                                  std::vector<SharedRow>& found) const {
    const std::uint64_t reach = size_class < 63 ? std::uint64_t{1} << size_class : payload.from;
    const std::uint64_t from = payload.from > reach ? payload.from - reach : 0;
    Cursor row(connection_, Sql::shared);
    row.bind(place.volume).bind(place.place).bind(std::uint64_t{size_class});
    row.bind(clamp_signed(from)).bind(clamp_signed(payload.to));
    while (found.size() < limit) {
        TRY_ASSIGN(const bool more, row.next());
        if (!more) break;
        if (!fits<std::uint32_t>(row.signed_number(2))) {
            return Status::corruption("shared: payload offset");
        }
        SharedRow holder;
        holder.volume = place.volume;
        holder.place = place.place;
        holder.inode = row.number(0);
        holder.logical_offset = row.number(1);
        holder.payload_offset = static_cast<std::uint32_t>(row.number(2));
        holder.length = row.number(3);
        if (touches(holder, payload)) found.push_back(holder);
    }
    return {};
}

Result<std::vector<OrphanRow>> RowReader::orphans(std::size_t limit) const {
    Cursor cursor(connection_, Sql::orphans);
    return collect<OrphanRow>(cursor.bind(clamp_signed(limit)), limit, [](const Cursor& row) {
        return Result<OrphanRow>({row.number(0), row.signed_number(1)});
    });
}

Result<std::vector<VolumeRow>> RowReader::volumes() const {
    Cursor cursor(connection_, Sql::volumes);
    return collect<VolumeRow>(cursor, kAll, volume_of);
}

Result<std::optional<std::string>> RowReader::setting(std::string_view name) const {
    Cursor row(connection_, Sql::setting);
    TRY_ASSIGN(const bool found, row.bind(name).next());
    if (!found) return std::optional<std::string>();
    return std::optional<std::string>(row.blob(0));
}

Result<std::vector<PruneRow>> RowReader::prunes() const {
    Cursor cursor(connection_, Sql::prunes);
    return collect<PruneRow>(cursor, kAll, [](const Cursor& row) {
        return Result<PruneRow>({row.number(0), row.signed_number(1)});
    });
}

}  // namespace objstore
