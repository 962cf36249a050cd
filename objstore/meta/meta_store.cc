#include "objstore/meta/meta_store.h"

#include <condition_variable>
#include <mutex>
#include <optional>

namespace objstore {

TxnResult MetaStore::commit(Txn txn) {
    struct Answer {
        std::mutex mutex;
        std::condition_variable arrived;
        std::optional<TxnResult> result;
    } answer;
    submit(std::move(txn), [&answer](TxnResult&& result) {
        // Notified under the lock: `answer` is gone as soon as the caller can go on.
        const std::lock_guard lock(answer.mutex);
        answer.result = std::move(result);
        answer.arrived.notify_one();
    });
    std::unique_lock lock(answer.mutex);
    answer.arrived.wait(lock, [&] { return answer.result.has_value(); });
    return *std::move(answer.result);
}

TxnResult MetaStore::commit(Op op, bool durable) {
    Txn txn;
    txn.ops.push_back(std::move(op));
    txn.durable = durable;
    return commit(std::move(txn));
}

}  // namespace objstore
