#pragma once

#include <doctest/doctest.h>

#include "objstore/base/status.h"

namespace tests {

// A doctest check of why something failed.
inline void check_error(const objstore::Status& status,
                        objstore::Code code,
                        objstore::Why why = objstore::Why::none) {
    CAPTURE(status.message());
    CHECK(to_string(status.code()) == to_string(code));
    CHECK(static_cast<int>(status.why()) == static_cast<int>(why));
}

}  // namespace tests
