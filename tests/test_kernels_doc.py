#!/usr/bin/env python3
"""docs/kernels.md is what this build has, and its examples work: test_kernels_doc.py PATH_TO_ISOGRAM"""
import re
import shlex
import subprocess
import sys
from pathlib import Path

import cli

root = Path(__file__).resolve().parent.parent


class Document(cli.Case):
    def test_tables(self):
        done = subprocess.run([sys.executable, root / "tools" / "kernels_doc.py", "--check", cli.command], capture_output=True,
                              text=True)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_examples(self):
        n, m, d = 9, 5, 3
        self.save("X.npy", "<f4", (n, d), [(i * i % 31) / 16 for i in range(n * d)])  # none negative
        self.save("Y.npy", "<f4", (m, d), [(i * 7 % 23) / 16 for i in range(m * d)])
        self.save("mask.npy", "|b1", (n,), [i % 3 != 0 for i in range(n)])
        self.save("weights.npy", "<f8", (n,), [0.25 * i for i in range(n)])
        blocks = re.findall(r"^```sh\n(.*?)^```$", (root / "docs" / "kernels.md").read_text(encoding="utf-8"), re.M | re.S)
        lines = [shlex.split(line) for block in blocks for line in block.splitlines()]
        self.assertGreater(len(lines), 5)
        for name, *args in lines:
            with self.subTest(args=args):
                self.assertEqual(name, "isogram")
                self.succeed(*args, "--quiet")
                rows = 6 if "--include" in args else n
                self.assertEqual(self.read(args[-1]).shape, (rows, m if "Y.npy" in args else rows))


if __name__ == "__main__":
    cli.main("test_kernels_doc.py")
