#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "s3api/base/error.h"

namespace pugi {
class xml_document;
struct xml_node_struct;
}  // namespace pugi

namespace s3api {

// One element of a document; refers into it. Names are compared without their namespace prefix.
class XmlNode final {
public:
    XmlNode() = default;
    explicit XmlNode(pugi::xml_node_struct* node) : node_(node) {}

    explicit operator bool() const { return node_ != nullptr; }
    std::string_view name() const;
    std::string_view text()
        const;  // all of it, entities and CDATA resolved; empty when it has none
    XmlNode child(std::string_view name) const;  // the first; absent: a false node
    std::vector<XmlNode> children() const;       // elements alone
    std::vector<XmlNode> children(std::string_view name) const;
    // The text of a child, nothing when there is no such child.
    std::optional<std::string_view> child_text(std::string_view name) const;

private:
    pugi::xml_node_struct* node_ = nullptr;
};

// A parsed document. Owns its text and nodes. Moves, never copies.
class XmlDocument final {
public:
    static constexpr std::size_t kBytesMax = 1 << 20;
    static constexpr std::size_t kDepthMax = 20;

    // malformed_xml: not well formed, empty, deeper than kDepthMax, longer than `bytes_max`, with
    // text beside elements, or with a DOCTYPE (so no entities but the five of XML and character
    // references).
    static S3Result<XmlDocument> parse(std::string text, std::size_t bytes_max = kBytesMax);

    XmlDocument(XmlDocument&&) noexcept;
    XmlDocument& operator=(XmlDocument&&) noexcept;
    ~XmlDocument();

    XmlNode root() const;

private:
    XmlDocument();
    std::unique_ptr<std::string> text_;
    std::unique_ptr<pugi::xml_document> document_;
};

}  // namespace s3api
