#include "bench/nfs_connection.h"

#include <stdexcept>

#include <fmt/format.h>
#include <poll.h>

// libnfs's headers need one another in this order.
// clang-format off
#include <nfsc/libnfs.h>
#include <nfsc/libnfs-raw.h>
#include <nfsc/libnfs-raw-mount.h>
#include <nfsc/libnfs-raw-nfs.h>
// clang-format on

namespace bench {

namespace {

constexpr int kWaitMs = 10'000;

// An answer that is waited for.
struct Answer {
    bool done = false;
    std::string error;
    std::string handle;
    std::uint64_t size_bytes = 0;
};

std::string rpc_error(int status, void* data) {
    if (status == RPC_STATUS_SUCCESS) return {};
    return status == RPC_STATUS_ERROR && data != nullptr ? static_cast<const char*>(data)
                                                         : "the call was cancelled";
}

template <typename Reply>
std::string nfs_error(int status, void* data) {
    if (status != RPC_STATUS_SUCCESS) return rpc_error(status, data);
    const nfsstat3 answer = static_cast<Reply*>(data)->status;
    return answer == NFS3_OK ? std::string() : nfsstat3_to_str(answer);
}

void take_connected(rpc_context* /*rpc*/, int status, void* data, void* answer) {
    auto& out = *static_cast<Answer*>(answer);
    out.error = rpc_error(status, data);
    out.done = true;
}

void take_mounted(rpc_context* /*rpc*/, int status, void* data, void* answer) {
    auto& out = *static_cast<Answer*>(answer);
    out.done = true;
    out.error = rpc_error(status, data);
    if (!out.error.empty()) return;
    const auto& reply = *static_cast<mountres3*>(data);
    if (reply.fhs_status != MNT3_OK) {
        out.error = mountstat3_to_str(reply.fhs_status);
        return;
    }
    const auto& handle = reply.mountres3_u.mountinfo.fhandle;
    out.handle.assign(handle.fhandle3_val, handle.fhandle3_len);
}

void take_found(rpc_context* /*rpc*/, int status, void* data, void* answer) {
    auto& out = *static_cast<Answer*>(answer);
    out.done = true;
    out.error = nfs_error<LOOKUP3res>(status, data);
    if (!out.error.empty()) return;
    const auto& handle = static_cast<LOOKUP3res*>(data)->LOOKUP3res_u.resok.object.data;
    out.handle.assign(handle.data_val, handle.data_len);
}

void take_attributes(rpc_context* /*rpc*/, int status, void* data, void* answer) {
    auto& out = *static_cast<Answer*>(answer);
    out.done = true;
    out.error = nfs_error<GETATTR3res>(status, data);
    if (!out.error.empty()) return;
    out.size_bytes = static_cast<GETATTR3res*>(data)->GETATTR3res_u.resok.obj_attributes.size;
}

template <typename Reply>
void take_call(rpc_context* /*rpc*/, int status, void* data, void* call) {
    const std::string error = nfs_error<Reply>(status, data);
    std::uint64_t bytes = 0;
    if constexpr (std::is_same_v<Reply, READ3res>) {
        if (error.empty()) bytes = static_cast<Reply*>(data)->READ3res_u.resok.count;
    }
    static_cast<NfsConnection::Call*>(call)->done(bytes, error);
}

// The file handle of a call; libnfs does not write to it.
nfs_fh3 borrowed(const std::string& handle) {
    nfs_fh3 out{};
    out.data.data_len = static_cast<u_int>(handle.size());
    out.data.data_val = const_cast<char*>(handle.data());
    return out;
}

LOOKUP3args lookup_arguments(const std::string& directory, const std::string& name) {
    LOOKUP3args arguments{};
    arguments.what.dir = borrowed(directory);
    arguments.what.name = const_cast<char*>(name.c_str());
    return arguments;
}

}  // namespace

NfsConnection::NfsConnection(const Server& server) : rpc_(rpc_init_context()) {
    Answer answer;
    const bool mount = server.program == Program::mount;
    check_started(rpc_connect_port_async(rpc_,
                                         server.host.c_str(),
                                         server.port,
                                         mount ? MOUNT_PROGRAM : NFS_PROGRAM,
                                         // NOLINTNEXTLINE(bugprone-branch-clone)
                                         mount ? MOUNT_V3 : NFS_V3,
                                         take_connected,
                                         &answer));
    pump(answer.done);
    if (!answer.error.empty()) throw std::runtime_error("connect: " + answer.error);
}

NfsConnection::~NfsConnection() {
    rpc_destroy_context(rpc_);
}

int NfsConnection::fd() const {
    return rpc_get_fd(rpc_);
}

short NfsConnection::events() const {
    return static_cast<short>(rpc_which_events(rpc_));
}

void NfsConnection::service(short ready) {
    check_started(rpc_service(rpc_, ready) < 0 ? 1 : 0);
}

std::string NfsConnection::mount(const std::string& path) {
    Answer answer;
    check_started(
        rpc_mount3_mnt_async(rpc_, take_mounted, const_cast<char*>(path.c_str()), &answer));
    pump(answer.done);
    if (!answer.error.empty()) throw std::runtime_error("mount " + path + ": " + answer.error);
    return answer.handle;
}

std::string NfsConnection::lookup(const std::string& directory, const std::string& name) {
    Answer answer;
    LOOKUP3args arguments = lookup_arguments(directory, name);
    check_started(rpc_nfs3_lookup_async(rpc_, take_found, &arguments, &answer));
    pump(answer.done);
    if (!answer.error.empty()) throw std::runtime_error("lookup " + name + ": " + answer.error);
    return answer.handle;
}

std::uint64_t NfsConnection::size_of(const std::string& file) {
    Answer answer;
    GETATTR3args arguments{.object = borrowed(file)};
    check_started(rpc_nfs3_getattr_async(rpc_, take_attributes, &arguments, &answer));
    pump(answer.done);
    if (!answer.error.empty()) throw std::runtime_error("getattr: " + answer.error);
    return answer.size_bytes;
}

void NfsConnection::start_getattr(const std::string& file, Call& call) {
    GETATTR3args arguments{.object = borrowed(file)};
    check_started(rpc_nfs3_getattr_async(rpc_, take_call<GETATTR3res>, &arguments, &call));
}

void NfsConnection::start_lookup(const std::string& directory,
                                 const std::string& name,
                                 Call& call) {
    LOOKUP3args arguments = lookup_arguments(directory, name);
    check_started(rpc_nfs3_lookup_async(rpc_, take_call<LOOKUP3res>, &arguments, &call));
}

void NfsConnection::start_read(const std::string& file, Range range, Call& call) {
    READ3args arguments{.file = borrowed(file), .offset = range.offset, .count = range.count};
    check_started(rpc_nfs3_read_async(rpc_, take_call<READ3res>, &arguments, &call));
}

void NfsConnection::pump(const bool& done) {
    while (!done) {
        pollfd ready{.fd = fd(), .events = events(), .revents = 0};
        if (poll(&ready, 1, kWaitMs) <= 0) throw std::runtime_error("no answer for 10 s");
        service(ready.revents);
    }
}

void NfsConnection::check_started(int failed) const {
    if (failed == 0) return;
    const char* why = rpc_get_error(rpc_);
    throw std::runtime_error(why != nullptr ? why : "the connection broke");
}

}  // namespace bench
