// Orphans, empty directories, volumes, settings.
#include <fmt/format.h>

#include "objstore/meta/ops_apply.h"
#include "objstore/meta/ops_content.h"
#include "objstore/meta/ops_tree.h"
#include "objstore/meta/ops_uploads.h"

namespace objstore {

namespace {

constexpr std::size_t kReapedExtentsMax = 1000;  // by one operation

// Frees some extents. True when none is left.
Result<bool> reap_some(Tables& tables, const Inode& inode) {
    ContentEdit content(tables, inode);
    TRY_ASSIGN(const auto some, content.extents(0, kFileBytesMax, kReapedExtentsMax));
    if (some.size() < kReapedExtentsMax) return true;
    TRY(content.cut(0, some.back().end()));
    TRY(content.finish());
    return false;
}

Status check_volume(const VolumeRow& volume) {
    if (volume.id == 0 || !volume.geometry.valid()) {
        return Status::invalid_argument("a volume has an id and a geometry");
    }
    return {};
}

}  // namespace

Status apply_op(const ReapOp& op, Tables& tables, OpResult&) {
    const auto inode = tables.inode(op.inode);
    if (inode.code() == Code::not_found) {
        TRY_ASSIGN(const bool gone, reap_upload(tables, op.inode));
        if (gone) tables.erase_orphan(op.inode);
        return {};
    }
    TRY(inode.error());
    TRY_ASSIGN(const auto orphan, tables.orphan(op.inode));
    if (!orphan || (*inode)->nlink > 0 || tables.held(op.inode)) return {};
    TRY_ASSIGN(const bool last, reap_some(tables, **inode));
    if (!last) return {};
    TRY(erase_with_content(tables, op.inode));
    tables.erase_orphan(op.inode);
    return {};
}

Status apply_op(const PruneOp& op, Tables& tables, OpResult&) {
    const auto directory = tables.inode(op.directory);
    if (directory.code() == Code::not_found) return {};
    TRY(directory.error());
    return prune(tables, op.directory, op.time);
}

Status apply_op(const AddVolumeOp& op, Tables& tables, OpResult&) {
    TRY(check_volume(op.volume));
    TRY_ASSIGN(const auto old, tables.volume(op.volume.id));
    if (old) return Status::already_exists(fmt::format("volume {:016x} exists", op.volume.id));
    VolumeRow row = op.volume;
    row.live_bytes = 0;
    row.named_end = 0;
    tables.put_volume(row);
    return {};
}

Status apply_op(const SealVolumeOp& op, Tables& tables, OpResult&) {
    TRY_ASSIGN(auto row, tables.volume(op.volume));
    if (!row) return Status::not_found(fmt::format("there is no volume {:016x}", op.volume));
    row->state = VolumeState::sealed;
    row->length = op.length;
    row->payload_bytes = op.payload_bytes;
    tables.put_volume(*row);
    return {};
}

Status apply_op(const SetSettingOp& op, Tables& tables, OpResult&) {
    if (op.name.empty()) return Status::invalid_argument("a setting has a name");
    tables.put_setting(op.name, op.value);
    return {};
}

}  // namespace objstore
