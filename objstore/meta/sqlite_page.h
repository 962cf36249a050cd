#pragma once

#include <cstdint>

#include "objstore/base/bytes.h"

namespace objstore {

// The checksum in the reserve bytes of a database page; layout in sqlite_vfs.h. Pages are numbered
// from 1. `page` is kSqlitePageBytes long.
void stamp_sqlite_page(MutableBytes page, std::uint32_t number);

// Whether the page is whole and belongs where it was read. A page of zeros was never written and is
// fine anywhere.
bool is_valid_sqlite_page(Bytes page, std::uint32_t number);

// Whether the header at the start of a database file (at least 100 bytes) says that its pages have
// the size and the reserve bytes that stamping needs.
bool has_reserve_for_stamp(Bytes header);

}  // namespace objstore
