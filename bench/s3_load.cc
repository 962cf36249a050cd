// A lean S3 load generator: one thread, many connections, little CPU of its own.
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench/report.h"
#include "bench/s3_connection.h"
#include "bench/s3_work.h"

namespace {

using bench::S3Connection;
using bench::S3Outcome;
using bench::S3Request;
using bench::S3Work;
using bench::S3WorkKind;
using Clock = S3Connection::Clock;

struct Options {
    bench::S3WorkOptions work{.endpoint = "127.0.0.1:9000", .bucket = "bench", .prefix = "o"};
    std::string work_name;
    std::size_t clients = 1;
    double seconds = 5;
};

const std::map<std::string, S3WorkKind> kWorks{{"put", S3WorkKind::put},
                                               {"get", S3WorkKind::get},
                                               {"head", S3WorkKind::head},
                                               {"delete", S3WorkKind::remove},
                                               {"list", S3WorkKind::list},
                                               {"multipart", S3WorkKind::multipart}};

class Load final {
public:
    explicit Load(const Options& options)
        : options_(options), work_(options.work, options.clients) {}

    bench::Report run() {
        const std::string& endpoint = options_.work.endpoint;
        const std::size_t colon = endpoint.rfind(':');
        for (std::size_t i = 0; i < options_.clients; ++i) {
            connections_.push_back(std::make_unique<S3Connection>(endpoint.substr(0, colon),
                                                                  endpoint.substr(colon + 1)));
        }
        events_.resize(connections_.size());
        epoll_ = epoll_create1(EPOLL_CLOEXEC);
        make_bucket();
        const double client_cpu_before = bench::own_cpu_seconds();
        const auto begin = Clock::now();
        end_ = begin + std::chrono::duration_cast<Clock::duration>(
                           std::chrono::duration<double>(options_.seconds));
        for (std::size_t i = 0; i < connections_.size(); ++i) start(i, EPOLL_CTL_ADD);
        while (active_ > 0) wait();
        report_.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
        report_.client_cpu_seconds = bench::own_cpu_seconds() - client_cpu_before;
        report_.work = fmt::format(
            "{} {} B x{}", options_.work_name, options_.work.size_bytes, options_.clients);
        close(epoll_);
        return std::move(report_);
    }

private:
    void make_bucket() {
        S3Connection& c = *connections_.front();
        c.start(work_.create_bucket());
        while (!c.done()) {
            if (!c.on_writable() || !c.on_readable()) throw std::runtime_error("connection lost");
        }
        const bench::HttpResponse& response = c.response();
        if (response.status() != 200 && response.status() != 409) {
            throw std::runtime_error(response.body());
        }
    }

    void start(std::size_t i, int how) {
        S3Connection& c = *connections_[i];
        std::optional<S3Request> request;
        if (Clock::now() < end_) request = work_.next(i);
        if (!request.has_value()) {
            if (how == EPOLL_CTL_MOD) --active_;
            return;
        }
        if (how == EPOLL_CTL_ADD) ++active_;
        c.start(std::move(*request));
        if (!c.on_writable()) return broken();
        wait_for(i, how, EPOLLIN | (c.wants_write() ? EPOLLOUT : 0U));
    }

    void wait_for(std::size_t i, int how, std::uint32_t events) {
        if (how == EPOLL_CTL_MOD && events == events_[i]) return;
        epoll_event event{.events = events, .data = {.u64 = i}};
        epoll_ctl(epoll_, how, connections_[i]->fd(), &event);
        events_[i] = events;
    }

    void wait() {
        epoll_event ready[64];
        const int count = epoll_wait(epoll_, ready, 64, 30000);
        if (count == 0) throw std::runtime_error("no answer for 30 s");
        for (int n = 0; n < count; ++n) {
            const auto i = static_cast<std::size_t>(ready[n].data.u64);
            S3Connection& c = *connections_[i];
            if ((ready[n].events & EPOLLOUT) != 0) {
                if (!c.on_writable()) broken();
                if (!c.wants_write()) wait_for(i, EPOLL_CTL_MOD, EPOLLIN);
            }
            if ((ready[n].events & ~EPOLLOUT) != 0 && !c.on_readable()) broken();
            if (c.done()) finish(i);
        }
    }

    void finish(std::size_t i) {
        const S3Connection& c = *connections_[i];
        const bench::HttpResponse& response = c.response();
        if (response.status() >= 300) {
            ++report_.operations;
            if (report_.errors++ == 0) {
                fmt::print(stderr, "{}: {}\n", response.status(), response.body());
            }
            // A step of an upload that failed would only be followed by more of the same.
            if (options_.work.kind == S3WorkKind::multipart) end_ = Clock::now();
            return start(i, EPOLL_CTL_MOD);
        }
        const auto since = [&](Clock::time_point t) {
            return std::chrono::duration<float, std::micro>(t - c.started()).count();
        };
        const S3Outcome outcome = work_.take(i, response);
        if (outcome.counts) {
            ++report_.operations;
            report_.latencies.push_back(since(Clock::now()));
            report_.first_bytes.push_back(since(c.first_byte()));
        }
        report_.bytes += outcome.bytes;
        report_.keys += outcome.keys;
        start(i, EPOLL_CTL_MOD);
    }

    [[noreturn]] static void broken() { throw std::runtime_error("the server cut the connection"); }

    const Options& options_;
    S3Work work_;
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
    bench::S3WorkOptions& work = options.work;
    CLI::App app("Load an S3 server and print one line of JSON.");
    app.add_option("work", options.work_name, "put, get, head, delete, list or multipart")
        ->required()
        ->check(CLI::IsMember(&kWorks));
    app.add_option("--endpoint", work.endpoint)->capture_default_str();
    app.add_option("--access-key", work.access_key)->envname("ASHLAR_ACCESS_KEY");
    app.add_option("--secret-key", work.secret_key)->envname("ASHLAR_SECRET_KEY");
    app.add_option("--bucket", work.bucket)->capture_default_str();
    app.add_option("--prefix", work.prefix, "Of keys: PREFIX00000000 and on")
        ->capture_default_str();
    app.add_option("--size", work.size_bytes, "Bytes of an object, or of a part")
        ->capture_default_str();
    app.add_option("--clients", options.clients)->capture_default_str();
    app.add_option("--seconds", options.seconds)->capture_default_str();
    app.add_option("--objects", work.objects, "How many there are, or are to be");
    app.add_option("--parts", work.parts, "Of an upload")->capture_default_str();
    app.add_option("--directories", work.directories, "Spread keys over PREFIX0/, PREFIX1/, ...");
    app.add_option("--chunk", work.chunk_bytes, "Put in signed chunks of so many bytes");
    app.add_flag("--unsigned", work.unsigned_payload, "UNSIGNED-PAYLOAD");
    CLI11_PARSE(app, argc, argv);
    work.kind = kWorks.at(options.work_name);
    if ((work.kind == S3WorkKind::get || work.kind == S3WorkKind::head) && work.objects == 0) {
        fmt::print(stderr, "s3_load: say with --objects how many there are to read\n");
        return 2;
    }
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
