#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "s3api/base/error.h"

namespace s3api {

// A name and its value, as views into something that lives longer.
struct Field {
    std::string_view name;
    std::string_view value;
};

// Headers in the order received, names in any case. The text they view must outlive them.
class Headers final {
public:
    void add(Field field) { fields_.push_back(field); }
    void clear() { fields_.clear(); }
    const std::vector<Field>& all() const { return fields_; }
    // The first of that name, in any case.
    std::optional<std::string_view> find(std::string_view name) const;
    bool has(std::string_view name) const { return find(name).has_value(); }
    std::size_t count(std::string_view name) const;

private:
    std::vector<Field> fields_;
};

bool equals_ignoring_case(std::string_view a, std::string_view b);
std::string lower(std::string_view text);
std::string_view trim(std::string_view text);  // of blanks and tabs at both ends

// One query parameter, decoded to raw bytes.
struct QueryParameter {
    std::string name;
    std::string value;
    bool has_value = false;  // false for `?uploads`, true for `?uploads=`
};

// Query parameters in the order received.
class Query final {
public:
    static constexpr std::size_t kParametersMax = 256;

    // invalid_uri: a broken escape. invalid_argument: more than kParametersMax.
    static S3Result<Query> parse(std::string_view raw);

    const std::vector<QueryParameter>& all() const { return parameters_; }
    std::optional<std::string_view> find(std::string_view name) const;  // case matters
    bool has(std::string_view name) const { return find(name).has_value(); }

private:
    std::vector<QueryParameter> parameters_;
};

// `%41` to `A`; with `plus_is_space`, as in a query, `+` to a space. Nothing when an escape is
// broken.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

// Everything but A-Z a-z 0-9 - . _ ~ (and `/` where it is kept) as %XX, in capitals: the encoding
// of signatures and of `encoding-type=url`.
enum class Slash { keep, encode };
void percent_encode_to(std::string& out, std::string_view text, Slash slash);
std::string percent_encode(std::string_view text, Slash slash);

}  // namespace s3api
