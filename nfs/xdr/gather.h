#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include <sys/uio.h>

#include "objstore/base/bytes.h"

namespace nfs {

// Bytes lent to a message; `owner` keeps them alive until they have been sent.
struct Payload {
    objstore::Bytes bytes;
    std::shared_ptr<const void> owner;
};

// Messages on their way to a socket: runs of own bytes with lent payloads between them, in order,
// so that large data goes from where it lies and many small replies go in one system call.
// Threads: one at a time.
class Gather final {
public:
    // A place to return to when what was written after it turns out to be wrong.
    struct Mark {
        std::size_t own_bytes = 0;
        std::size_t payloads = 0;
        std::size_t size_bytes = 0;
    };

    // `size_bytes` more bytes of our own, not initialised. Valid until the next call.
    objstore::MutableBytes extend(std::size_t size_bytes);
    // Takes the last `size_bytes`, which are our own, away again.
    void trim(std::size_t size_bytes);
    void lend(Payload payload);
    // Moves all of `other`, of which nothing has been sent, to the end of this; `other` is empty
    // then. Its own bytes are copied, payloads are not.
    void append(Gather& other);

    Mark mark() const { return {own_.size(), lent_.size(), size_bytes_}; }
    void rollback(const Mark& mark);
    // The own bytes written since `mark`, to patch a length that was not known before.
    objstore::MutableBytes own_since(const Mark& mark);

    // Bytes not sent yet.
    std::size_t size() const { return size_bytes_; }
    bool empty() const { return size_bytes_ == 0; }
    // Fills `slots` with what is to be sent next; returns how many are used.
    std::size_t next(std::span<iovec> slots) const;
    // `size_bytes` of it have been sent. When all has been, memory beyond a reserve goes.
    void sent(std::size_t size_bytes);
    // Gives back all memory that is not in use.
    void shrink();
    // Everything in one piece. For tests and replies that are kept.
    std::vector<std::byte> flatten() const;

private:
    struct Lent {
        std::size_t at = 0;  // lies before own_[at]
        Payload payload;
    };
    void reset();

    std::vector<std::byte> own_;
    std::vector<Lent> lent_;
    std::size_t size_bytes_ = 0;
    std::size_t own_sent_ = 0;         // of own_
    std::size_t lent_done_ = 0;        // payloads sent whole
    std::size_t lent_sent_bytes_ = 0;  // of the payload after those
};

}  // namespace nfs
