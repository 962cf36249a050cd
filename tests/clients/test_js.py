"""The JavaScript SDK of today."""

import os
import shutil
import unittest

import ashlar

MODULES = os.path.join(os.environ.get("ASHLAR_CLIENTS", ""), "js", "node_modules")
READY = shutil.which("node") is not None and os.path.isdir(MODULES)


@unittest.skipUnless(READY, "no JavaScript SDK: tests/clients/prepare could not get it")
class JavaScript(ashlar.TestCase):
    def test_the_sdk_works_with_its_defaults(self):
        # Modules are looked for beside the program, so it goes to where they are.
        here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "js", "s3.mjs")
        program = os.path.join(os.path.dirname(MODULES), "s3.mjs")
        shutil.copyfile(here, program)
        done = self.server.run("node", program, self.server.url, self.bucket)
        self.assertEqual(done.stdout.strip(), "ok")


if __name__ == "__main__":
    unittest.main()
