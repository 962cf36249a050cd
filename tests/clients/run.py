"""Runs one module of tests; with ASHLAR_TODAY by today's SDK and command line.

    ASHLAR_SERVER=build/release/cmd/ashlar python3 tests/clients/run.py test_objects [TestClass[.test]]

Exits with 77, CTest's word for skipped, when every test was.
"""

import os
import sys
import unittest


def use_todays_clients():
    folder = os.path.join(os.environ["ASHLAR_CLIENTS"], "python")
    if not os.path.isdir(folder):
        print("SKIPPED: tests/clients/prepare could not get today's boto3 and aws")
        sys.exit(77)
    sys.path.insert(0, folder)
    os.environ["PYTHONPATH"] = folder
    os.environ["PATH"] = os.path.join(folder, "bin") + os.pathsep + os.environ["PATH"]


def main():
    if os.environ.get("ASHLAR_TODAY"):
        use_todays_clients()
    else:
        os.environ["PATH"] = "/usr/bin:/bin" + os.pathsep + os.environ["PATH"]
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    names = [sys.argv[1] + ("." + name if name else "") for name in sys.argv[2:] or [""]]
    suite = unittest.defaultTestLoader.loadTestsFromNames(names)
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    for test, reason in result.skipped:
        print(f"SKIPPED: {test}: {reason}")
    if not result.wasSuccessful() or result.testsRun == 0:
        return 1
    return 77 if len(result.skipped) == result.testsRun else 0


if __name__ == "__main__":
    sys.exit(main())
