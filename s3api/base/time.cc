#include "s3api/base/time.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include <fmt/format.h>

namespace s3api {

namespace {

using objstore::UnixNanos;
using namespace std::chrono_literals;

constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths{
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr UnixNanos kSecondMax = 253402300799;  // the end of 9999

struct Parts {
    int year = 0;
    unsigned month = 0;
    unsigned day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
    int millisecond = 0;
    unsigned weekday = 0;
};

Parts split(UnixNanos time) {
    const UnixNanos clamped =
        std::clamp<UnixNanos>(time, 0, std::numeric_limits<UnixNanos>::max()) / 1'000'000;
    const UnixNanos seconds = std::min(clamped / 1000, kSecondMax);
    const std::chrono::sys_seconds at{std::chrono::seconds(seconds)};
    const auto midnight = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day date(midnight);
    const std::chrono::hh_mm_ss clock(at - midnight);
    return {static_cast<int>(date.year()),
            static_cast<unsigned>(date.month()),
            static_cast<unsigned>(date.day()),
            static_cast<int>(clock.hours().count()),
            static_cast<int>(clock.minutes().count()),
            static_cast<int>(clock.seconds().count()),
            static_cast<int>(clamped % 1000),
            std::chrono::weekday(midnight).c_encoding()};
}

std::optional<UnixNanos> join(const Parts& p) {
    const std::chrono::year_month_day date{
        std::chrono::year(p.year), std::chrono::month(p.month), std::chrono::day(p.day)};
    // 60 is a leap second, which Unix time counts as the next one.
    if (!date.ok() || p.year < 1970 || p.year > 2261) return std::nullopt;
    if (p.hour > 23 || p.minute > 59 || p.second > 60) return std::nullopt;
    const auto at = std::chrono::sys_days(date).time_since_epoch() + p.hour * 1h + p.minute * 1min +
                    p.second * 1s;
    return std::chrono::duration_cast<std::chrono::nanoseconds>(at).count() +
           p.millisecond * 1'000'000LL;
}

void append_digits(std::string& text, unsigned value, unsigned count) {
    text.append(count, '0');
    for (auto digit = text.rbegin(); value > 0; value /= 10) {
        *digit++ = static_cast<char>('0' + value % 10);
    }
}

// Takes a text apart from the left; once something does not fit it stays failed.
class Scanner {
public:
    explicit Scanner(std::string_view text) : rest_(text) {}

    int digits(std::size_t count) {
        int value = 0;
        if (rest_.size() < count) return fail();
        for (const char c : rest_.substr(0, count)) {
            if (c < '0' || c > '9') return fail();
            value = value * 10 + (c - '0');
        }
        rest_.remove_prefix(count);
        return value;
    }
    unsigned number(std::size_t count) { return static_cast<unsigned>(digits(count)); }
    void literal(std::string_view text) {
        if (rest_.starts_with(text)) {
            rest_.remove_prefix(text.size());
        } else {
            fail();
        }
    }
    unsigned month() {
        for (unsigned i = 0; i < kMonths.size(); ++i) {
            if (!rest_.starts_with(kMonths[i])) continue;
            rest_.remove_prefix(3);
            return i + 1;
        }
        return static_cast<unsigned>(fail());
    }
    void skip_through(char c) {
        const std::size_t at = rest_.find(c);
        if (at == std::string_view::npos) {
            fail();
        } else {
            rest_.remove_prefix(at + 1);
        }
    }
    bool next_is(char c) const { return !failed_ && !rest_.empty() && rest_.front() == c; }
    bool next_is_digit() const { return !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; }
    void hms(Parts& p) {
        p.hour = digits(2);
        literal(":");
        p.minute = digits(2);
        literal(":");
        p.second = digits(2);
    }
    bool complete() const { return !failed_ && rest_.empty(); }

private:
    int fail() {
        failed_ = true;
        rest_ = {};
        return 0;
    }
    std::string_view rest_;
    bool failed_ = false;
};

std::optional<Parts> imf_fixdate(std::string_view text) {
    Scanner s(text);
    Parts p;
    s.skip_through(' ');
    p.day = s.number(2);
    s.literal(" ");
    p.month = s.month();
    s.literal(" ");
    p.year = s.digits(4);
    s.literal(" ");
    s.hms(p);
    s.literal(" GMT");
    return s.complete() ? std::optional(p) : std::nullopt;
}

std::optional<Parts> rfc850_date(std::string_view text) {
    Scanner s(text);
    Parts p;
    s.skip_through(' ');
    p.day = s.number(2);
    s.literal("-");
    p.month = s.month();
    s.literal("-");
    const int year = s.digits(2);
    p.year = year < 70 ? 2000 + year : 1900 + year;
    s.literal(" ");
    s.hms(p);
    s.literal(" GMT");
    return s.complete() ? std::optional(p) : std::nullopt;
}

std::optional<Parts> asctime_date(std::string_view text) {
    Scanner s(text);
    Parts p;
    s.skip_through(' ');
    p.month = s.month();
    s.literal(" ");
    if (s.next_is(' ')) {
        s.literal(" ");
        p.day = s.number(1);
    } else {
        p.day = s.number(2);
    }
    s.literal(" ");
    s.hms(p);
    s.literal(" ");
    p.year = s.digits(4);
    return s.complete() ? std::optional(p) : std::nullopt;
}

}  // namespace

// Each answer has two of them.
std::string format_http_date(UnixNanos time) {
    const Parts p = split(time);
    std::string text;
    text.reserve(29);
    text.append(kDays[p.weekday]).append(", ");
    append_digits(text, p.day, 2);
    text.append(1, ' ').append(kMonths[p.month - 1]).append(1, ' ');
    append_digits(text, static_cast<unsigned>(p.year), 4);
    for (const auto& [before, value] : {std::pair(' ', p.hour), {':', p.minute}, {':', p.second}}) {
        text.push_back(before);
        append_digits(text, static_cast<unsigned>(value), 2);
    }
    text.append(" GMT");
    return text;
}

std::string format_iso8601(UnixNanos time) {
    const Parts p = split(time);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
                       p.year,
                       p.month,
                       p.day,
                       p.hour,
                       p.minute,
                       p.second,
                       p.millisecond);
}

std::string format_amz_date(UnixNanos time) {
    const Parts p = split(time);
    return fmt::format(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z", p.year, p.month, p.day, p.hour, p.minute, p.second);
}

std::optional<UnixNanos> parse_amz_date(std::string_view text) {
    Scanner s(text);
    Parts p;
    p.year = s.digits(4);
    p.month = s.number(2);
    p.day = s.number(2);
    s.literal("T");
    p.hour = s.digits(2);
    p.minute = s.digits(2);
    p.second = s.digits(2);
    s.literal("Z");
    return s.complete() ? join(p) : std::nullopt;
}

std::optional<UnixNanos> parse_http_date(std::string_view text) {
    for (const auto form : {imf_fixdate, rfc850_date, asctime_date}) {
        if (const auto parts = form(text)) return join(*parts);
    }
    return std::nullopt;
}

std::optional<UnixNanos> parse_iso8601(std::string_view text) {
    Scanner s(text);
    Parts p;
    p.year = s.digits(4);
    s.literal("-");
    p.month = s.number(2);
    s.literal("-");
    p.day = s.number(2);
    s.literal("T");
    s.hms(p);
    if (s.next_is('.')) {
        s.literal(".");
        int scale = 100;
        do {
            p.millisecond += s.digits(1) * scale;
            scale /= 10;
        } while (s.next_is_digit());
    }
    s.literal("Z");
    return s.complete() ? join(p) : std::nullopt;
}

}  // namespace s3api
