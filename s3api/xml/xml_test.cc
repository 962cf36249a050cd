#include <string>

#include <doctest/doctest.h>

#include "s3api/xml/reader.h"
#include "s3api/xml/writer.h"

using namespace s3api;

namespace {

bool refused(std::string text) {
    const auto document = XmlDocument::parse(std::move(text));
    return !document.ok() && document.error().error() == S3Error::malformed_xml;
}

std::string nested(std::size_t depth) {
    std::string text;
    for (std::size_t i = 0; i < depth; ++i) text += "<a>";
    for (std::size_t i = 0; i < depth; ++i) text += "</a>";
    return text;
}

std::string escaped(std::string_view text) {
    std::string out;
    xml_escape_to(out, text);
    return out;
}

}  // namespace

TEST_CASE("a document is written with its names, numbers and text escaped") {
    XmlWriter xml;
    xml.open("R", XmlWriter::kS3Namespace).element("Name", "a<&>\"'\r\n").element("N", 7);
    xml.element("Big", std::uint64_t{18446744073709551615u}).element("T", true);
    xml.open("Empty").close().quoted("ETag", "abc").close();
    CHECK(std::move(xml).take() ==
          "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
          "<R xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
          "<Name>a&lt;&amp;&gt;&#34;&#39;&#13;\n</Name><N>7</N><Big>18446744073709551615</Big>"
          "<T>true</T><Empty></Empty><ETag>&#34;abc&#34;</ETag></R>");
}

TEST_CASE("what XML cannot carry becomes U+FFFD, one for each byte") {
    const std::string bad = "\xEF\xBF\xBD";
    CHECK(escaped(std::string("a\0b", 3)) == "a" + bad + "b");
    CHECK(escaped("\x01\x1f") == bad + bad);
    CHECK(escaped("\xff\xc3") == bad + bad);            // not UTF-8; cut off
    CHECK(escaped("\xc0\xaf") == bad + bad);            // overlong
    CHECK(escaped("\xed\xa0\x80") == bad + bad + bad);  // a surrogate
    CHECK(escaped("\xef\xbf\xbf") == bad + bad + bad);  // U+FFFF
    CHECK(escaped("\xf4\x90\x80\x80") == bad + bad + bad + bad);
    CHECK(escaped("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80") ==
          "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
}

TEST_CASE("what was written is read back") {
    XmlWriter xml;
    xml.open("Delete").open("Object").element("Key", "a & <b>\r\n é").close().close();
    const auto document = XmlDocument::parse(std::move(xml).take());
    REQUIRE(document.ok());
    CHECK(document->root().name() == "Delete");
    CHECK(document->root().child("Object").child_text("Key") == "a & <b>\r\n é");
    CHECK(!document->root().child("Key"));
    CHECK(!document->root().child_text("Key").has_value());
}

TEST_CASE("names are compared without their prefix and comments are not children") {
    const auto document = XmlDocument::parse(
        "<?xml version='1.0'?><!-- > <x> --><s3:D xmlns:s3='u>'><s3:O><Key><![CDATA[<k>]]></Key>"
        "</s3:O><!-- no --><O/><Quiet>true</Quiet></s3:D>");
    REQUIRE(document.ok());
    CHECK(document->root().name() == "D");
    CHECK(document->root().children("O").size() == 2);
    CHECK(document->root().children().size() == 3);
    CHECK(document->root().child("O").child_text("Key") == "<k>");
}

TEST_CASE("a text of spaces alone is kept, indentation is not") {
    const auto document = XmlDocument::parse("<a>\n  <Key> </Key>\n</a>");
    REQUIRE(document.ok());
    CHECK(document->root().child_text("Key") == " ");
    CHECK(document->root().children().size() == 1);
}

TEST_CASE("a text is all of its pieces, whatever lies between them") {
    const auto document = XmlDocument::parse(
        "<a> <k>a<!-- c -->bc</k> <k>a<![CDATA[<b>]]>c</k> <k>a<?p?> </k> <k> <!-- --> </k>\n"
        "<k><![CDATA[]]>x</k><k>a&amp;<!---->b</k></a>");
    REQUIRE(document.ok());
    std::vector<std::string> keys;
    for (const XmlNode& node : document->root().children("k")) keys.emplace_back(node.text());
    CHECK(keys == std::vector<std::string>{"abc", "a<b>c", "a ", "  ", "x", "a&b"});
}

TEST_CASE("text beside elements is refused") {
    CHECK(refused("<a><k>a<b/>c</k></a>"));
    CHECK(refused("<a><k><b/>c</k></a>"));
    CHECK(refused("<a><k><b/><![CDATA[c]]></k></a>"));
    const auto document = XmlDocument::parse("<a><k> <b/> </k></a>");
    REQUIRE(document.ok());
    CHECK(document->root().child("k").text().empty());
}

TEST_CASE("a reference to no character is refused: it would cut a key short") {
    for (const auto* reference :
         {"&#0;", "&#x0;", "&#000;", "&#4294967296;", "&#x100000000;", "&#xd800;", "&#x110000;"}) {
        CAPTURE(reference);
        CHECK(refused(std::string("<k>a") + reference + "b</k>"));
    }
    const auto document = XmlDocument::parse("<k>&#97;&#x62;&#;&#xg;&amp;#0;</k>");
    REQUIRE(document.ok());
    CHECK(document->root().text() == "ab&#;&#xg;&#0;");
}

TEST_CASE("what is not well formed is refused") {
    for (const char* text : {"",
                             " ",
                             "hello",
                             "<a>",
                             "<a></b>",
                             "<a/><",
                             "</a>",
                             "<a b='></a>",
                             "<a><!-- </a>",
                             "<a></a></a>",
                             "<a></a"}) {
        CAPTURE(text);
        CHECK(refused(text));
    }
    CHECK(refused(std::string("<a>\0</a>", 8)));
}

TEST_CASE("a DOCTYPE is refused, and with it every entity bomb") {
    CHECK(refused("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>"));
    CHECK(refused("<a><!DOCTYPE b></a>"));
    const auto document = XmlDocument::parse("<a>&unknown;&#65;</a>");
    REQUIRE(document.ok());
    CHECK(document->root().text() == "&unknown;A");
}

TEST_CASE("depth and length are bounded") {
    CHECK(XmlDocument::parse(nested(XmlDocument::kDepthMax)).ok());
    CHECK(refused(nested(XmlDocument::kDepthMax + 1)));
    CHECK(refused(nested(200000)));
    CHECK(XmlDocument::parse("<a>1234</a>", 11).ok());
    CHECK(!XmlDocument::parse("<a>12345</a>", 11).ok());
}
