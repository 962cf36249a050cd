#include "objstore/mirror/mirrored_file.h"

#include <algorithm>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "objstore/mirror/mirrored_read.h"

namespace objstore {

namespace {

// A disk that takes longer to read is asked no more while others are at hand.
constexpr auto kLate = std::chrono::milliseconds(250);

// What is written, for calls that may come to it late.
struct Payload {
    explicit Payload(std::span<const FileWrite> from) {
        std::size_t size = 0;
        for (const FileWrite& write : from) size += write.bytes.size();
        bytes.reserve(size);
        for (const FileWrite& write : from) {
            const std::size_t begin = bytes.size();
            bytes.insert(bytes.end(), write.bytes.begin(), write.bytes.end());
            writes.push_back({write.offset, Bytes(bytes).subspan(begin)});
        }
    }
    std::vector<std::byte> bytes;
    std::vector<FileWrite> writes;
};

}  // namespace

MirroredFile::MirroredFile(MirrorSet& set, std::vector<Part> parts)
    : set_(set), parts_(std::move(parts)) {}

std::vector<MirroredFile::Part> MirroredFile::parts() const {
    return parts_.with([](const auto& parts) { return parts; });
}

std::unique_lock<std::mutex> MirroredFile::stop_writers() const {
    const std::lock_guard turn(turn_mutex_);
    return std::unique_lock(write_mutex_);
}

// Those that are late come last.
std::vector<MirroredFile::Part> MirroredFile::readable_parts() const {
    auto found = parts();
    std::erase_if(found, [](const Part& part) { return !part.mirror->is_member(); });
    std::stable_partition(found.begin(), found.end(), [](const Part& part) {
        return part.mirror->late_since() == 0;
    });
    return found;
}

// Reads from one mirror after another until what it says is accepted; notes those whose bytes were
// not, or could not be read.
class MirroredFile::Search final {
public:
    using Accept = std::function<bool(Bytes)>;
    Search(const MirroredFile& file, std::uint64_t offset, MutableBytes out, const Accept& accept)
        : file_(file), offset_(offset), out_(out), accept_(accept) {}

    Result<std::size_t> run();
    const std::vector<Part>& wrong() const { return wrong_; }
    const Part& right() const { return *right_; }

private:
    bool take(const Part& part, const Status& status, Bytes bytes);
    bool ask(const Part& part, bool alone);
    void note_late(const Part& part) const;
    void fail_overdue() const;

    const MirroredFile& file_;
    const std::uint64_t offset_;
    const MutableBytes out_;
    const Accept& accept_;
    std::vector<LaneRead> late_;
    std::vector<Part> wrong_;
    std::optional<Part> right_;
    std::size_t length_ = 0;
    Status error_ = Status::unavailable("no mirror is left");
};

bool MirroredFile::Search::take(const Part& part, const Status& status, Bytes bytes) {
    if (status.ok() && accept_(bytes)) {
        if (bytes.data() != out_.data()) std::ranges::copy(bytes, out_.begin());
        length_ = bytes.size();
        right_ = part;
        return true;
    }
    wrong_.push_back(part);
    // That one has other bytes says more than that another can not be read.
    if (status.ok()) {
        error_ = Status::corruption("not what was written");
    } else if (error_.code() != Code::corruption) {
        error_ = status;
    }
    return false;
}

bool MirroredFile::Search::ask(const Part& part, bool alone) {
    if (alone) {
        const auto length = part.file->read_some_at(offset_, out_);
        return take(part, length.error(), out_.first(length.value_or(0)));
    }
    // What the page cache has needs no other thread.
    if (part.file->try_read_at(offset_, out_)) return take(part, {}, out_);
    LaneRead read(part, offset_, out_.size());
    if (read.wait(kLate)) return take(part, read.status(), read.bytes());
    note_late(part);
    late_.push_back(std::move(read));
    return false;
}

void MirroredFile::Search::note_late(const Part& part) const {
    std::int64_t in_time = 0;
    part.mirror->late_since().compare_exchange_strong(in_time, file_.set_.steady_ns());
}

// While another has answered.
void MirroredFile::Search::fail_overdue() const {
    for (const Part& part : file_.parts()) {
        const std::int64_t since = part.mirror->late_since();
        if (since == 0 || !part.mirror->is_member() || part.mirror == right_->mirror) continue;
        if (file_.set_.steady_ns() - since < file_.set_.limit().count()) continue;
        const std::array mirrors = {right_->mirror, part.mirror};
        const std::array answers = {Status(), Status::timed_out("a read does not return")};
        // Whoever writes next hears what became of it.
        static_cast<void>(file_.set_.settle(mirrors, answers));
    }
}

Result<std::size_t> MirroredFile::Search::run() {
    const auto parts = file_.readable_parts();
    for (const Part& part : parts) {
        if (!ask(part, parts.size() == 1)) continue;
        if (parts.size() > 1) fail_overdue();
        return length_;
    }
    while (!late_.empty()) {
        for (std::size_t i = 0; i < late_.size(); ++i) {
            if (!late_[i].wait(kLate)) continue;
            const LaneRead read = std::move(late_[i]);
            late_.erase(late_.begin() + static_cast<std::ptrdiff_t>(i));
            if (take(read.part(), read.status(), read.bytes())) return length_;
            break;
        }
    }
    return error_;
}

Result<std::size_t> MirroredFile::read_some_at(std::uint64_t offset, MutableBytes out) const {
    // One that was cut must not speak for the others.
    const Search::Accept all = [&](Bytes bytes) { return bytes.size() == out.size(); };
    auto length = Search(*this, offset, out, all).run();
    if (length.ok()) return length;
    const Search::Accept any = [](Bytes) { return true; };
    return Search(*this, offset, out, any).run();
}

Status MirroredFile::read_at(std::uint64_t offset, MutableBytes out) const {
    const Search::Accept accept = [&](Bytes bytes) { return bytes.size() == out.size(); };
    return Search(*this, offset, out, accept).run().error();
}

bool MirroredFile::try_read_at(std::uint64_t offset, MutableBytes out) const {
    const auto parts = readable_parts();
    return !parts.empty() && parts.front().file->try_read_at(offset, out);
}

Status MirroredFile::read_checked_at(std::uint64_t offset,
                                     MutableBytes out,
                                     const ReadCheck& check) const {
    const Search::Accept accept = [&](Bytes bytes) {
        return bytes.size() == out.size() && check.is_right(bytes);
    };
    Search search(*this, offset, out, accept);
    TRY(search.run().error());
    for (const Part& wrong : search.wrong()) mend(wrong, search.right(), {offset, out}, check);
    return {};
}

// Once more under the lock of those who write: they may have been at it.
void MirroredFile::mend(const Part& wrong,
                        const Part& right,
                        FileWrite good,
                        const ReadCheck& check) const {
    const auto lock = stop_writers();
    const auto is_right = [&](const Part& part, const LaneRead& read) {
        return part.mirror->is_member() && read.wait(set_.limit()) && read.status().ok() &&
               read.bytes().size() == good.bytes.size() && check.is_right(read.bytes());
    };
    const LaneRead right_now(right, good.offset, good.bytes.size());
    if (!is_right(right, right_now) || !wrong.mirror->is_member()) return;
    if (is_right(wrong, LaneRead(wrong, good.offset, good.bytes.size()))) return;
    const FileWrite bytes{good.offset + check.context_bytes,
                          right_now.bytes().subspan(check.context_bytes)};
    const auto payload = std::make_shared<const Payload>(std::span(&bytes, 1));
    const auto answers = std::make_shared<Answers>(1);
    wrong.mirror->writes().post([answers, payload, file = wrong.file] {
        answers->give(0, file->write_each(payload->writes));
    });
    const Status mended = answers->wait(set_.limit(), true).front();
    const std::array mirrors = {right.mirror, wrong.mirror};
    const std::array results = {Status(), mended};
    static_cast<void>(set_.settle(mirrors, results));
    if (!mended.ok()) return;
    set_.log().warn("namespace: {} bytes at {} of the mirror on {} were wrong, and were mended",
                    bytes.bytes.size(),
                    bytes.offset,
                    describe(wrong.mirror->label()));
}

Status MirroredFile::on_all(std::uint64_t begin, const Call& call) {
    std::vector<Part> asked = parts();
    std::erase_if(asked, [&](const Part& part) {
        const bool later =
            part.mirror == joiner_ && begin >= joiner_cursor_ && joiner_cursor_ != kAll;
        return part.mirror->has_failed() || later;
    });
    std::vector<MirrorPtr> mirrors;
    mirrors.reserve(asked.size());
    for (const Part& part : asked) mirrors.push_back(part.mirror);
    std::vector<Status> results;
    // What it was asked before, and may be at still, comes first.
    if (asked.size() == 1 && asked.front().mirror->writes().is_idle()) {
        results.push_back(call(*asked.front().file));
    } else {
        const auto answers = std::make_shared<Answers>(asked.size());
        const auto shared_call = std::make_shared<const Call>(call);
        for (std::size_t i = 0; i < asked.size(); ++i) {
            const bool counts = asked[i].mirror->is_member();
            asked[i].mirror->writes().post([i, answers, shared_call, counts, file = asked[i].file] {
                answers->give(i, (*shared_call)(*file), counts);
            });
        }
        results = answers->wait(set_.limit());
    }
    Status settled = set_.settle(mirrors, results);
    const bool refused = settled.code() == Code::no_space && settled.why() != Why::outcome_unknown;
    if (!settled.ok() && !refused) in_doubt_ = true;
    // It may have what the others have not.
    if (!settled.ok() && joiner_ != nullptr && !joiner_->is_member()) joiner_->fail();
    return settled;
}

Status MirroredFile::write_all(std::span<const FileWrite> writes, bool sync) {
    const auto lock = stop_writers();
    const auto carry_out = [sync](File& file, std::span<const FileWrite> all) {
        return sync ? file.write_and_sync(all) : file.write_each(all);
    };
    std::uint64_t begin = kAll;
    for (const FileWrite& write : writes) begin = std::min(begin, write.offset);
    const bool alone = parts_.with([](const auto& parts) { return parts.size() == 1; });
    if (alone) return on_all(begin, [&](File& file) { return carry_out(file, writes); });
    const auto payload = std::make_shared<const Payload>(writes);
    return on_all(begin,
                  [carry_out, payload](File& file) { return carry_out(file, payload->writes); });
}

Status MirroredFile::write_at(std::uint64_t offset, std::span<const Bytes> pieces) {
    std::vector<FileWrite> writes;
    for (const Bytes piece : pieces) {
        writes.push_back({offset, piece});
        offset += piece.size();
    }
    return write_all(writes, false);
}

Status MirroredFile::write_each(std::span<const FileWrite> writes) {
    return write_all(writes, false);
}

Status MirroredFile::write_and_sync(std::span<const FileWrite> writes) {
    return write_all(writes, true);
}

Status MirroredFile::sync() {
    const auto lock = stop_writers();
    return on_all(kAll, [](File& file) { return file.sync(); });
}

Status MirroredFile::truncate(std::uint64_t size_bytes) {
    const auto lock = stop_writers();
    // A joiner past its end would have more than the others.
    const bool past = joiner_ != nullptr && joiner_cursor_ > size_bytes;
    Status cut =
        on_all(past ? 0 : kAll - 1, [size_bytes](File& file) { return file.truncate(size_bytes); });
    if (past && joiner_cursor_ != kAll) joiner_cursor_ = size_bytes;
    return cut;
}

Result<std::uint64_t> MirroredFile::size() const {
    Result<std::uint64_t> most = Status::unavailable("no mirror is left");
    for (const Part& part : readable_parts()) {
        auto size = part.file->size();
        // They are equal, but for one that was cut.
        if (!most.ok() || (size.ok() && *size > *most)) most = std::move(size);
    }
    return most;
}

Status MirroredFile::allocate(std::uint64_t /*offset*/, std::uint64_t /*length*/) {
    return {};
}

Status MirroredFile::punch_hole(std::uint64_t /*offset*/, std::uint64_t /*length*/) {
    return Status::unsupported("a mirrored file has no holes");
}

void MirroredFile::start_write_out(std::uint64_t /*offset*/, std::uint64_t /*length*/) {}

void MirroredFile::drop_cache(std::uint64_t /*offset*/, std::uint64_t /*length*/) {}

void MirroredFile::begin_join(Part part) {
    const auto lock = stop_writers();
    joiner_ = part.mirror;
    joiner_cursor_ = 0;
    parts_.with([&](auto& parts) {
        std::erase_if(parts, [](const Part& old) { return old.mirror->has_failed(); });
        parts.push_back(std::move(part));
    });
}

Result<bool> MirroredFile::copy_to_joiner(std::size_t bytes, const BlockCheck& is_right) {
    std::shared_ptr<Answers> answers;
    {
        const auto lock = stop_writers();
        if (joiner_->has_failed()) return Status::cancelled("the join was given up");
        TRY_ASSIGN(const std::uint64_t end, size());
        if (joiner_cursor_ >= end) {
            joiner_cursor_ = kAll;
            return false;
        }
        const auto length = std::min<std::uint64_t>(bytes, end - joiner_cursor_);
        auto copy = std::make_shared<std::vector<std::byte>>(length);
        read_for_copy(joiner_cursor_, *copy, is_right);
        answers = std::make_shared<Answers>(1);
        const Part part = parts().back();
        // Before whatever is written next: the lane keeps their order.
        part.mirror->writes().post([answers, copy, file = part.file, offset = joiner_cursor_] {
            answers->give(0, file->write_at(offset, Bytes(*copy)));
        });
        joiner_cursor_ += length;
    }
    TRY(std::move(answers->wait(set_.limit(), true).front()));
    return true;
}

// Block by block where the first mirror's are not right. A block that is right nowhere is copied as
// it is, or as zeros: whoever reads it is told.
void MirroredFile::read_for_copy(std::uint64_t offset,
                                 MutableBytes out,
                                 const BlockCheck& is_right) const {
    const bool read = read_at(offset, out).ok();
    for (std::size_t at = 0; at < out.size(); at += kBlockBytes) {
        const MutableBytes block = out.subspan(at, std::min(kBlockBytes, out.size() - at));
        if (read && is_right(offset + at, block)) continue;
        std::vector<std::byte> other(block.size());
        const Search::Accept accept = [&](Bytes bytes) {
            return bytes.size() == block.size() && is_right(offset + at, bytes);
        };
        if (Search(*this, offset + at, other, accept).run().ok()) {
            std::ranges::copy(other, block.begin());
        } else if (!read && !read_at(offset + at, block).ok()) {
            std::ranges::fill(block, std::byte{0});
        }
    }
}

}  // namespace objstore
