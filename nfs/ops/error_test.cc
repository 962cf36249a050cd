#include "nfs/ops/error.h"

#include <doctest/doctest.h>

using namespace nfs;
using objstore::Status;
using objstore::Why;

TEST_CASE("errors are translated by their reason first, then by their code") {
    CHECK(to_nfs({}) == NfsStatus::ok);
    CHECK(to_nfs(Status::not_found("x")) == NfsStatus::noent);
    CHECK(to_nfs(Status::not_found("x", Why::stale)) == NfsStatus::stale);
    CHECK(to_nfs(Status::already_exists("x")) == NfsStatus::exist);
    CHECK(to_nfs(Status::conflict("x", Why::not_empty)) == NfsStatus::notempty);
    CHECK(to_nfs(Status::conflict("x", Why::is_directory)) == NfsStatus::isdir);
    CHECK(to_nfs(Status::conflict("x", Why::not_directory)) == NfsStatus::notdir);
    CHECK(to_nfs(Status::conflict("x", Why::precondition)) == NfsStatus::not_sync);
    CHECK(to_nfs(Status::conflict("x", Why::too_many_links)) == NfsStatus::mlink);
    CHECK(to_nfs(Status::unsupported("x", Why::cross_bucket)) == NfsStatus::xdev);
    CHECK(to_nfs(Status::unsupported("x")) == NfsStatus::notsupp);
    CHECK(to_nfs(Status::permission_denied("x")) == NfsStatus::acces);
    CHECK(to_nfs(Status::permission_denied("x", Why::not_permitted)) == NfsStatus::perm);
    CHECK(to_nfs(Status::io_error("x", Why::outcome_unknown)) == NfsStatus::io);
    CHECK(to_nfs(Status::timed_out("x")) == NfsStatus::jukebox);
}

TEST_CASE("clients wait for what is busy, and are told of what is missing") {
    CHECK(to_nfs(Status::unavailable("x", Why::busy)) == NfsStatus::jukebox);
    CHECK(to_nfs(Status::unavailable("x", Why::read_only)) == NfsStatus::io);
    CHECK(to_nfs(Status::unavailable("x")) == NfsStatus::io);
}
