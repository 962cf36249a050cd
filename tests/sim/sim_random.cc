#include "tests/sim/sim_random.h"

#include <cstdlib>

namespace tests {

std::uint64_t test_seed(std::uint64_t otherwise) {
    const char* text = std::getenv("ASHLAR_TEST_SEED");
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 0);
}

}  // namespace tests
