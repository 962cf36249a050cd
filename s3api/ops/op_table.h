#pragma once

#include "s3api/ops/context.h"
#include "s3api/router.h"

namespace s3api {

// All operations of this server over one context, which must outlive the table.
OpTable make_op_table(OpContext& context);

}  // namespace s3api
