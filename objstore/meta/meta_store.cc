#include "objstore/meta/meta_store.h"

#include "objstore/base/one_shot.h"

namespace objstore {

TxnResult MetaStore::commit(Txn txn) {
    TxnResult result;
    OneShot done;
    submit(std::move(txn), [&](TxnResult&& given) {
        result = std::move(given);
        done.set();
    });
    done.wait();
    return result;
}

TxnResult MetaStore::commit(Op op, bool durable) {
    Txn txn;
    txn.ops.push_back(std::move(op));
    txn.durable = durable;
    return commit(std::move(txn));
}

}  // namespace objstore
