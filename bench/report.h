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
    std::vector<float> latencies;
    std::vector<float> first_bytes;
};

// One line of JSON: rates, median and 99th percentile.
std::string to_json(Report report);

}  // namespace bench
