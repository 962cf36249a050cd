#include "cmd/ashlar/log.h"

#include <string_view>
#include <utility>

#include <spdlog/pattern_formatter.h>

namespace cmd {

namespace {

// How many bytes the character at the front of `text` has; 0: that is no UTF-8.
std::size_t character_bytes(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text.front());
    if (lead < 0x80) return 1;
    const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return 0;
    for (std::size_t i = 1; i < bytes; ++i) {
        if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return 0;
    }
    const auto second = static_cast<unsigned char>(text[1]);
    const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
    const bool beyond = (lead == 0xed && second > 0x9f) || (lead == 0xf4 && second > 0x8f);
    return overlong || beyond ? 0 : bytes;
}

void append(spdlog::memory_buf_t& out, std::string_view text) {
    out.append(text.data(), text.data() + text.size());
}

// The message, as the inside of a JSON string.
class JsonMessage final : public spdlog::custom_flag_formatter {
public:
    void format(const spdlog::details::log_msg& message,
                const std::tm&,
                spdlog::memory_buf_t& out) override {
        std::string_view rest(message.payload.data(), message.payload.size());
        while (!rest.empty()) {
            const std::size_t bytes = character_bytes(rest);
            const char c = rest.front();
            if (bytes == 0) {
                append(out, "\\ufffd");
            } else if (c == '"' || c == '\\') {
                out.push_back('\\');
                out.push_back(c);
            } else if (static_cast<unsigned char>(c) < 0x20) {
                append(out, "\\u00");
                out.push_back("0123456789abcdef"[c >> 4]);
                out.push_back("0123456789abcdef"[c & 15]);
            } else {
                append(out, rest.substr(0, bytes));
            }
            rest.remove_prefix(bytes == 0 ? 1 : bytes);
        }
    }
    std::unique_ptr<spdlog::custom_flag_formatter> clone() const override {
        return std::make_unique<JsonMessage>();
    }
};

}  // namespace

std::shared_ptr<spdlog::logger> make_logger(const std::string& level,
                                            const std::string& format,
                                            spdlog::sink_ptr sink) {
    auto log = std::make_shared<spdlog::logger>("ashlar", std::move(sink));
    log->set_level(spdlog::level::from_str(level == "warn" ? "warning" : level));
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    if (format == "json") {
        formatter->add_flag<JsonMessage>('*').set_pattern(
            R"({"time":"%Y-%m-%dT%H:%M:%S.%f%z","level":"%l","message":"%*"})");
    } else {
        formatter->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
    }
    log->set_formatter(std::move(formatter));
    return log;
}

}  // namespace cmd
