#include "cmd/ashlar/log.h"

#include <sstream>

#include <doctest/doctest.h>
#include <spdlog/sinks/ostream_sink.h>

using namespace cmd;

namespace {

std::string logged(const std::string& format, std::string_view message) {
    std::ostringstream out;
    make_logger("info", format, std::make_shared<spdlog::sinks::ostream_sink_st>(out))
        ->info("{}", message);
    return out.str();
}

}  // namespace

TEST_CASE("a line of JSON is valid whatever the message holds") {
    const std::string line = logged("json", "path=\"/a\\b\"\n\x01 \xc3\xa9 \xff \xed\xa0\x80 \xf0");
    CHECK(line.ends_with(R"(,"level":"info","message":"path=\"/a\\b\"\u000a\u0001 )"
                         "\xc3\xa9"
                         R"( \ufffd \ufffd\ufffd\ufffd \ufffd"})"
                         "\n"));
    CHECK(line.starts_with(R"({"time":"2)"));
}

TEST_CASE("a line of text holds the message as it is") {
    CHECK(logged("text", "path=\"/a\"").ends_with(" info path=\"/a\"\n"));
}
