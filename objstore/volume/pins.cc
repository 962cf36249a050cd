#include <map>

#include "objstore/base/guarded.h"
#include "objstore/volume/volume_store.h"

namespace objstore {

// The epochs that have pins, and how many; a handful at most, since epochs move with commits that
// forget something and pins are short.
struct Pins::State {
    struct Epochs {
        std::uint64_t current = 1;
        std::map<std::uint64_t, std::uint64_t> held;
    };
    Guarded<Epochs> epochs;
};

Pins::Pins() : state_(std::make_unique<State>()) {}

Pins::~Pins() {
    ASSERT(state_->epochs.with([](const State::Epochs& e) { return e.held.empty(); }));
}

Pins::Pin Pins::acquire() {
    const std::uint64_t epoch = state_->epochs.with([](State::Epochs& e) {
        ++e.held[e.current];
        return e.current;
    });
    return Pin(this, epoch);
}

std::uint64_t Pins::advance() {
    return state_->epochs.with([](State::Epochs& e) { return e.current++; });
}

bool Pins::gone(std::uint64_t epoch) const {
    return state_->epochs.with([epoch](const State::Epochs& e) {
        return e.held.empty() || e.held.begin()->first > epoch;
    });
}

void Pins::release(std::uint64_t epoch) {
    state_->epochs.with([epoch](State::Epochs& e) {
        const auto found = e.held.find(epoch);
        ASSERT(found != e.held.end());
        if (--found->second == 0) e.held.erase(found);
    });
}

Pins::Pin::Pin(Pin&& other) noexcept
    : pins_(std::exchange(other.pins_, nullptr)), epoch_(other.epoch_) {}

Pins::Pin& Pins::Pin::operator=(Pin&& other) noexcept {
    if (this == &other) return *this;
    if (pins_ != nullptr) pins_->release(epoch_);
    pins_ = std::exchange(other.pins_, nullptr);
    epoch_ = other.epoch_;
    return *this;
}

Pins::Pin::~Pin() {
    if (pins_ != nullptr) pins_->release(epoch_);
}

}  // namespace objstore
