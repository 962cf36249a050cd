#include <algorithm>

#include <doctest/doctest.h>

#include "objstore/disk/label.h"
#include "tests/sim/sim_clock.h"
#include "tests/sim/sim_disk.h"

namespace objstore {

namespace {

using tests::SimClock;
using tests::SimDisk;
using tests::SimOperation;
using tests::SimRandom;
using tests::SimWorld;

// Some disks and what a server gives to open_or_format.
struct Machine {
    explicit Machine(std::size_t count, std::uint64_t seed = 1) : world(seed), random(seed) {
        for (std::size_t i = 0; i < count; ++i) {
            disks.push_back(&world.add_disk("d" + std::to_string(i)));
        }
    }
    Result<DeploymentDisks> open() { return open_or_format(disks, random, clock); }
    SimDisk& disk(std::size_t index) { return world.disk(index); }

    SimWorld world;
    SimRandom random;
    SimClock clock;
    std::vector<Disk*> disks;
};

void make_file(SimDisk& disk, const std::string& path) {
    REQUIRE(disk.open(path, OpenMode::create).ok());
}

DeploymentDisks opened(Machine& machine) {
    auto set = machine.open();
    REQUIRE(set.ok());
    return std::move(set).value();
}

bool all_members(const DeploymentDisks& set) {
    return set.member_count() == set.members.size();
}

}  // namespace

TEST_CASE("empty disks become one deployment, and are the same deployment when opened again") {
    Machine machine(3);
    const DeploymentDisks made = opened(machine);
    CHECK(made.formatted);
    CHECK(made.disk_count() == 3);
    CHECK(all_members(made));
    CHECK(!made.read_only);
    machine.world.power_cycle();
    const DeploymentDisks again = opened(machine);
    CHECK(!again.formatted);
    CHECK(again.deployment == made.deployment);
    CHECK(again.disks == made.disks);
    for (std::uint32_t i = 0; i < 3; ++i) {
        REQUIRE(again.members[i].label.has_value());
        CHECK(again.members[i].label->index == i);
        CHECK(again.members[i].label->created == machine.clock.now());
    }
}

TEST_CASE("the order of the paths does not matter") {
    Machine machine(3);
    const DeploymentDisks made = opened(machine);
    std::reverse(machine.disks.begin(), machine.disks.end());
    const DeploymentDisks again = opened(machine);
    CHECK(again.disks == made.disks);
    CHECK(again.members[0].label->index == 2);
}

TEST_CASE("lost+found and the lock file do not make a disk foreign") {
    Machine machine(1);
    REQUIRE(machine.disk(0).make_dir("lost+found").ok());
    make_file(machine.disk(0), "ashlar.lock");
    CHECK(all_members(opened(machine)));
}

TEST_CASE("a directory with foreign files is refused and nothing is written") {
    Machine machine(2);
    make_file(machine.disk(1), "photo.jpg");
    make_file(machine.disk(1), "zoo");
    const auto refused = machine.open();
    CHECK(refused.code() == Code::conflict);
    CHECK(refused.error().message() == "d1: holds files that are not Ashlar's (first: photo.jpg)");
    CHECK(machine.disk(0).list("").value().empty());
}

TEST_CASE("disks of two deployments are refused, and the refusal says which is which") {
    Machine one(2);
    Machine two(1, 2);
    const DeploymentDisks first = opened(one);
    const DeploymentDisks second = opened(two);
    one.disks[1] = &two.disk(0);
    const auto refused = one.open();
    CHECK(refused.code() == Code::conflict);
    CHECK(refused.error().message() == "disks of different deployments: d0 belongs to " +
                                           to_string(first.deployment) + ", d0 to " +
                                           to_string(second.deployment));
}

TEST_CASE("one disk under two paths is refused, before and after it has a label") {
    Machine machine(2);
    machine.disks[1] = machine.disks[0];
    CHECK(machine.open().error().message() == "d0: is the same directory as another disk");
    CHECK(machine.open().error().message() == "d0 and d0 are the same disk, or copies of one");
}

TEST_CASE("more disks than the deployment has are refused") {
    Machine machine(3);
    machine.disks.pop_back();
    REQUIRE(machine.open().ok());
    machine.disks.push_back(&machine.disk(2));
    CHECK(machine.open().error().message() == "the deployment of d0 has 2 disks, 3 were given");
}

TEST_CASE("no disks and too many disks are refused") {
    Machine none(0);
    CHECK(none.open().code() == Code::invalid_argument);
    Machine many(kLabelDisksMax + 1);
    CHECK(many.open().code() == Code::invalid_argument);
}

TEST_CASE("missing disks are no error: the caller sees how many there are") {
    Machine machine(3);
    const DeploymentDisks made = opened(machine);
    machine.disks.erase(machine.disks.begin());
    const DeploymentDisks set = opened(machine);
    CHECK(set.disk_count() == 3);
    CHECK(set.member_count() == 2);
    CHECK(set.disks == made.disks);
}

TEST_CASE("a replaced disk stays blank when others have data, and is not written to") {
    Machine machine(3);
    opened(machine);
    make_file(machine.disk(0), "volume");
    machine.disk(1).replace();
    const DeploymentDisks set = opened(machine);
    CHECK(!set.formatted);
    CHECK(set.member_count() == 2);
    CHECK(set.members[1].state == DiskState::blank);
    CHECK(machine.disk(1).list("").value().empty());
}

TEST_CASE("a blank disk stays blank when it is not sure that none has data") {
    Machine machine(3);
    opened(machine);
    machine.disk(1).replace();
    machine.disk(2).set_dead(true);
    CHECK(opened(machine).members[1].state == DiskState::blank);
    machine.disks.pop_back();
    CHECK(opened(machine).members[1].state == DiskState::blank);
}

TEST_CASE("a disk that can not be read is told with its error, and the others are served") {
    Machine machine(3);
    opened(machine);
    machine.disk(1).set_dead(true);
    const DeploymentDisks set = opened(machine);
    CHECK(set.member_count() == 2);
    CHECK(set.members[1].state == DiskState::failed);
    CHECK(set.members[1].error == "d1/ashlar.disk: the disk is dead");
}

TEST_CASE("a disk with a rotten label is told as failed and keeps its bytes") {
    Machine machine(2);
    opened(machine);
    machine.disk(0).corrupt(kLabelFile, 100, 1);
    const auto before = machine.disk(0).contents(kLabelFile);
    const DeploymentDisks set = opened(machine);
    CHECK(set.members[0].state == DiskState::failed);
    CHECK(set.members[1].state == DiskState::member);
    CHECK(machine.disk(0).contents(kLabelFile) == before);
}

TEST_CASE("labels know where the disks were, and learn where they are") {
    Machine machine(3);
    machine.disk(1).set_capacity(kMiB);
    const DeploymentDisks made = opened(machine);
    CHECK(made.disks[1].path == "d1");
    CHECK(made.disks[1].total_bytes == kMiB);
    std::swap(machine.disks[0], machine.disks[2]);
    machine.disk(1).set_capacity(2 * kMiB);
    machine.disks.pop_back();
    CHECK(opened(machine).disks == made.disks);  // not while one is away, whose label may be newer
    machine.disks.push_back(&machine.disk(0));
    machine.world.power_cycle();
    const DeploymentDisks again = opened(machine);
    CHECK(again.disks[1].total_bytes == 2 * kMiB);
    CHECK(again.members[0].label->sequence == made.members[0].label->sequence + 1);
    const DeploymentDisks once_more = opened(machine);
    CHECK(once_more.members[0].label == again.members[0].label);
}

TEST_CASE("of labels that disagree the highest sequence is right, at every crash between") {
    // As a disk is added: the newcomer's label, then all others'.
    for (std::size_t written = 1; written <= 3; ++written) {
        CAPTURE(written);
        Machine machine(3);
        Disk* const newcomer = machine.disks.back();
        machine.disks.pop_back();
        DiskLabel label = *opened(machine).members[0].label;
        ++label.sequence;
        label.disks.push_back({.id = 77, .path = "d2"});
        machine.disks.insert(machine.disks.begin(), newcomer);
        for (std::size_t i = 0; i < written; ++i) {
            label.index = i == 0 ? 2 : static_cast<std::uint32_t>(i) - 1;
            REQUIRE(write_label(*machine.disks[i], label).ok());
        }
        machine.world.power_cycle();
        const DeploymentDisks set = opened(machine);
        CHECK(set.disk_count() == 3);
        CHECK(all_members(set));
        CHECK(set.members[0].label->index == 2);
        for (Disk* disk : machine.disks) {
            CHECK(read_label(*disk).value()->disks == set.disks);
        }
    }
}

TEST_CASE("a disk that was replaced and comes back is refused, and the refusal says which") {
    Machine machine(2);
    DiskLabel label = *opened(machine).members[0].label;
    ++label.sequence;
    label.disks[1].id = 77;
    REQUIRE(write_label(machine.disk(0), label).ok());
    const auto refused = machine.open();
    CHECK(refused.code() == Code::conflict);
    CHECK(refused.error().message().find("d1 does not belong to deployment") == 0);
}

TEST_CASE("labels of one sequence that disagree are refused") {
    Machine machine(2);
    DiskLabel label = *opened(machine).members[0].label;
    label.disks[1].id = 77;
    REQUIRE(write_label(machine.disk(0), label).ok());
    CHECK(machine.open().code() == Code::conflict);
}

TEST_CASE("nothing is formatted while a disk can not be read") {
    Machine machine(2);
    machine.disk(1).set_dead(true);
    CHECK(machine.open().code() == Code::unavailable);
    CHECK(machine.disk(0).list("").value().empty());
}

TEST_CASE("a disk of a newer version stops everything") {
    Machine machine(2);
    const DeploymentDisks set = opened(machine);
    DiskLabel newer = *set.members[1].label;
    newer.features.incompatible = 1;
    REQUIRE(write_label(machine.disk(1), newer).ok());
    CHECK(machine.open().code() == Code::unsupported);
}

TEST_CASE("unknown read-only compatible features make the deployment read-only") {
    Machine machine(2);
    const DeploymentDisks set = opened(machine);
    DiskLabel newer = *set.members[1].label;
    newer.features.read_only_compatible = 8;
    REQUIRE(write_label(machine.disk(1), newer).ok());
    CHECK(opened(machine).read_only);
}

TEST_CASE("formatting that power cut off at any point is finished by the next start") {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        bool cut = true;
        for (std::uint64_t crash_at = 0; cut; ++crash_at) {
            CAPTURE(seed);
            CAPTURE(crash_at);
            Machine machine(3, seed * 100 + crash_at);
            machine.world.cut_power_after(crash_at);
            const auto made = machine.open();
            cut = machine.world.power_was_cut();
            machine.world.power_cycle();
            const auto set = machine.open();
            REQUIRE(set.ok());
            REQUIRE(all_members(*set));
            if (made.ok()) REQUIRE(set->deployment == made->deployment);
            machine.world.power_cycle();
            const auto again = machine.open();
            REQUIRE(again.ok());
            REQUIRE(!again->formatted);
            REQUIRE(again->disks == set->disks);
        }
    }
}

TEST_CASE("formatting in which any operation failed is finished by the next start") {
    for (const auto operation : {SimOperation::create,
                                 SimOperation::write,
                                 SimOperation::sync,
                                 SimOperation::rename,
                                 SimOperation::sync_dir}) {
        for (std::size_t index = 0; index < 3; ++index) {
            CAPTURE(static_cast<int>(operation));
            CAPTURE(index);
            Machine machine(3);
            machine.disk(index).fail({.operation = operation});
            REQUIRE(!machine.open().ok());
            REQUIRE(all_members(opened(machine)));
            machine.world.power_cycle();
            REQUIRE(all_members(opened(machine)));
        }
    }
}

}  // namespace objstore
