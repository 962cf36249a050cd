#pragma once

#include <string>

#include "cmd/ashlar/serve_options.h"
#include "objstore/base/clock.h"
#include "objstore/engine/engine.h"

namespace cmd {

struct Keys {
    std::string access_key;
    std::string secret_key;
    bool made_now = false;
};

// invalid_argument: the options have one key without the other, or one that is too short.
objstore::Status check_keys(const ServeOptions& options);

// The keys that clients sign with: those of the options, else those kept in the deployment, else a
// random pair, made now, which is yet to be told and kept.
objstore::Result<Keys> find_keys(const ServeOptions& options,
                                 objstore::Engine& engine,
                                 objstore::Random& random);
// From now on they are the deployment's.
objstore::Status keep_keys(const Keys& keys, objstore::Engine& engine);

// A random number of 128 bits that the deployment keeps under a name; 32 hexadecimal digits.
objstore::Result<std::string> kept_secret(const std::string& name,
                                          objstore::Engine& engine,
                                          objstore::Random& random);

}  // namespace cmd
