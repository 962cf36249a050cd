#include "objstore/meta/ops_apply.h"

#include <variant>

namespace objstore {

Status apply(const Op& op, Tables& tables, OpResult& result) {
    return std::visit([&](const auto& one) { return apply_op(one, tables, result); }, op);
}

}  // namespace objstore
