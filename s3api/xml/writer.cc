#include "s3api/xml/writer.h"

#include <array>
#include <charconv>

#include "objstore/base/assert.h"

namespace s3api {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// Bytes that stand for themselves: printable ASCII less the five with a meaning, tab and newline.
constexpr std::array<bool, 256> plain_table() {
    std::array<bool, 256> table{};
    for (std::size_t c = 0x20; c < 0x7f; ++c) table[c] = true;
    for (const unsigned char c : {'&', '<', '>', '"', '\''}) table[c] = false;
    table['\t'] = table['\n'] = true;
    return table;
}
constexpr auto kPlain = plain_table();

std::uint32_t byte_at(std::string_view text, std::size_t i) {
    return static_cast<unsigned char>(text[i]);
}

// The length of the valid UTF-8 sequence at `i` that XML can carry, 0 when there is none.
std::size_t sequence_bytes(std::string_view text, std::size_t i) {
    const std::uint32_t first = byte_at(text, i);
    if (first < 0xC2 || first > 0xF4) return 0;
    const std::size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (text.size() - i < length) return 0;
    std::uint32_t point = first & (0x7Fu >> length);
    for (std::size_t k = 1; k < length; ++k) {
        const std::uint32_t next = byte_at(text, i + k);
        if ((next & 0xC0) != 0x80) return 0;
        point = point << 6 | (next & 0x3F);
    }
    const bool too_long = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
    const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
    if (too_long || surrogate || point > 0x10FFFF || point == 0xFFFE || point == 0xFFFF) return 0;
    return length;
}

void escape_one_to(std::string& out, char c) {
    switch (c) {
        case '&':
            out += "&amp;";
            break;
        case '<':
            out += "&lt;";
            break;
        case '>':
            out += "&gt;";
            break;
        case '"':
            out += "&#34;";
            break;
        case '\'':
            out += "&#39;";
            break;
        case '\r':
            out += "&#13;";  // A parser would turn a bare one into a newline.
            break;
        case '\x7f':
            out.push_back(c);
            break;
        default:
            out += kReplacement;
    }
}

}  // namespace

void xml_escape_to(std::string& out, std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        std::size_t run = i;
        while (run < text.size() && kPlain[byte_at(text, run)]) ++run;
        out.append(text, i, run - i);
        if ((i = run) == text.size()) return;
        if (byte_at(text, i) < 0x80) {
            escape_one_to(out, text[i++]);
        } else if (const std::size_t length = sequence_bytes(text, i); length > 0) {
            out.append(text, i, length);
            i += length;
        } else {
            out += kReplacement;
            ++i;
        }
    }
}

XmlWriter::XmlWriter(std::size_t reserve_bytes) {
    out_.reserve(reserve_bytes);
    out_ += kDeclaration;
}

XmlWriter& XmlWriter::open(std::string_view name) {
    out_.push_back('<');
    out_ += name;
    out_.push_back('>');
    open_.push_back(name);
    return *this;
}

XmlWriter& XmlWriter::open(std::string_view name, std::string_view xmlns) {
    out_.push_back('<');
    out_ += name;
    out_ += " xmlns=\"";
    out_ += xmlns;
    out_ += "\">";
    open_.push_back(name);
    return *this;
}

XmlWriter& XmlWriter::close() {
    ASSERT(!open_.empty());
    out_ += "</";
    out_ += open_.back();
    out_.push_back('>');
    open_.pop_back();
    return *this;
}

XmlWriter& XmlWriter::element(std::string_view name, std::string_view text) {
    open(name);
    xml_escape_to(out_, text);
    return close();
}

XmlWriter& XmlWriter::element(std::string_view name, std::uint64_t value) {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    return element(name, std::string_view(digits.data(), end));
}

XmlWriter& XmlWriter::element(std::string_view name, int value) {
    std::array<char, 16> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    return element(name, std::string_view(digits.data(), end));
}

XmlWriter& XmlWriter::element(std::string_view name, bool value) {
    return element(name, value ? std::string_view("true") : std::string_view("false"));
}

XmlWriter& XmlWriter::quoted(std::string_view name, std::string_view text) {
    open(name);
    out_ += "&#34;";
    xml_escape_to(out_, text);
    out_ += "&#34;";
    return close();
}

std::string XmlWriter::take() && {
    ASSERT(open_.empty());
    return std::move(out_);
}

}  // namespace s3api
