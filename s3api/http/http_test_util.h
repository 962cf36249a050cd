#pragma once

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

#include "s3api/base/uri.h"

namespace s3api {

inline std::shared_ptr<spdlog::logger> quiet_logger() {
    return std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::null_sink_mt>());
}

struct TestResponse {
    int status = 0;  // 0: the connection ended first
    std::string head;
    std::string body;
    bool cut_short = false;

    std::string header(std::string_view name) const {
        std::string_view rest = head;
        while (!rest.empty()) {
            const std::size_t end = std::min(rest.find("\r\n"), rest.size());
            const std::string_view line = rest.substr(0, end);
            const std::size_t colon = std::min(line.find(": "), line.size());
            if (equals_ignoring_case(line.substr(0, colon), name) && colon < line.size()) {
                return std::string(line.substr(colon + 2));
            }
            rest.remove_prefix(std::min(end + 2, rest.size()));
        }
        return {};
    }
};

// A client that sends exactly what it is told to, and blocks.
class TestClient {
public:
    explicit TestClient(const std::string& address) {
        const auto port = std::stoi(address.substr(address.rfind(':') + 1));
        socket_.connect(
            {boost::asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(port)});
    }

    // False: the server has closed.
    bool send(std::string_view text) {
        boost::system::error_code error;
        boost::asio::write(socket_, boost::asio::buffer(text), error);
        return !error;
    }
    TestResponse receive(bool head_only = false) {
        TestResponse out;
        while (held_.find("\r\n\r\n") == std::string::npos) {
            if (!more()) return out;
        }
        const std::size_t end = held_.find("\r\n\r\n");
        out.head = held_.substr(0, end);
        held_.erase(0, end + 4);
        out.status = std::atoi(out.head.c_str() + 9);
        if (head_only || out.status == 100 || out.status == 204 || out.status == 304) return out;
        if (out.header("Transfer-Encoding") == "chunked") {
            receive_chunks(out);
        } else {
            const std::string length = out.header("Content-Length");
            out.body = take(length.empty() ? std::string::npos : std::stoull(length), out);
        }
        return out;
    }
    TestResponse ask(std::string_view request, bool head_only = false) {
        send(request);
        return receive(head_only);
    }
    // What has come by the time that `text` has, past a head; it stays to be received.
    std::string peek_until(std::string_view text) {
        std::size_t head = 0;
        while ((head = held_.find("\r\n\r\n")) == std::string::npos ||
               held_.find(text, head) == std::string::npos) {
            if (!more()) break;
        }
        return held_;
    }
    bool at_end() { return held_.empty() && !more(); }
    void close() { socket_.close(); }
    void shut_send() { socket_.shutdown(boost::asio::ip::tcp::socket::shutdown_send); }

private:
    bool more() {
        char buffer[65536];
        boost::system::error_code error;
        const std::size_t bytes = socket_.read_some(boost::asio::buffer(buffer), error);
        held_.append(buffer, bytes);
        return !error;
    }
    std::string take(std::size_t bytes, TestResponse& out) {
        while (held_.size() < bytes && more()) {
        }
        out.cut_short = held_.size() < bytes && bytes != std::string::npos;
        std::string text = held_.substr(0, bytes);
        held_.erase(0, text.size());
        return text;
    }
    void receive_chunks(TestResponse& out) {
        while (!out.cut_short) {
            while (held_.find("\r\n") == std::string::npos) {
                if (!more()) {
                    out.cut_short = true;
                    return;
                }
            }
            const std::size_t size = std::stoull(held_, nullptr, 16);
            held_.erase(0, held_.find("\r\n") + 2);
            out.body += take(size, out);
            if (take(2, out) != "\r\n") out.cut_short = true;
            if (size == 0) return;
        }
    }

    boost::asio::io_context context_;
    boost::asio::ip::tcp::socket socket_{context_};
    std::string held_;
};

}  // namespace s3api
