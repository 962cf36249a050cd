#pragma once

#include <cstdint>

#include "objstore/base/bytes.h"

namespace objstore {

// The stamp in the reserve bytes of a database page; layout in sqlite_vfs.h. Pages are numbered
// from 1. `page` is kSqlitePageBytes long. `sequence` never gets less, so of two copies of a page
// that are both whole the one with the greater is the newer.
void stamp_sqlite_page(MutableBytes page, std::uint32_t number, std::uint64_t sequence);

// Whether the page is whole and belongs where it was read. One of zeros is not: SQLite reads no
// page that was never written.
bool is_valid_sqlite_page(Bytes page, std::uint32_t number);

// Of a valid page.
std::uint64_t sequence_of_sqlite_page(Bytes page);

// Whether the header at the start of a database file (at least 100 bytes) says that its pages have
// the size and the reserve bytes that stamping needs.
bool has_reserve_for_stamp(Bytes header);

}  // namespace objstore
