#include "objstore/mirror/mirrors.h"

#include <algorithm>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "objstore/base/named_thread.h"

namespace objstore {

namespace {

constexpr std::string_view kFolder = "meta";
constexpr std::string_view kFilePrefix = "namespace-";

}  // namespace

Mirrors::Mirrors(Options options, Deps deps)
    : options_(std::move(options)), deps_(std::move(deps)) {}

Mirrors::~Mirrors() {
    stop();
}

Result<std::unique_ptr<Mirrors>> Mirrors::open(Options options, Deps deps) {
    std::unique_ptr<Mirrors> self(new Mirrors(std::move(options), std::move(deps)));
    const Deps& given = self->deps_;
    TRY_ASSIGN(self->records_,
               MirrorRecords::read(
                   {given.deployment, given.disks, given.parity, self->options_.limit}, given.log));
    self->is_new_ = self->records_->is_new();
    self->wanted_ = self->records_->current().write_quorum();
    self->voters_ = self->records_->current().voters;
    TRY(self->is_new_ ? self->begin_anew() : self->recover());
    return self;
}

void Mirrors::make_set(std::vector<MirrorPtr> members) {
    set_ = std::make_unique<MirrorSet>(
        MirrorSet::Deps{*records_, deps_.clock, deps_.log, options_.limit}, std::move(members));
    disk_ = std::make_unique<MirroredDisk>(*set_, options_.path, is_new_);
}

MirrorPtr Mirrors::new_mirror(const MirrorRecords::Voter& voter, Mirror::State state) {
    MirrorPlace place{voter.label, voter.disk, deps_.random.next()};
    while (place.incarnation == 0) place.incarnation = deps_.random.next();
    return std::make_shared<Mirror>(std::move(place), state);
}

Status Mirrors::begin_anew() {
    if (deps_.check_unused) TRY(deps_.check_unused());
    TRY(records_->start());
    std::vector<MirrorPtr> members;
    for (const MirrorRecords::Voter& voter : deps_.disks) {
        if (voter.disk == nullptr || members.size() == wanted_) continue;
        members.push_back(new_mirror(voter, Mirror::State::member));
    }
    make_set(std::move(members));
    return {};
}

// Those the newest record names, of the disks that are here; `missing`: the names of others.
std::vector<FoundMirror> Mirrors::find_mirrors(std::string& missing) {
    std::vector<FoundMirror> found;
    for (const MirrorEntry& entry : records_->current().mirrors) {
        const auto voter = std::ranges::find(
            deps_.disks, entry.disk, [](const auto& one) { return one.label.id; });
        const LabelDisk label =
            voter == deps_.disks.end() ? LabelDisk{.id = entry.disk} : voter->label;
        if (voter == deps_.disks.end() || voter->disk == nullptr) {
            missing += fmt::format("{}{} is missing", missing.empty() ? "" : "; ", describe(label));
            continue;
        }
        found.push_back(find_mirror(std::make_shared<Mirror>(
            MirrorPlace{label, voter->disk, entry.incarnation}, Mirror::State::member)));
    }
    return found;
}

Result<std::vector<MirrorPtr>> Mirrors::whole_mirrors(std::vector<FoundMirror>& found) const {
    check_sizes(found);
    std::vector<MirroredFile::Part> logs;
    for (const FoundMirror& one : found) {
        if (one.wrong.ok()) logs.push_back({one.mirror, one.log});
    }
    std::vector<MirrorPtr> whole;
    if (logs.empty()) return whole;
    TRY_ASSIGN(const std::vector<Status> results, recover_logs(logs));
    for (std::size_t i = 0; i < logs.size(); ++i) {
        if (results[i].ok()) {
            whole.push_back(logs[i].mirror);
            continue;
        }
        const auto one = std::ranges::find(found, logs[i].mirror, &FoundMirror::mirror);
        one->wrong = results[i];
    }
    return whole;
}

Status Mirrors::recover() {
    TRY(records_->start());
    std::string wrong;
    std::vector<FoundMirror> found = find_mirrors(wrong);
    TRY_ASSIGN(auto whole, whole_mirrors(found));
    for (const FoundMirror& one : found) {
        if (one.wrong.ok()) continue;
        wrong += fmt::format("{}{}: {}",
                             wrong.empty() ? "" : "; ",
                             describe(one.mirror->label()),
                             one.wrong.message());
    }
    if (whole.empty()) {
        return Status::corruption(
            fmt::format("no disk has a whole copy of the namespace: {}", wrong));
    }
    if (!wrong.empty()) deps_.log.warn("namespace: mirrors are left out: {}", wrong);
    make_set(std::move(whole));
    // In force before a volume is cut or a request answered: those left out are never read again.
    return wrong.empty() ? Status() : set_->publish();
}

Status Mirrors::publish() {
    TRY(set_->publish());
    is_new_ = false;
    return {};
}

Mirrors::Info Mirrors::info() const {
    Info info;
    for (const MirrorPtr& mirror : set_->members()) info.mirrors.push_back(mirror->entry());
    info.wanted = wanted_;
    info.epoch = set_->epoch();
    return info;
}

void Mirrors::start() {
    ASSERT(!keeper_.joinable());
    keeper_ = named_thread("mirror-keeper", [this] { keep(); });
}

void Mirrors::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        changed_.notify_all();
    }
    if (keeper_.joinable()) keeper_.join();
}

// False: it is time to stop.
bool Mirrors::wait(std::chrono::nanoseconds time) {
    std::unique_lock lock(mutex_);
    return !changed_.wait_for(lock, time, [&] { return stopping_; });
}

void Mirrors::keep() {
    bool tidy = false;
    do {
        note_failed();
        if (set_->members().size() < wanted_) {
            tidy = !fill_one() && tidy;
        } else if (!tidy) {
            tidy = remove_stale();
        }
    } while (wait(options_.look));
}

// Their disks are tried anew later, and not while a call of theirs hangs.
void Mirrors::note_failed() {
    std::erase_if(hanging_, [](const MirrorPtr& mirror) {
        return mirror->writes().is_idle() && mirror->reads().is_idle();
    });
    for (MirrorPtr& mirror : set_->take_failed()) {
        retry_at_[mirror->label().id] = deps_.clock.steady() + options_.retry;
        hanging_.push_back(std::move(mirror));
    }
}

bool Mirrors::hangs(DiskId disk) const {
    return std::ranges::any_of(hanging_,
                               [&](const MirrorPtr& mirror) { return mirror->label().id == disk; });
}

// A disk without a mirror that is due to be tried.
const MirrorRecords::Voter* Mirrors::candidate() {
    const auto members = set_->members();
    for (const MirrorRecords::Voter& voter : deps_.disks) {
        const bool has_one = std::ranges::any_of(
            members, [&](const MirrorPtr& mirror) { return mirror->label().id == voter.label.id; });
        const bool is_voter = std::ranges::count(voters_, voter.label.id) > 0;
        if (voter.disk == nullptr || has_one || !is_voter || hangs(voter.label.id)) continue;
        if (deps_.clock.steady() < retry_at_[voter.label.id]) continue;
        return &voter;
    }
    return nullptr;
}

// True: one more disk has a mirror.
bool Mirrors::fill_one() {
    const MirrorRecords::Voter* const voter = candidate();
    if (voter == nullptr) return false;
    const MirrorPtr joiner = new_mirror(*voter, Mirror::State::joining);
    deps_.log.info("namespace: filling a mirror on {}", describe(voter->label));
    const MirroredDisk::Pace pace{options_.fill_bytes_per_second,
                                  [this](std::chrono::nanoseconds time) { return wait(time); }};
    Status filled = disk_->fill(joiner, pace);
    const bool was_filled = filled.ok();
    if (was_filled) filled = set_->admit(joiner);
    if (filled.ok()) return true;
    // Unless it is in force by now: then the next operation finds it failed, and takes it out.
    if (!joiner->is_member()) joiner->fail();
    retry_at_[voter->label.id] = deps_.clock.steady() + options_.retry;
    // No record was ever to name it.
    if (!was_filled) {
        const std::string prefix = joiner->place().path("");
        remove_on(*voter, [=](const std::string& path) { return path.starts_with(prefix); });
    }
    hanging_.push_back(joiner);
    deps_.log.warn(
        "namespace: the mirror on {} was not filled: {}", describe(voter->label), filled.message());
    return false;
}

// Files of incarnations that no record in force names, once there are enough of those that it does:
// until then they may be all that a salvage finds.
bool Mirrors::remove_stale() {
    const auto members = set_->settled_members();
    if (members.size() < wanted_) return false;
    for (const MirrorRecords::Voter& voter : deps_.disks) {
        if (voter.disk == nullptr || hangs(voter.label.id)) continue;
        std::vector<std::string> used;
        for (const MirrorPtr& mirror : members) {
            if (mirror->label().id == voter.label.id) used.push_back(mirror->place().path(""));
        }
        remove_on(voter, [used](const std::string& path) {
            return std::ranges::none_of(
                used, [&](const std::string& prefix) { return path.starts_with(prefix); });
        });
    }
    return true;
}

// In a thread of its own, as the disk may hang.
void Mirrors::remove_on(const MirrorRecords::Voter& voter, const IsStale& is_stale) const {
    Lane lane("mirror-tidy");
    const auto answers = std::make_shared<Answers>(1);
    lane.post([answers, is_stale, disk = voter.disk] {
        const auto names = disk->list(kFolder);
        for (const std::string& name : names.value_or({})) {
            const std::string path = fmt::format("{}/{}", kFolder, name);
            if (!name.starts_with(kFilePrefix) || !is_stale(path)) continue;
            static_cast<void>(disk->remove(path));
        }
        answers->give(0, Status());
    });
    static_cast<void>(answers->wait(options_.limit, true));
}

}  // namespace objstore
