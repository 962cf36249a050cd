// A lean NFSv3 load generator: one thread, some connections, a fixed number of calls under way on
// each.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <deque>
#include <memory>
#include <stdexcept>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <poll.h>

#include "bench/nfs_connection.h"
#include "bench/report.h"

namespace {

using bench::NfsConnection;
using Clock = std::chrono::steady_clock;

struct Options {
    std::string work;
    std::string host = "127.0.0.1";
    int port = 2049;
    int mount_port = 0;  // 0: the same
    std::string path = "/";
    std::string file;
    std::uint32_t size_bytes = 1 << 20;  // of a READ
    std::size_t clients = 1;
    std::size_t depth = 8;
    double seconds = 5;
};

class Load final {
public:
    explicit Load(const Options& options) : options_(options) {}

    bench::Report run() {
        open();
        const double client_cpu_before = bench::own_cpu_seconds();
        const auto begin = Clock::now();
        end_ = begin + std::chrono::duration_cast<Clock::duration>(
                           std::chrono::duration<double>(options_.seconds));
        for (const auto& client : clients_) {
            for (std::size_t i = 0; i < options_.depth; ++i) start(*client, slot_of(*client));
        }
        while (under_way_ > 0) wait();
        report_.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
        report_.client_cpu_seconds = bench::own_cpu_seconds() - client_cpu_before;
        report_.work =
            fmt::format("nfs {} x{} x{}", options_.work, clients_.size(), options_.depth);
        return std::move(report_);
    }

private:
    struct Slot {
        NfsConnection::Call call;
        Clock::time_point started;
    };
    struct Client {
        std::unique_ptr<NfsConnection> connection;
        std::deque<Slot> slots;
        std::uint64_t next_offset = 0;
    };

    void open() {
        const int mount_port = options_.mount_port != 0 ? options_.mount_port : options_.port;
        NfsConnection mount({options_.host, mount_port, NfsConnection::Program::mount});
        root_ = mount.mount(options_.path);
        for (std::size_t i = 0; i < options_.clients; ++i) {
            auto client = std::make_unique<Client>();
            client->connection = std::make_unique<NfsConnection>(
                NfsConnection::Server{options_.host, options_.port, NfsConnection::Program::nfs});
            clients_.push_back(std::move(client));
        }
        file_ = clients_.front()->connection->lookup(root_, options_.file);
        file_bytes_ = clients_.front()->connection->size_of(file_);
        if (options_.work == "read" && file_bytes_ < options_.size_bytes) {
            throw std::runtime_error("the file is shorter than one READ");
        }
        // Each begins elsewhere in the file.
        for (std::size_t i = 0; i < clients_.size(); ++i) {
            const std::uint64_t reads = file_bytes_ / options_.size_bytes;
            clients_[i]->next_offset = reads * i / clients_.size() * options_.size_bytes;
        }
    }

    Slot& slot_of(Client& client) {
        Slot& slot = client.slots.emplace_back();
        slot.call.done = [this, &client, &slot](std::uint64_t bytes, const std::string& error) {
            finish(client, slot, {bytes, error});
        };
        return slot;
    }

    void start(Client& client, Slot& slot) {
        slot.started = Clock::now();
        ++under_way_;
        NfsConnection& connection = *client.connection;
        if (options_.work == "getattr") return connection.start_getattr(file_, slot.call);
        if (options_.work == "lookup") {
            return connection.start_lookup(root_, options_.file, slot.call);
        }
        if (client.next_offset + options_.size_bytes > file_bytes_) client.next_offset = 0;
        connection.start_read(file_, {client.next_offset, options_.size_bytes}, slot.call);
        client.next_offset += options_.size_bytes;
    }

    void finish(Client& client, Slot& slot, const std::pair<std::uint64_t, std::string>& answer) {
        const auto now = Clock::now();
        --under_way_;
        ++report_.operations;
        report_.bytes += answer.first;
        report_.latencies.push_back(
            std::chrono::duration<float, std::micro>(now - slot.started).count());
        if (!answer.second.empty() && report_.errors++ == 0) {
            fmt::print(stderr, "{}\n", answer.second);
        }
        // An exception must not cross libnfs; after an error no more is begun.
        if (now < end_ && report_.errors == 0) begin_again_.emplace_back(&client, &slot);
    }

    void wait() {
        ready_.clear();
        for (const auto& client : clients_) {
            ready_.push_back({client->connection->fd(), client->connection->events(), 0});
        }
        if (poll(ready_.data(), ready_.size(), 10'000) <= 0) {
            throw std::runtime_error("no answer for 10 s");
        }
        for (std::size_t i = 0; i < clients_.size(); ++i) {
            if (ready_[i].revents != 0) clients_[i]->connection->service(ready_[i].revents);
        }
        for (const auto& [client, slot] : begin_again_) start(*client, *slot);
        begin_again_.clear();
    }

    const Options& options_;
    std::string root_;
    std::string file_;
    std::uint64_t file_bytes_ = 0;
    std::vector<std::unique_ptr<Client>> clients_;
    std::vector<pollfd> ready_;
    std::vector<std::pair<Client*, Slot*>> begin_again_;
    std::size_t under_way_ = 0;
    Clock::time_point end_;
    bench::Report report_;
};

}  // namespace

int main(int argc, char** argv) {
    Options options;
    CLI::App app("Load an NFSv3 server and print one line of JSON.");
    app.add_option("work", options.work, "getattr, lookup or read")
        ->required()
        ->check(CLI::IsMember({"getattr", "lookup", "read"}));
    app.add_option("--host", options.host)->capture_default_str();
    app.add_option("--port", options.port)->capture_default_str();
    app.add_option("--mount-port", options.mount_port, "Of MOUNT; the same when not given");
    app.add_option("--export", options.path)->capture_default_str();
    app.add_option("--file", options.file, "In the export's root")->required();
    app.add_option("--size", options.size_bytes, "Bytes of a READ")->capture_default_str();
    app.add_option("--clients", options.clients, "Connections")->capture_default_str();
    app.add_option("--depth", options.depth, "Calls under way on each")->capture_default_str();
    app.add_option("--seconds", options.seconds)->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    try {
        Load load(options);
        const bench::Report report = load.run();
        std::puts(bench::to_json(report).c_str());
        return report.errors == 0 ? 0 : 1;
    } catch (const std::exception& e) {
        fmt::print(stderr, "nfs_load: {}\n", e.what());
        return 1;
    }
}
