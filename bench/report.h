#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

// What one run did. Latencies in microseconds.
struct Report {
    std::string work;
    std::uint64_t operations = 0;
    std::uint64_t errors = 0;
    std::uint64_t bytes = 0;
    std::uint64_t keys = 0;  // listings
    double seconds = 0;
    double client_cpu_seconds = 0;
    std::vector<float> latencies;
    std::vector<float> first_bytes;
};

// The value below which the share `q` of them lies (0 to 1); 0 when there are none.
float quantile(std::vector<float>& values, double q);

// One line of JSON: rates, median and 99th percentile.
std::string to_json(Report report);

// User and system time of this process so far.
double own_cpu_seconds();

}  // namespace bench
