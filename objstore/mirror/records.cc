#include "objstore/mirror/records.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace objstore {

MirrorRecords::MirrorRecords(Options options, spdlog::logger& log)
    : options_(std::move(options)), log_(log) {
    for (const Voter& voter : options_.disks) {
        Member& member = members_.emplace_back();
        member.label = voter.label;
        if (voter.disk == nullptr) continue;
        member.file = std::make_shared<MirrorRecordFile>(*voter.disk);
        member.lane = std::make_unique<Lane>("mirror-record");
    }
}

Result<std::unique_ptr<MirrorRecords>> MirrorRecords::read(Options options, spdlog::logger& log) {
    std::unique_ptr<MirrorRecords> self(new MirrorRecords(std::move(options), log));
    self->read_all();
    TRY(self->choose());
    return self;
}

void MirrorRecords::read_all() {
    using State = MirrorRecordFile::State;
    const auto answers = std::make_shared<Answers>(members_.size());
    // Owned by those who fill them.
    std::vector<std::shared_ptr<State>> states;
    for (std::size_t i = 0; i < members_.size(); ++i) {
        const auto state = states.emplace_back(std::make_shared<State>(State::absent));
        Member& member = members_[i];
        if (member.file == nullptr) {
            answers->give(i, Status::not_found("is not here"));
            continue;
        }
        member.lane->post([i, answers, state, file = member.file] {
            auto found = file->read();
            if (found.ok()) *state = *found;
            answers->give(i, std::move(found).error());
        });
    }
    std::vector<Status> results = answers->wait(options_.limit);
    for (std::size_t i = 0; i < members_.size(); ++i) {
        Member& member = members_[i];
        member.error = std::move(results[i]);
        member.usable = member.error.ok();
        if (member.usable) member.state = *states[i];
    }
}

// Copies of disks, or files that were moved between them.
Status MirrorRecords::check_owner(const Member& member) const {
    const MirrorRecord& record = *member.file->record();
    if (record.deployment == options_.deployment && record.disk == member.label.id) return {};
    return Status::conflict(
        fmt::format("{} has the record of mirrors of another disk (id {:016x} of deployment {})",
                    describe(member.label),
                    record.disk,
                    to_string(record.deployment)));
}

Status MirrorRecords::choose() {
    const MirrorRecord* newest = nullptr;
    for (const Member& member : members_) {
        if (member.error.code() == Code::unsupported) return member.error;
        if (member.state != MirrorRecordFile::State::readable) continue;
        TRY(check_owner(member));
        const MirrorRecord& record = *member.file->record();
        if (newest == nullptr ||
            std::tie(record.epoch, record.started) > std::tie(newest->epoch, newest->started)) {
            newest = &record;
        }
    }
    if (newest != nullptr) {
        current_ = *newest;
    } else {
        current_.deployment = options_.deployment;
        current_.parity = options_.parity;
        for (const Voter& voter : options_.disks) current_.voters.push_back(voter.label.id);
    }
    if (is_unused()) return {};
    const auto readable = std::ranges::count_if(members_, [&](const Member& member) {
        return member.state == MirrorRecordFile::State::readable &&
               std::ranges::count(current_.voters, member.label.id) > 0;
    });
    return static_cast<std::size_t>(readable) >= current_.read_quorum() ? Status() : refuse();
}

// Whether power may have gone before each disk had its first record: all are here, and none has
// more than that.
bool MirrorRecords::is_unused() const {
    using State = MirrorRecordFile::State;
    return current_.mirrors.empty() && std::ranges::all_of(members_, [](const Member& member) {
               return member.usable && member.state != State::rotten;
           });
}

std::string MirrorRecords::names_without_record() const {
    std::vector<std::string> names;
    for (const DiskId id : current_.voters) {
        const auto member =
            std::ranges::find(members_, id, [](const Member& one) { return one.label.id; });
        if (member == members_.end()) {
            names.push_back(fmt::format("a disk (id {:016x})", id));
        } else if (!member->error.ok()) {
            names.push_back(
                fmt::format("{}: {}", describe(member->label), member->error.message()));
        } else if (member->state != MirrorRecordFile::State::readable) {
            names.push_back(
                fmt::format("{}: {} can not be read", describe(member->label), kMirrorRecordFile));
        }
    }
    return fmt::format("{}", fmt::join(names, "; "));
}

Status MirrorRecords::refuse() const {
    return Status::unavailable(fmt::format(
        "too few disks know where the newest namespace is: {} of {} must, and these do not: {}",
        current_.read_quorum(),
        current_.voters.size(),
        names_without_record()));
}

std::size_t MirrorRecords::write(std::span<const DiskId> to,
                                 const std::function<MirrorRecord(const Member&)>& record_of) {
    std::vector<Member*> asked;
    for (Member& member : members_) {
        if (member.usable && std::ranges::count(to, member.label.id) > 0) asked.push_back(&member);
    }
    const auto answers = std::make_shared<Answers>(asked.size());
    for (std::size_t i = 0; i < asked.size(); ++i) {
        asked[i]->lane->post([i, answers, file = asked[i]->file, record = record_of(*asked[i])] {
            answers->give(i, file->write(record));
        });
    }
    const std::vector<Status> results = answers->wait(options_.limit);
    std::size_t written = 0;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        if (results[i].ok()) {
            ++written;
            continue;
        }
        // A write that comes late must not take back its vote: it has none any more.
        asked[i]->usable = false;
        asked[i]->error = results[i];
        log_.error("mirrors: record on {}: {}", describe(asked[i]->label), results[i].message());
    }
    return written;
}

Status MirrorRecords::start() {
    const bool is_first = current_.epoch == MirrorEpoch() && current_.mirrors.empty();
    std::uint64_t started = current_.started;
    for (const Member& member : members_) {
        if (!member.usable || !member.file->record()) continue;
        started = std::max(started, member.file->record()->started);
    }
    ++started;
    const auto with_number = [&](const Member& member) {
        // Else as it was: a record that nobody decided must not become the newest.
        MirrorRecord record = member.file->record().value_or(current_);
        record.started = started;
        record.disk = member.label.id;
        return record;
    };
    // Of the first record all have one, or no later start could know that it is the first.
    const std::size_t wanted = is_first ? current_.voters.size() : current_.write_quorum();
    const auto can_write = std::ranges::count_if(members_, [&](const Member& member) {
        return member.usable && std::ranges::count(current_.voters, member.label.id) > 0;
    });
    const bool enough = static_cast<std::size_t>(can_write) >= wanted;
    // A start that will be refused writes nothing.
    const std::size_t written = enough ? write(current_.voters, with_number) : 0;
    if (written < wanted) {
        return Status::unavailable(
            fmt::format("{} of {} disks must take the record of this start, and these do not: {}",
                        wanted,
                        current_.voters.size(),
                        names_without_record()));
    }
    current_.started = started;
    step_ = 0;
    MirrorRecord next = current_;
    next.epoch = {started, step_};
    return put_in_force(std::move(next));
}

Status MirrorRecords::propose(std::vector<MirrorEntry> mirrors) {
    ASSERT(current_.epoch.start == current_.started);
    MirrorRecord next = current_;
    next.mirrors = std::move(mirrors);
    next.epoch.step = ++step_;
    return put_in_force(std::move(next));
}

Status MirrorRecords::put_in_force(MirrorRecord next) {
    const std::size_t written = write(next.voters, [&](const Member& member) {
        MirrorRecord record = next;
        record.disk = member.label.id;
        return record;
    });
    if (written < next.write_quorum()) {
        return Status::unavailable(
            fmt::format("only {} of {} disks know of a change of the mirrors, and {} must",
                        written,
                        next.voters.size(),
                        next.write_quorum()),
            Why::read_only);
    }
    current_ = std::move(next);
    return {};
}

}  // namespace objstore
