#include "nfs/ops/procedures.h"

namespace nfs {

Answer null(Request&, Writer&) {
    return Answer::success;
}

}  // namespace nfs
