#include "s3api/xml/reader.h"

#include <algorithm>

#include <pugixml.hpp>

namespace s3api {

namespace {

std::string_view local_name(std::string_view name) {
    const std::size_t colon = name.rfind(':');
    return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

S3Status malformed() {
    return S3Error::malformed_xml;
}

// What follows a '<': how many bytes the markup takes and what it does to the depth.
struct Markup {
    std::size_t bytes = 0;  // 0: it does not end
    int depth_change = 0;
    bool refused = false;
};

std::size_t length_through(std::string_view text, std::string_view end) {
    const std::size_t at = text.find(end);
    return at == std::string_view::npos ? 0 : at + end.size();
}

// An opening tag ends at the first '>' outside quotes.
std::size_t tag_bytes(std::string_view text) {
    char quote = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (quote != 0) {
            if (text[i] == quote) quote = 0;
        } else if (text[i] == '"' || text[i] == '\'') {
            quote = text[i];
        } else if (text[i] == '>') {
            return i + 1;
        }
    }
    return 0;
}

Markup scan_markup(std::string_view text) {
    if (text.starts_with("<!--")) return {length_through(text, "-->"), 0};
    if (text.starts_with("<![CDATA[")) return {length_through(text, "]]>"), 0};
    if (text.starts_with("<?")) return {length_through(text, "?>"), 0};
    if (text.starts_with("<!")) return {0, 0, true};  // DOCTYPE and its kind
    if (text.starts_with("</")) return {length_through(text, ">"), -1};
    const std::size_t bytes = tag_bytes(text);
    const bool empty = bytes >= 2 && text[bytes - 2] == '/';
    return {bytes, empty ? 0 : 1};
}

// Whether the text may be given to the parser: the nesting that it would recurse into when the
// tree is freed or walked is bounded here, before a node is made.
bool harmless(std::string_view text) {
    if (text.find('\0') != std::string_view::npos) return false;
    int depth = 0;
    for (std::size_t at = text.find('<'); at != std::string_view::npos; at = text.find('<', at)) {
        const Markup markup = scan_markup(text.substr(at));
        if (markup.refused || markup.bytes == 0) return false;
        depth += markup.depth_change;
        if (depth < 0 || depth > static_cast<int>(XmlDocument::kDepthMax)) return false;
        at += markup.bytes;
    }
    return depth == 0;
}

}  // namespace

std::string_view XmlNode::name() const {
    return local_name(pugi::xml_node(node_).name());
}

std::string_view XmlNode::text() const {
    return pugi::xml_node(node_).child_value();
}

XmlNode XmlNode::child(std::string_view name) const {
    for (pugi::xml_node node = pugi::xml_node(node_).first_child(); node;
         node = node.next_sibling()) {
        if (node.type() == pugi::node_element && local_name(node.name()) == name) {
            return XmlNode(node.internal_object());
        }
    }
    return {};
}

std::vector<XmlNode> XmlNode::children() const {
    std::vector<XmlNode> out;
    for (const pugi::xml_node node : pugi::xml_node(node_).children()) {
        if (node.type() == pugi::node_element) out.emplace_back(node.internal_object());
    }
    return out;
}

std::vector<XmlNode> XmlNode::children(std::string_view name) const {
    std::vector<XmlNode> out = children();
    std::erase_if(out, [&](const XmlNode& node) { return node.name() != name; });
    return out;
}

std::optional<std::string_view> XmlNode::child_text(std::string_view name) const {
    const XmlNode node = child(name);
    if (!node) return std::nullopt;
    return node.text();
}

XmlDocument::XmlDocument()
    : text_(std::make_unique<std::string>()), document_(std::make_unique<pugi::xml_document>()) {}
XmlDocument::XmlDocument(XmlDocument&&) noexcept = default;
XmlDocument& XmlDocument::operator=(XmlDocument&&) noexcept = default;
XmlDocument::~XmlDocument() = default;

S3Result<XmlDocument> XmlDocument::parse(std::string text, std::size_t bytes_max) {
    if (text.size() > bytes_max || !harmless(text)) return malformed();
    XmlDocument document;
    *document.text_ = std::move(text);
    // In place: the nodes point into text_. A key may well be a lone space: keep it.
    constexpr unsigned kFlags = pugi::parse_default | pugi::parse_ws_pcdata_single;
    const pugi::xml_parse_result result = document.document_->load_buffer_inplace(
        document.text_->data(), document.text_->size(), kFlags, pugi::encoding_utf8);
    if (!result || !document.root()) return malformed();
    return document;
}

XmlNode XmlDocument::root() const {
    return XmlNode(document_->document_element().internal_object());
}

}  // namespace s3api
