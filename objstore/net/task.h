#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "objstore/base/status.h"

namespace objstore {

// One thread runs each io_context, so a connection needs no strand: all of it happens there. The
// executor is the concrete one; the type-erased default costs an allocation at each hop.
using IoExecutor = boost::asio::io_context::executor_type;
using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, IoExecutor>;

// A coroutine of a server. An await stands alone, with named arguments (gcc 12.2 miscompiles
// others).
template <typename T>
using Task = boost::asio::awaitable<T, IoExecutor>;

// Asio's operations give their error as a value.
inline constexpr boost::asio::as_tuple_t<boost::asio::use_awaitable_t<IoExecutor>> kAsTuple{};

}  // namespace objstore

// TRY and TRY_ASSIGN for coroutines: `expr` may be one await.
#define CO_TRY(expr)                                        \
    do {                                                    \
        auto co_try_status_ = expr;                         \
        if (!co_try_status_.ok()) co_return co_try_status_; \
    } while (false)
#define CO_TRY_ASSIGN(decl, expr) \
    CO_TRY_ASSIGN_(ASHLAR_CONCAT(co_try_result_, __LINE__), decl, expr)
#define CO_TRY_ASSIGN_(result, decl, expr)                        \
    auto result = expr;                                           \
    if (!result.has_value()) co_return std::move(result).error(); \
    decl = std::move(result).value()
