#pragma once

#include <thread>
#include <utility>

#include <pthread.h>

namespace objstore {

// A thread that carries its name in `ps -L`, `top -H`, profiles and core dumps. Of a name of more
// than 15 bytes, the kernel's limit, it carries none.
template <typename Fn>
std::thread named_thread(const char* name, Fn&& fn) {
    std::thread thread(std::forward<Fn>(fn));
    (void)pthread_setname_np(thread.native_handle(), name);
    return thread;
}

}  // namespace objstore
