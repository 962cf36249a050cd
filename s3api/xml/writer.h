#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace s3api {

// Appends `text` with & < > " ' and carriage returns escaped. What XML 1.0 cannot carry, and bytes
// that are not UTF-8, become U+FFFD.
void xml_escape_to(std::string& out, std::string_view text);

// Writes one XML document into a string. Names are ours and must be static text.
//
//     XmlWriter xml;
//     xml.open("ListBucketResult", kS3Namespace).element("Name", bucket).close();
//     return Response::xml(std::move(xml).take());
class XmlWriter final {
public:
    static constexpr std::string_view kS3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/";
    static constexpr std::string_view kDeclaration = R"(<?xml version="1.0" encoding="UTF-8"?>)"
                                                     "\n";

    explicit XmlWriter(std::size_t reserve_bytes = 1024);

    XmlWriter& open(std::string_view name);
    XmlWriter& open(std::string_view name, std::string_view xmlns);
    XmlWriter& close();  // the innermost open element
    XmlWriter& element(std::string_view name, std::string_view text);
    XmlWriter& element(std::string_view name, const char* text) {
        return element(name, std::string_view(text));
    }
    XmlWriter& element(std::string_view name, std::uint64_t value);
    XmlWriter& element(std::string_view name, int value);
    XmlWriter& element(std::string_view name, bool value);            // true, false
    XmlWriter& quoted(std::string_view name, std::string_view text);  // "text", as ETags are

    std::size_t size_bytes() const { return out_.size(); }
    // The document. All elements must be closed.
    std::string take() &&;

private:
    std::string out_;
    std::vector<std::string_view> open_;
};

}  // namespace s3api
