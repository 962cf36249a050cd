#include "cmd/ashlar/keys.h"

#include <string_view>

namespace cmd {

namespace {

using objstore::Code;
using objstore::Result;
using objstore::Status;

constexpr std::size_t kAccessKeyBytesMin = 3;
constexpr std::size_t kSecretKeyBytesMin = 8;

// `size` characters of `alphabet`, whose length divides 2^64 near enough for keys.
std::string random_text(objstore::Random& random, std::string_view alphabet, std::size_t size) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) text += alphabet[random.next() % alphabet.size()];
    return text;
}

Result<std::string> setting(objstore::Engine& engine, const std::string& name) {
    auto found = engine.names().setting(name);
    if (found.code() == Code::not_found) return std::string();
    return found;
}

}  // namespace

Status check_keys(const ServeOptions& options) {
    if (options.access_key.empty() != options.secret_key.empty()) {
        return Status::invalid_argument(
            "access-key and secret-key go together: set both of ASHLAR_ACCESS_KEY and "
            "ASHLAR_SECRET_KEY, or none");
    }
    if (options.access_key.empty()) return {};
    if (options.access_key.size() < kAccessKeyBytesMin ||
        options.secret_key.size() < kSecretKeyBytesMin) {
        return Status::invalid_argument(
            "access-key needs 3 characters and secret-key 8: choose longer ones");
    }
    return {};
}

Result<Keys> find_keys(const ServeOptions& options,
                       objstore::Engine& engine,
                       objstore::Random& random) {
    TRY(check_keys(options));
    if (!options.access_key.empty()) return Keys{options.access_key, options.secret_key};
    Keys keys;
    TRY_ASSIGN(keys.access_key, setting(engine, "access_key"));
    TRY_ASSIGN(keys.secret_key, setting(engine, "secret_key"));
    if (!keys.access_key.empty() && !keys.secret_key.empty()) return keys;
    constexpr std::string_view kCapitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    constexpr std::string_view kLetters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    keys.access_key = random_text(random, kCapitals, 20);
    keys.secret_key = random_text(random, kLetters, 40);
    keys.made_now = true;
    return keys;
}

Status keep_keys(const Keys& keys, objstore::Engine& engine) {
    TRY(engine.apply(objstore::SetSettingOp{"access_key", keys.access_key}, {}).error());
    return engine.apply(objstore::SetSettingOp{"secret_key", keys.secret_key}, {}).error();
}

Result<std::string> kept_secret(const std::string& name,
                                objstore::Engine& engine,
                                objstore::Random& random) {
    TRY_ASSIGN(std::string secret, setting(engine, name));
    if (!secret.empty()) return secret;
    secret = objstore::to_hex(random.next()) + objstore::to_hex(random.next());
    TRY(engine.apply(objstore::SetSettingOp{name, secret}, {}).error());
    return secret;
}

}  // namespace cmd
