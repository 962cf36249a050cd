#include "objstore/meta/sqlite_page_cache.h"

#include <algorithm>
#include <memory>
#include <new>

#include <sqlite3.h>

#include "objstore/meta/sqlite_vfs.h"

namespace objstore {

namespace {

// The page of the lock bytes at 1 GiB, which no database uses. SQLite gives its number to a page
// for a moment when it puts the pages of a split in order, and takes it for the end ever after.
constexpr unsigned kLockPage = (1U << 30U) / kSqlitePageBytes + 1;

sqlite3_pcache_methods2 own;  // SQLite's

struct Cache {
    sqlite3_pcache* pages;
    unsigned highest = 0;    // no page but a parked one has a higher number
    bool is_parked = false;  // a page has the number of the lock bytes
};

Cache& from(sqlite3_pcache* cache) {
    return *reinterpret_cast<Cache*>(cache);
}

int start(void*) noexcept {
    return own.xInit(own.pArg);
}

void stop(void*) noexcept {
    own.xShutdown(own.pArg);
}

sqlite3_pcache* create(int page_bytes, int extra_bytes, int purgeable) noexcept {
    std::unique_ptr<Cache> cache(new (std::nothrow) Cache{});
    if (cache == nullptr) return nullptr;
    cache->pages = own.xCreate(page_bytes, extra_bytes, purgeable);
    if (cache->pages == nullptr) return nullptr;
    return reinterpret_cast<sqlite3_pcache*>(cache.release());
}

void set_size(sqlite3_pcache* cache, int pages) noexcept {
    own.xCachesize(from(cache).pages, pages);
}

int count(sqlite3_pcache* cache) noexcept {
    return own.xPagecount(from(cache).pages);
}

sqlite3_pcache_page* fetch(sqlite3_pcache* cache, unsigned number, int may_create) noexcept {
    Cache& self = from(cache);
    sqlite3_pcache_page* const page = own.xFetch(self.pages, number, may_create);
    if (page != nullptr && may_create != 0) self.highest = std::max(self.highest, number);
    return page;
}

void unpin(sqlite3_pcache* cache, sqlite3_pcache_page* page, int discard) noexcept {
    own.xUnpin(from(cache).pages, page, discard);
}

void renumber(sqlite3_pcache* cache,
              sqlite3_pcache_page* page,
              unsigned before,
              unsigned now) noexcept {
    Cache& self = from(cache);
    own.xRekey(self.pages, page, before, now);
    if (before == kLockPage) self.is_parked = false;
    if (now == kLockPage) {
        self.is_parked = true;
    } else {
        self.highest = std::max(self.highest, now);
    }
}

// Drops all pages from `limit` on.
void truncate(sqlite3_pcache* cache, unsigned limit) noexcept {
    Cache& self = from(cache);
    if (!self.is_parked && self.highest < limit) return;
    own.xTruncate(self.pages, limit);
    self.highest = limit == 0 ? 0 : limit - 1;
    self.is_parked = self.is_parked && limit > kLockPage;
}

void destroy(sqlite3_pcache* cache) noexcept {
    const std::unique_ptr<Cache> self(&from(cache));
    own.xDestroy(self->pages);
}

void shrink(sqlite3_pcache* cache) noexcept {
    own.xShrink(from(cache).pages);
}

bool install() {
    if (sqlite3_config(SQLITE_CONFIG_GETPCACHE2, &own) != SQLITE_OK) return false;
    sqlite3_pcache_methods2 methods{};
    methods.iVersion = 1;
    methods.xInit = start;
    methods.xShutdown = stop;
    methods.xCreate = create;
    methods.xCachesize = set_size;
    methods.xPagecount = count;
    methods.xFetch = fetch;
    methods.xUnpin = unpin;
    methods.xRekey = renumber;
    methods.xTruncate = truncate;
    methods.xDestroy = destroy;
    methods.xShrink = shrink;
    return sqlite3_config(SQLITE_CONFIG_PCACHE2, &methods) == SQLITE_OK;
}

}  // namespace

bool use_sqlite_page_cache() {
    static const bool installed = install();
    return installed;
}

}  // namespace objstore
