#include "s3api/xml/reader.h"

#include <algorithm>
#include <charconv>

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

// A reference to no character, such as &#0;: the parser would end the text there, or wrap around.
bool has_bad_reference(std::string_view text) {
    for (std::size_t at = text.find("&#"); at != std::string_view::npos; at = text.find("&#", at)) {
        at += 2;
        const bool hex = at < text.size() && text[at] == 'x';
        const char* const from = text.data() + at + (hex ? 1 : 0);
        const char* const last = text.data() + text.size();
        std::uint32_t character = 0;
        const auto [end, error] = std::from_chars(from, last, character, hex ? 16 : 10);
        if (end == from || end == last || *end != ';') continue;  // no reference at all
        const bool surrogate = character >= 0xd800 && character <= 0xdfff;
        const bool good = error == std::errc() && !surrogate && character <= 0x10ffff;
        if (!good || character == 0) return true;
    }
    return false;
}

// Whether the text may be given to the parser: the nesting that it would recurse into when the
// tree is freed or walked is bounded here, before a node is made.
bool harmless(std::string_view text) {
    if (text.find('\0') != std::string_view::npos) return false;
    int depth = 0;
    std::size_t from = 0;
    for (std::size_t at = text.find('<'); at != std::string_view::npos; at = text.find('<', at)) {
        if (has_bad_reference(text.substr(from, at - from))) return false;
        const Markup markup = scan_markup(text.substr(at));
        if (markup.refused || markup.bytes == 0) return false;
        depth += markup.depth_change;
        if (depth < 0 || depth > static_cast<int>(XmlDocument::kDepthMax)) return false;
        at += markup.bytes;
        from = at;
    }
    return depth == 0;
}

bool is_text(const pugi::xml_node& node) {
    return node.type() == pugi::node_pcdata || node.type() == pugi::node_cdata;
}

bool is_blank(std::string_view text) {
    return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// Gives an element one text, or elements: comments and CDATA cut a text into several nodes, of
// which the first alone would be another key than the one that was meant. False: it has both.
bool gather_text(pugi::xml_node element) {
    std::string text;
    pugi::xml_node first;
    bool parent = false;
    for (pugi::xml_node node = element.first_child(); node;) {
        const pugi::xml_node next = node.next_sibling();
        if (node.type() == pugi::node_element) parent = true;
        if (is_text(node)) {
            text += node.value();
            if (first) {
                element.remove_child(node);
            } else {
                first = node;
            }
        }
        node = next;
    }
    if (!first) return true;
    if (!parent) return first.set_value(text.c_str());
    return is_blank(text) && element.remove_child(first);
}

// As deep as `harmless` allows.
bool gather_all(const pugi::xml_node& element) {
    if (!gather_text(element)) return false;
    for (const pugi::xml_node child : element.children()) {
        if (child.type() == pugi::node_element && !gather_all(child)) return false;
    }
    return true;
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
    // In place: the nodes point into text_. A key may well be a lone space, or end in one: keep it.
    constexpr unsigned kFlags = pugi::parse_default | pugi::parse_ws_pcdata;
    const pugi::xml_parse_result result = document.document_->load_buffer_inplace(
        document.text_->data(), document.text_->size(), kFlags, pugi::encoding_utf8);
    if (!result || !document.root()) return malformed();
    if (!gather_all(document.document_->document_element())) return malformed();
    return document;
}

XmlNode XmlDocument::root() const {
    return XmlNode(document_->document_element().internal_object());
}

}  // namespace s3api
