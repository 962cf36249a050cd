#include "bench/report.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace bench {

namespace {

float quantile(std::vector<float>& values, double q) {
    if (values.empty()) return 0;
    const auto at = static_cast<std::size_t>(q * static_cast<double>(values.size() - 1));
    std::nth_element(
        values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
    return values[at];
}

}  // namespace

std::string to_json(Report report) {
    const double seconds = std::max(report.seconds, 1e-9);
    nlohmann::ordered_json json;
    json["work"] = report.work;
    json["operations_per_s"] = static_cast<double>(report.operations) / seconds;
    if (report.bytes != 0) {
        json["mib_per_s"] = static_cast<double>(report.bytes) / seconds / (1 << 20);
    }
    if (report.keys != 0) json["keys_per_s"] = static_cast<double>(report.keys) / seconds;
    json["p50_us"] = quantile(report.latencies, 0.5);
    json["p99_us"] = quantile(report.latencies, 0.99);
    if (!report.first_bytes.empty()) {
        json["first_byte_p50_us"] = quantile(report.first_bytes, 0.5);
    }
    json["operations"] = report.operations;
    json["errors"] = report.errors;
    json["seconds"] = report.seconds;
    return json.dump();
}

}  // namespace bench
