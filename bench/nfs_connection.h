#pragma once

#include <cstdint>
#include <functional>
#include <string>

struct rpc_context;

namespace bench {

// One TCP connection that makes NFSv3 or MOUNT calls through libnfs, which does the RPC and XDR.
// Answers come in `service`. Threads: one.
class NfsConnection final {
public:
    enum class Program { mount, nfs };
    struct Server {
        std::string host;
        int port = 0;
        Program program = Program::nfs;
    };
    // Connects (blocking). Throws std::runtime_error.
    explicit NfsConnection(const Server& server);
    ~NfsConnection();
    NfsConnection(const NfsConnection&) = delete;
    NfsConnection& operator=(const NfsConnection&) = delete;

    // For poll.
    int fd() const;
    short events() const;
    // Reads and writes what it can, and calls those whose answers are there. Throws
    // std::runtime_error when the connection broke.
    void service(short ready);

    // The handle of an export. Blocking. Throws std::runtime_error, as those below.
    std::string mount(const std::string& path);
    std::string lookup(const std::string& directory, const std::string& name);
    std::uint64_t size_of(const std::string& file);

    // One call under way: `done` is told how many bytes were read, or what went wrong (empty when
    // nothing). It must live until then.
    struct Call {
        std::function<void(std::uint64_t bytes, const std::string& error)> done;
    };
    struct Range {
        std::uint64_t offset = 0;
        std::uint32_t count = 0;
    };
    void start_getattr(const std::string& file, Call& call);
    void start_lookup(const std::string& directory, const std::string& name, Call& call);
    void start_read(const std::string& file, Range range, Call& call);

private:
    // Polls until `done`, 10 seconds at most.
    void pump(const bool& done);
    void check_started(int failed) const;

    rpc_context* const rpc_;
};

}  // namespace bench
