#include "s3api/ops/object_headers.h"

#include <memory>

#include <doctest/doctest.h>

using namespace s3api;

namespace {

objstore::Inode directory() {
    objstore::Inode inode;
    inode.type = objstore::FileType::directory;
    return inode;
}

const std::string* type_in(const objstore::HeaderList& headers) {
    for (const auto& [name, value] : headers) {
        if (name == "content-type") return &value;
    }
    return nullptr;
}

}  // namespace

TEST_CASE("what is put without a type has the type of S3, whatever its extension") {
    Request request;
    const auto headers = stored_headers(request);
    REQUIRE(headers.ok());
    REQUIRE(type_in(*headers) != nullptr);
    objstore::Inode inode;
    inode.headers = *headers;
    CHECK(shown_type("a/page.html", inode) == "binary/octet-stream");
    request.headers.add({"Content-Type", "text/x"});
    const auto other = stored_headers(request);
    REQUIRE(other.ok());
    CHECK(other->size() == 1);
    CHECK(*type_in(*other) == "text/x");
}

TEST_CASE("a file has the type of the name it is asked for by") {
    const objstore::Inode file;
    CHECK(shown_type("a/page.html", file) == "text/html");
    CHECK(shown_type("a/page.html.tmp", file) == "binary/octet-stream");
    CHECK(shown_type("a.css/", directory()) == "application/x-directory");
}

TEST_CASE("a copy keeps the type that its source was shown with") {
    objstore::ObjectInfo source{.key = "page.html", .inode = std::make_shared<objstore::Inode>()};
    CHECK(*type_in(copied_headers(source)) == "text/html");
    objstore::Inode typed;
    typed.headers = {{"content-type", "text/x"}};
    source.inode = std::make_shared<objstore::Inode>(typed);
    CHECK(copied_headers(source) == typed.headers);
}
