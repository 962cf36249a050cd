"""scripts/lint finds what it says it finds, and leaves alone what is right."""

import importlib.machinery
import importlib.util
import os
import sys
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.dont_write_bytecode = True


def load_lint():
    loader = importlib.machinery.SourceFileLoader("lint", os.path.join(ROOT, "scripts", "lint"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("lint", loader))
    loader.exec_module(module)
    return module


class Lint(unittest.TestCase):
    def setUp(self):
        os.chdir(ROOT)
        self.lint = load_lint()

    def includes(self, path, line):
        self.lint.findings.clear()
        self.lint.check_includes(path, [line])
        return bool(self.lint.findings)

    def test_includes_point_down_only(self):
        status = '#include "objstore/base/status.h"'
        for path in ("objstore/volume/x.cc", "s3api/ops/x.cc", "nfs/x.cc", "fs/vfs/x.cc"):
            self.assertFalse(self.includes(path, status), path)
        self.assertTrue(self.includes("objstore/base/x.cc", '#include "objstore/disk/disk.h"'))
        self.assertTrue(self.includes("objstore/meta/x.cc", '#include "objstore/engine/engine.h"'))
        self.assertTrue(self.includes("s3api/ops/x.cc", '#include "fs/vfs/vfs.h"'))
        self.assertFalse(self.includes("objstore/disk/x_test.cc",
                                       '#include "tests/sim/sim_disk.h"'))
        self.assertTrue(self.includes("objstore/disk/x.cc", '#include "tests/sim/sim_disk.h"'))
        self.assertTrue(self.includes("objstore/base/x.cc", '#include "not/there.h"'))

    def test_foreign_libraries_have_a_home(self):
        self.assertFalse(self.includes("objstore/meta/x.cc", "#include <sqlite3.h>"))
        self.assertTrue(self.includes("objstore/engine/x.cc", "#include <sqlite3.h>"))
        self.assertTrue(self.includes("s3api/ops/x.cc", "#include <boost/asio.hpp>"))
        self.assertTrue(self.includes("fs/vfs/x.cc", "#include <fuse3/fuse_lowlevel.h>"))

    def test_an_await_stands_alone(self):
        for good in ("co_await f(a, b)", "auto x = co_await f(a, std::move(b))",
                     "CO_TRY(co_await f(a))", "CO_TRY_ASSIGN(auto x, co_await f(a))",
                     "if (x) co_await f()", "else co_await f()",
                     "auto [error, size] = co_await f(as_tuple(use_awaitable))"):
            self.assertIsNone(self.lint.await_problem(good), good)
        for bad in ("if (co_await f() == 0) return", "co_return co_await f()",
                    "auto x = co_await f([o] { return 1; })", "g(co_await f())",
                    "auto x = co_await f(a ? b : c)", "while (co_await f())"):
            self.assertIsNotNone(self.lint.await_problem(bad), bad)

    def test_text_that_does_not_belong_here(self):
        def found(path, line):
            self.lint.findings.clear()
            self.lint.check_text(path, [line])
            return bool(self.lint.findings)

        self.assertTrue(found("objstore/base/x.cc", "// TO" "DO: later"))
        self.assertTrue(found("docs/x.md", "see /ho" "me/somebody/x"))
        self.assertTrue(found("objstore/base/x_test.cc", "sle" "ep(1);"))
        self.assertTrue(found("objstore/base/x.cc", "f();  // NO" "LINT"))
        self.assertFalse(found("objstore/base/x.cc", "f();  // NOLINT(misc-x)"))
        self.assertFalse(found("docs/x.md", "serves ./data/d{1...6}"))

    def test_file_calls_are_for_the_local_disk(self):
        def found(path, line):
            self.lint.findings.clear()
            self.lint.check_calls(path, line)
            return bool(self.lint.findings)

        self.assertTrue(found("objstore/volume/x.cc", "    ::fsync(fd);"))
        self.assertTrue(found("objstore/volume/x.cc", "    pwrite(fd, p, n, 0);"))
        self.assertTrue(found("fs/vfs/x.cc", "    std::ofstream out(path);"))
        self.assertFalse(found("objstore/disk/local_disk.cc", "    ::fsync(fd);"))
        self.assertFalse(found("fs/vfs/x.cc", "    engine.fsync(inode); // ::fsync(fd)"))
        self.assertTrue(found("fs/vfs/x.cc", "auto n = std::chrono::steady_clock::now();"))


if __name__ == "__main__":
    unittest.main()
