#pragma once

#include "objstore/base/status.h"
#include "objstore/meta/ops.h"
#include "objstore/meta/tables.h"

// Each operation's rules, one function a kind, for `apply`. After an error the tables may be half
// changed: the store drops the whole Txn. What fails leaves in `result` only what `OpResult` says
// of errors.
namespace objstore {

// ops_buckets.cc
Status apply_op(const CreateBucketOp& op, Tables& tables, OpResult& result);
Status apply_op(const DeleteBucketOp& op, Tables& tables, OpResult& result);
// ops_objects.cc
Status apply_op(const PutObjectOp& op, Tables& tables, OpResult& result);
Status apply_op(const PutHeadersOp& op, Tables& tables, OpResult& result);
Status apply_op(const DeleteObjectOp& op, Tables& tables, OpResult& result);
// ops_uploads.cc
Status apply_op(const CreateUploadOp& op, Tables& tables, OpResult& result);
Status apply_op(const PutPartOp& op, Tables& tables, OpResult& result);
Status apply_op(const AbortUploadOp& op, Tables& tables, OpResult& result);
Status apply_op(const CompleteUploadOp& op, Tables& tables, OpResult& result);
// ops_names.cc
Status apply_op(const CreateOp& op, Tables& tables, OpResult& result);
Status apply_op(const LinkOp& op, Tables& tables, OpResult& result);
Status apply_op(const UnlinkOp& op, Tables& tables, OpResult& result);
Status apply_op(const RmdirOp& op, Tables& tables, OpResult& result);
// ops_rename.cc
Status apply_op(const RenameOp& op, Tables& tables, OpResult& result);
// ops_attributes.cc
Status apply_op(const SetAttributesOp& op, Tables& tables, OpResult& result);
Status apply_op(const SetXattrOp& op, Tables& tables, OpResult& result);
Status apply_op(const RemoveXattrOp& op, Tables& tables, OpResult& result);
// ops_write.cc
Status apply_op(const PrepareContentOp& op, Tables& tables, OpResult& result);
Status apply_op(const WriteOp& op, Tables& tables, OpResult& result);
Status apply_op(const TruncateOp& op, Tables& tables, OpResult& result);
Status apply_op(const PunchOp& op, Tables& tables, OpResult& result);
// ops_upkeep.cc, ops_pack.cc
Status apply_op(const ReapOp& op, Tables& tables, OpResult& result);
Status apply_op(const PruneOp& op, Tables& tables, OpResult& result);
Status apply_op(const PackInlineOp& op, Tables& tables, OpResult& result);
Status apply_op(const AddVolumeOp& op, Tables& tables, OpResult& result);
Status apply_op(const SealVolumeOp& op, Tables& tables, OpResult& result);
Status apply_op(const SetSettingOp& op, Tables& tables, OpResult& result);

}  // namespace objstore
