#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>

#include <doctest/doctest.h>
#include <poll.h>
// libnfs's headers need each other in this order.
// clang-format off
#include <nfsc/libnfs.h>
#include <nfsc/libnfs-raw.h>
#include <nfsc/libnfs-raw-mount.h>
#include <nfsc/libnfs-raw-nfs.h>
// clang-format on

// libnfs's calls of single procedures, one at a time. Its codec, not ours, is on this side.
class RawClient final {
public:
    explicit RawClient(std::uint16_t port, int program = NFS_PROGRAM, int version = NFS_V3)
        : rpc_(rpc_init_context()) {
        as(1000, 1000);
        Wait connected;
        REQUIRE(rpc_connect_port_async(
                    rpc_, "127.0.0.1", port, program, version, &Wait::done, &connected) == 0);
        wait(connected);
        REQUIRE(connected.status == RPC_STATUS_SUCCESS);
    }
    ~RawClient() { rpc_destroy_context(rpc_); }
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    void as(int uid, int gid) {
        rpc_set_uid(rpc_, uid);
        rpc_set_gid(rpc_, gid);
    }

    // One of the rpc_nfs3_..._async functions; what it answers lives only during `check`.
    template <typename Res, typename Args>
    void call(int (*function)(rpc_context*, rpc_cb, Args*, void*),
              std::type_identity_t<Args> args,
              std::function<void(const Res&)> check) {
        Wait answered;
        answered.check = [&](const void* data) { check(*static_cast<const Res*>(data)); };
        REQUIRE(function(rpc_, &Wait::done, &args, &answered) == 0);
        wait(answered);
        REQUIRE(answered.status == RPC_STATUS_SUCCESS);
    }
    // The status alone, with which every result of NFS begins.
    template <typename Args>
    int status(int (*function)(rpc_context*, rpc_cb, Args*, void*),
               std::type_identity_t<Args> args) {
        int found = -1;
        call<int>(function, args, [&](const int& status) { found = status; });
        return found;
    }
    // Any other call: `send` passes on the callback and its data. The outcome of the RPC layer.
    int send(const std::function<int(rpc_context*, rpc_cb, void*)>& send,
             std::function<void(const void*)> check = {}) {
        Wait answered;
        answered.check = std::move(check);
        REQUIRE(send(rpc_, &Wait::done, &answered) == 0);
        wait(answered);
        return answered.status;
    }

private:
    struct Wait {
        bool ended = false;
        int status = 0;
        std::function<void(const void*)> check;

        static void done(rpc_context*, int status, void* data, void* self) {
            auto& wait = *static_cast<Wait*>(self);
            wait.ended = true;
            wait.status = status;
            if (status == RPC_STATUS_SUCCESS && wait.check) wait.check(data);
        }
    };
    void wait(const Wait& wait) {
        constexpr int kPatienceMs = 20000;
        while (!wait.ended) {
            pollfd ready{rpc_get_fd(rpc_), static_cast<short>(rpc_which_events(rpc_)), 0};
            REQUIRE(::poll(&ready, 1, kPatienceMs) > 0);
            REQUIRE(rpc_service(rpc_, ready.revents) == 0);
        }
    }

    rpc_context* const rpc_;
};

// A handle as libnfs passes it; `bytes` must outlive it.
inline nfs_fh3 handle_of(const std::string& bytes) {
    nfs_fh3 handle{};
    handle.data.data_len = static_cast<unsigned>(bytes.size());
    handle.data.data_val = const_cast<char*>(bytes.data());
    return handle;
}
inline std::string bytes_of(const nfs_fh3& handle) {
    return {handle.data.data_val, handle.data.data_len};
}
inline diropargs3 name_of(const std::string& directory, const char* leaf) {
    return {handle_of(directory), const_cast<char*>(leaf)};
}
