// A lean S3 load generator: one thread, many connections, little CPU of its own.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <random>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench/report.h"
#include "bench/s3_connection.h"
#include "bench/signer.h"

namespace {

using bench::S3Connection;
using Clock = S3Connection::Clock;

struct Options {
    std::string endpoint = "127.0.0.1:9000";
    std::string access_key;
    std::string secret_key;
    std::string bucket = "bench";
    std::string prefix = "o";
    std::string work = "put";
    std::uint64_t size = 4096;
    std::size_t clients = 1;
    double seconds = 5;
    std::uint64_t objects = 0;  // put and delete: stop after so many; get, head: choose among them
    bool unsigned_payload = false;
};

// Makes the requests of one kind of work, one after another.
class Work final {
public:
    explicit Work(const Options& options)
        : options_(options),
          signer_(options.endpoint, options.access_key, options.secret_key),
          body_(make_body(options.size)),
          payload_hash_(options.unsigned_payload ? "UNSIGNED-PAYLOAD" : bench::sha256_hex(body_)) {}

    bool is_put() const { return options_.work == "put"; }
    bool is_list() const { return options_.work == "list"; }
    std::string_view body() const { return is_put() ? std::string_view(body_) : ""; }

    // The head of the next request; empty when there is none left.
    std::string next(std::size_t client) {
        if (is_list()) return list(client);
        const bool counts = is_put() || options_.work == "delete";
        if (counts && options_.objects != 0 && next_ >= options_.objects) return {};
        const std::uint64_t number = counts ? next_++ : random_() % options_.objects;
        const char* method = is_put()                  ? "PUT"
                             : options_.work == "get"  ? "GET"
                             : options_.work == "head" ? "HEAD"
                                                       : "DELETE";
        const std::string path =
            fmt::format("/{}/{}{:08}", options_.bucket, options_.prefix, number);
        return head(method, path, "", is_put() ? payload_hash_ : kEmptyHash);
    }

    // Where the listing of this client goes on; from the start again at its end.
    std::uint64_t take_listing(std::size_t client, const std::string& xml) {
        std::uint64_t keys = 0;
        for (std::size_t at = xml.find("<Key>"); at != std::string::npos;
             at = xml.find("<Key>", at + 5)) {
            ++keys;
        }
        constexpr std::string_view kNext = "<NextContinuationToken>";
        const std::size_t begin = xml.find(kNext);
        tokens_.resize(std::max(tokens_.size(), client + 1));
        tokens_[client].clear();
        if (begin != std::string::npos) {
            const std::size_t from = begin + kNext.size();
            tokens_[client] = xml.substr(from, xml.find('<', from) - from);
        }
        return keys;
    }

    std::string create_bucket() { return head("PUT", "/" + options_.bucket, "", kEmptyHash); }

private:
    static constexpr const char* kEmptyHash =
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    static std::string make_body(std::uint64_t size) {
        std::string body(size, '\0');
        std::mt19937_64 random(42);
        for (char& c : body) c = static_cast<char>(random());
        return body;
    }

    static std::string encode(const std::string& token) {
        std::string out;
        for (const char c : token) {
            const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                               (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '_';
            out +=
                plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
        return out;
    }

    std::string list(std::size_t client) {
        std::string query;
        if (client < tokens_.size() && !tokens_[client].empty()) {
            query = "continuation-token=" + encode(tokens_[client]) + "&";
        }
        return head("GET", "/" + options_.bucket, query + "list-type=2", kEmptyHash);
    }

    std::string head(std::string_view method,
                     std::string_view path,
                     std::string_view query,
                     std::string_view hash) {
        const std::string target =
            query.empty() ? std::string(path) : fmt::format("{}?{}", path, query);
        const bool has_body = method == "PUT" && hash != kEmptyHash;
        return fmt::format("{} {} HTTP/1.1\r\n{}Content-Length: {}\r\n\r\n",
                           method,
                           target,
                           signer_.headers({method, path, query, hash}),
                           has_body ? body_.size() : 0);
    }

    const Options& options_;
    bench::Signer signer_;
    const std::string body_;
    const std::string payload_hash_;
    std::uint64_t next_ = 0;
    std::mt19937_64 random_{7};
    std::vector<std::string> tokens_;
};

class Load final {
public:
    explicit Load(const Options& options) : options_(options), work_(options) {}

    bench::Report run() {
        const std::size_t colon = options_.endpoint.rfind(':');
        for (std::size_t i = 0; i < options_.clients; ++i) {
            connections_.push_back(std::make_unique<S3Connection>(
                options_.endpoint.substr(0, colon), options_.endpoint.substr(colon + 1)));
        }
        epoll_ = epoll_create1(EPOLL_CLOEXEC);
        make_bucket();
        const auto begin = Clock::now();
        end_ = begin + std::chrono::duration_cast<Clock::duration>(
                           std::chrono::duration<double>(options_.seconds));
        for (std::size_t i = 0; i < connections_.size(); ++i) start(i, EPOLL_CTL_ADD);
        while (active_ > 0) wait();
        report_.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
        report_.work = fmt::format("{} {} B x{}", options_.work, options_.size, options_.clients);
        close(epoll_);
        return std::move(report_);
    }

private:
    void make_bucket() {
        S3Connection& c = *connections_.front();
        c.start(work_.create_bucket(), "", true);
        while (!c.done()) {
            if (!c.on_writable() || !c.on_readable()) throw std::runtime_error("connection lost");
        }
        if (c.status() != 200 && c.status() != 409) throw std::runtime_error(c.kept_body());
    }

    void start(std::size_t i, int how) {
        S3Connection& c = *connections_[i];
        std::string head = Clock::now() < end_ ? work_.next(i) : std::string();
        if (head.empty()) {
            if (how == EPOLL_CTL_MOD) --active_;
            return;
        }
        if (how == EPOLL_CTL_ADD) ++active_;
        c.start(std::move(head), work_.body(), work_.is_list());
        if (!c.on_writable()) return broken();
        epoll_event event{};
        event.events = EPOLLIN | (c.wants_write() ? EPOLLOUT : 0U);
        event.data.u64 = i;
        if (how == EPOLL_CTL_ADD || event.events != events_[i]) {
            epoll_ctl(epoll_, how, c.fd(), &event);
        }
        events_.resize(std::max(events_.size(), i + 1));
        events_[i] = event.events;
    }

    void wait() {
        epoll_event ready[64];
        const int count = epoll_wait(epoll_, ready, 64, 10000);
        if (count == 0) throw std::runtime_error("no answer for 10 s");
        for (int n = 0; n < count; ++n) {
            const auto i = static_cast<std::size_t>(ready[n].data.u64);
            S3Connection& c = *connections_[i];
            if ((ready[n].events & EPOLLOUT) != 0 && !c.on_writable()) broken();
            if ((ready[n].events & EPOLLIN) != 0 && !c.on_readable()) broken();
            if ((ready[n].events & EPOLLOUT) != 0 && !c.wants_write()) {
                epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
                events_[i] = EPOLLIN;
                epoll_ctl(epoll_, EPOLL_CTL_MOD, c.fd(), &event);
            }
            if (c.done()) finish(i);
        }
    }

    void finish(std::size_t i) {
        const S3Connection& c = *connections_[i];
        const auto since = [&](Clock::time_point t) {
            return std::chrono::duration<float, std::micro>(t - c.started()).count();
        };
        ++report_.operations;
        report_.latencies.push_back(since(Clock::now()));
        report_.first_bytes.push_back(since(c.first_byte()));
        report_.bytes += work_.is_put() ? options_.size : c.body_bytes();
        if (c.status() >= 300) {
            if (report_.errors++ == 0) fmt::print(stderr, "{}: {}\n", c.status(), c.kept_body());
        } else if (work_.is_list()) {
            report_.keys += work_.take_listing(i, c.kept_body());
        }
        start(i, EPOLL_CTL_MOD);
    }

    [[noreturn]] static void broken() { throw std::runtime_error("the server cut the connection"); }

    const Options& options_;
    Work work_;
    std::vector<std::unique_ptr<S3Connection>> connections_;
    std::vector<std::uint32_t> events_;
    int epoll_ = -1;
    std::size_t active_ = 0;
    Clock::time_point end_;
    bench::Report report_;
};

}  // namespace

int main(int argc, char** argv) {
    Options options;
    CLI::App app("Load an S3 server and print one line of JSON.");
    app.add_option("work", options.work, "put, get, head, delete or list")->required();
    app.add_option("--endpoint", options.endpoint)->capture_default_str();
    app.add_option("--access-key", options.access_key)->envname("ASHLAR_ACCESS_KEY");
    app.add_option("--secret-key", options.secret_key)->envname("ASHLAR_SECRET_KEY");
    app.add_option("--bucket", options.bucket)->capture_default_str();
    app.add_option("--prefix", options.prefix, "Of keys: PREFIX00000000 and on");
    app.add_option("--size", options.size, "Bytes of an object");
    app.add_option("--clients", options.clients);
    app.add_option("--seconds", options.seconds);
    app.add_option("--objects", options.objects, "How many there are, or are to be");
    app.add_flag("--unsigned", options.unsigned_payload, "UNSIGNED-PAYLOAD");
    CLI11_PARSE(app, argc, argv);
    try {
        Load load(options);
        const bench::Report report = load.run();
        std::puts(bench::to_json(report).c_str());
        return report.errors == 0 ? 0 : 1;
    } catch (const std::exception& e) {
        fmt::print(stderr, "s3_load: {}\n", e.what());
        return 1;
    }
}
