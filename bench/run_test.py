#!/usr/bin/env python3
"""Tests of what bench/run parses, chooses and judges."""

import importlib.machinery
import importlib.util
import os
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import lines  # noqa: E402
import servers  # noqa: E402
import table  # noqa: E402
import warp  # noqa: E402


def count_module():
    loader = importlib.machinery.SourceFileLoader("count", os.path.join(HERE, "count"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("count", loader))
    loader.exec_module(module)
    return module


def line_named(name):
    return next(line for line in lines.LINES if line.name == name)


def report(**values):
    return {"p50_us": 10, "p99_us": 20, "server_cpu_us": 30, "first_byte_p50_us": 900,
            "memory_before_mib": 100, "memory_peak_mib": 110, **values}


class Processes(unittest.TestCase):
    def test_a_process_whose_name_holds_anything_has_its_cpu_time_read(self):
        stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 0 0 0 250 150 0 0 20 0 9 0 5 6 7"
        self.assertEqual(servers.parse_cpu_seconds(stat, 100), 4.0)

    def test_the_time_of_all_processors_is_busy_or_stolen(self):
        stat = "cpu  100 20 30 4000 50 1 2 300 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\n"
        self.assertEqual(servers.parse_machine_seconds(stat, 100), (1.53, 3.0))

    def test_free_memory_is_filled_but_for_what_is_to_be_left(self):
        self.assertEqual(servers.free_memory_bytes("MemTotal: 9 kB\nMemFree:  3 kB\n"), 3072)
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "filler")
            self.assertEqual(servers.fill_free_memory(path, 1 << 60), 0)
            self.assertTrue(os.path.exists(path))

    def test_sizes_are_found_by_their_name(self):
        status = "Name:\tx\nVmHWM:\t  4096 kB\nVmRSS:\t  2048 kB\n"
        self.assertEqual(servers.parse_status_mib(status, "VmRSS"), 2.0)
        self.assertEqual(servers.parse_status_mib(status, "VmHWM"), 4.0)
        self.assertEqual(servers.parse_status_mib(status, "VmSwap"), 0.0)


class Lines(unittest.TestCase):
    def test_lines_are_chosen_by_name_or_by_how_names_begin(self):
        chosen, figures = lines.chosen(["get4k", "head_32", "idle"])
        self.assertEqual([line.name for line in chosen], ["get4k_1", "get4k_32", "head_32"])
        self.assertEqual(figures, ["idle"])
        with self.assertRaises(ValueError):
            lines.chosen(["get5k"])

    def test_names_are_unique_and_what_is_consumed_is_there(self):
        names = [line.name for line in lines.LINES]
        self.assertEqual(len(names), len(set(names)))
        for line in lines.LINES:
            if line.consumes:
                self.assertLessEqual(line.consumes, line.fill.count)
                self.assertLessEqual(line.quick_consumes, line.fill.quick_count)
            self.assertNotIn("{", line.title_of(True))


class Verdicts(unittest.TestCase):
    def test_a_ratio_is_met_missed_or_unknown_without_a_peer(self):
        line = line_named("put4k_1")
        peer = report(operations_per_s=100)
        for rate, met in ((400, True), (399, False)):
            found = table.verdicts(line, report(operations_per_s=rate), peer)
            self.assertEqual(found, [("4x", met)])
        self.assertEqual(table.verdicts(line, report(operations_per_s=400), None), [("4x", None)])

    def test_every_demand_of_a_line_is_judged(self):
        found = table.verdicts(line_named("get64m_1"), report(mib_per_s=14), report(mib_per_s=10))
        self.assertEqual([met for _, met in found], [True, True])
        ours = report(keys_per_s=150_000, memory_peak_mib=130)
        found = table.verdicts(line_named("list_million_1"), ours, None)
        self.assertEqual([met for _, met in found], [False, False])
        found = table.verdicts(line_named("nfs_getattr"), report(operations_per_s=1), None)
        self.assertEqual([met for _, met in found], [False])

    def test_figures_keep_three_digits(self):
        self.assertEqual(table.figure(12345.6, "/s"), "12,346/s")
        self.assertEqual(table.figure(99.96, "MiB/s"), "100.0 MiB/s")
        self.assertEqual(table.figure(0.05, "s"), "0.05 s")
        self.assertEqual(table.figure(None), "-")
        self.assertEqual(table.latency(999.4), "999 us")
        self.assertEqual(table.latency(1500), "1.5 ms")

    def test_the_table_has_a_row_for_each_line_and_figure_that_was_measured(self):
        results = {
            "machine": {"time": "t", "commit": "c", "cores": 2, "kernel": "k",
                        "seconds_a_line": 1, "limits": {"fdatasync_per_s": 1000}},
            "servers": {"ashlar": {"durability": "synced"}, "minio": {"durability": "so so"}},
            "left_out": {"ganesha": "it is not installed"},
            "lines": {"put4k_1": {"ashlar": report(operations_per_s=500),
                                  "minio": report(operations_per_s=100),
                                  "warp": {"ashlar": {"operations_per_s": 300},
                                           "minio": {"operations_per_s": 100}}}},
            "figures": {"memory": {"ashlar": 250, "minio": 500}},
        }
        text = table.tables(results, quick=True)
        self.assertIn("minio: so so", text)
        self.assertIn("ganesha is left out: it is not installed", text)
        self.assertRegex(text, r"4 KiB PUT, 1 client +500/s .*100/s .*5\.00x +4x: met")
        self.assertRegex(text, r"4 KiB PUT, 1 client +300/s +100/s +3\.00x +4x: MISSED")
        self.assertRegex(text, r"memory after all that +250 MiB .*500 MiB +200 MiB: MISSED")


class Warp(unittest.TestCase):
    def test_the_average_of_the_first_operation_counts(self):
        text = ("Report: GET. Concurrency: 8\n * Average: 1446.30 MiB/s, 144.63 obj/s\n"
                "Report: PUT\n * Average: 1.00 KiB/s, 1.00 obj/s\n")
        self.assertEqual(warp.parse(text)["mib_per_s"], 1446.3)
        self.assertEqual(warp.parse(text)["operations_per_s"], 144.63)
        self.assertEqual(warp.parse(" * Average: 868.12 obj/s")["operations_per_s"], 868.12)
        self.assertIsNone(warp.parse("warp: <ERROR> no such host"))


class Counts(unittest.TestCase):
    def test_counts_are_those_of_perf_by_operation(self):
        count = count_module()
        text = ("# started on x\n\n40,,syscalls:sys_enter_fdatasync,1,100.00,,\n"
                "<not counted>,,syscalls:sys_enter_mmap,0,0.00,,\n"
                "200,,raw_syscalls:sys_enter,1,100.00,,\n10,,context-switches,1,100.00,,\n"
                "0,,page-faults,1,100.00,,\n")
        counts = count.parse_counts(text)
        self.assertEqual(counts["fdatasync"], 40)
        self.assertNotIn("mmap", counts)
        self.assertEqual(count.row_of("PUT", counts, 20),
                         ["PUT", "10.0", "2.00", "0.5", "0.0", "fdatasync 2.0"])

    def test_a_line_alone_says_so(self):
        self.assertEqual(line_named("put10m_8").alone().title, "10 MiB PUT, 1 client")
        self.assertEqual(line_named("nfs_lookup").alone().title, "NFSv3 LOOKUP, one at a time")
        self.assertEqual(line_named("nfs_lookup").alone().depth, 1)


class Command(unittest.TestCase):
    def test_an_unknown_line_is_wrong_use(self):
        run = os.path.join(HERE, "run")
        done = subprocess.run([sys.executable, run, "--only", "nonsense"], capture_output=True,
                              text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("there is no line nonsense", done.stderr)


if __name__ == "__main__":
    unittest.main()
