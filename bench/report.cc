#include "bench/report.h"

#include <algorithm>

#include <nlohmann/json.hpp>
#include <sys/resource.h>

namespace bench {

float quantile(std::vector<float>& values, double q) {
    if (values.empty()) return 0;
    const auto at = static_cast<std::size_t>(q * static_cast<double>(values.size() - 1));
    std::nth_element(
        values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
    return values[at];
}

std::string to_json(Report report) {
    const double seconds = std::max(report.seconds, 1e-9);
    const double operations = std::max(static_cast<double>(report.operations), 1.0);
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
    json["client_cpu_us"] = report.client_cpu_seconds * 1e6 / operations;
    json["operations"] = report.operations;
    json["errors"] = report.errors;
    json["seconds"] = report.seconds;
    return json.dump();
}

double own_cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace bench
