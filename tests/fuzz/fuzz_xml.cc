#include <cstdint>
#include <string>
#include <string_view>

#include "objstore/base/assert.h"
#include "s3api/xml/reader.h"
#include "s3api/xml/writer.h"

using namespace s3api;

namespace {

std::size_t walk(const XmlNode& node, std::size_t depth) {
    ASSERT(depth <= XmlDocument::kDepthMax);
    std::size_t bytes = node.name().size() + node.text().size();
    for (const XmlNode& child : node.children()) bytes += walk(child, depth + 1);
    return bytes;
}

}  // namespace

// A document from a client is read or refused; any text at all can be written and read back.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto document = XmlDocument::parse(text);
    if (document.ok()) (void)walk(document->root(), 1);

    XmlWriter xml;
    xml.open("A").element("B", text).close();
    const auto written = XmlDocument::parse(std::move(xml).take());
    ASSERT(written.ok());
    // Once replaced, what XML cannot carry stays as it is.
    const std::string carried(written->root().child_text("B").value_or(""));
    XmlWriter again;
    again.open("A").element("B", carried).close();
    const auto reread = XmlDocument::parse(std::move(again).take());
    ASSERT(reread.ok());
    ASSERT(reread->root().child_text("B").value_or("") == carried);
    return 0;
}
