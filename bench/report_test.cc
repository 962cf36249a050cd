#include "bench/report.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

TEST_CASE("a quantile is a value that was measured, the ends are the least and the greatest") {
    std::vector<float> values{5, 1, 4, 2, 3};
    CHECK(bench::quantile(values, 0) == 1);
    CHECK(bench::quantile(values, 0.5) == 3);
    CHECK(bench::quantile(values, 0.99) == 4);
    CHECK(bench::quantile(values, 1) == 5);
    std::vector<float> one{7};
    CHECK(bench::quantile(one, 0.99) == 7);
    std::vector<float> none;
    CHECK(bench::quantile(none, 0.5) == 0);
}

TEST_CASE("a report gives rates by the second and says nothing of what it did not measure") {
    const auto json = nlohmann::json::parse(bench::to_json({.work = "get",
                                                            .operations = 200,
                                                            .bytes = 8 << 20,
                                                            .seconds = 2,
                                                            .client_cpu_seconds = 0.001,
                                                            .latencies = {100}}));
    CHECK(json["operations_per_s"] == 100);
    CHECK(json["mib_per_s"] == 4);
    CHECK(json["client_cpu_us"] == doctest::Approx(5));
    CHECK(!json.contains("keys_per_s"));
    CHECK(!json.contains("first_byte_p50_us"));
    CHECK(nlohmann::json::parse(bench::to_json({}))["operations_per_s"] == 0);
}
