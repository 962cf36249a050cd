#pragma once

namespace objstore {

// Makes SQLite's page cache end transactions in no time: where its own looks through all pages for
// some past the end of the database at each commit that has split a page, this one knows that there
// are none. For the whole process, before SQLite is first used; later calls change nothing.
// False: something else had used SQLite before, so that it keeps its own. Threads: any.
// Interface: sqlite3_pcache_methods2, https://www.sqlite.org/c3ref/pcache_methods2.html
bool use_sqlite_page_cache();

}  // namespace objstore
