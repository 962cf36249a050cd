#pragma once

#include "nfs/ops/request.h"
#include "nfs/xdr/writer.h"

// The procedures of NFSv3, each in the file of its name. Each reads its arguments, does the work,
// writes its result. Only those in the first group may be given a request that may not wait; they
// then answer not_now where memory can not answer.
namespace nfs {

Answer null(Request& request, Writer& out);
Answer getattr(Request& request, Writer& out);
Answer lookup(Request& request, Writer& out);
Answer access(Request& request, Writer& out);
Answer read(Request& request, Writer& out);
Answer fsinfo(Request& request, Writer& out);
Answer pathconf(Request& request, Writer& out);

Answer setattr(Request& request, Writer& out);
Answer readlink(Request& request, Writer& out);
Answer write(Request& request, Writer& out);
Answer create(Request& request, Writer& out);
Answer mkdir(Request& request, Writer& out);
Answer symlink(Request& request, Writer& out);
Answer mknod(Request& request, Writer& out);
Answer remove(Request& request, Writer& out);
Answer rmdir(Request& request, Writer& out);
Answer rename(Request& request, Writer& out);
Answer link(Request& request, Writer& out);
Answer readdir(Request& request, Writer& out);
Answer readdirplus(Request& request, Writer& out);
Answer fsstat(Request& request, Writer& out);
Answer commit(Request& request, Writer& out);

}  // namespace nfs
