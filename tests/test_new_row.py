#!/usr/bin/env python3
"""One formula, its derivative and one row are all that a new covariance function needs: test_new_row.py ROOT CC...

Puts the texts of docs/adding-a-kernel.md into a copy of the tree, builds the command there, and uses the row in every way there is,
against exact values; then makes the golden hashes and has the certificate check them.
"""
import math
import os
import re
import shlex
import shutil
import struct
import subprocess
import sys
import time
import unittest
from decimal import Decimal, getcontext
from pathlib import Path

import cli
from cli import needs_f64

getcontext().prec = 60  # digits, of exact values

source = None  # the tree under test
copy = build = None
golden_run = None  # the tool, at work from the moment that it is built
LENGTH = 2  # lengthscale: a power of two, so that r is rounded once


def spherical(r):
    """Its value, and s dk/ds = r/2 dk/dr, which errors of the pair's number s are multiplied by."""
    if r >= 1:
        return Decimal(0), Decimal(0)
    return 1 - 3 * r / 2 + r**3 / 2, -3 * r * (1 - r * r) / 4


EXACT = {"spherical": spherical}  # of the row that the document teaches with


BARE = "nameless"  # the same row once more, without a derivative


def blocks():
    """The formula, the derivative and the row, as the document has them, and the row's name."""
    text = (source / "docs" / "adding-a-kernel.md").read_text(encoding="utf-8")
    formula, derivative, row = re.findall(r"^```c\n(.*?)^```$", text, re.M | re.S)
    name = re.match(r"KERNEL\((\w+),", row)[1]
    assert f"real f_{name}(" in formula and f"real d_{name}(" in derivative
    return formula, derivative, row, name


def old_rows():
    return re.findall(r"^KERNEL\((\w+),", (source / "lib" / "kernels.def").read_text(encoding="utf-8"), re.M)


def ninja(*targets):
    tool = next(filter(None, map(shutil.which, ("ninja", "ninja-build", "samu"))))
    subprocess.run([tool, "-C", build, *targets], check=True, stdout=subprocess.DEVNULL)


def make_copy(compiler):
    global copy, build, golden_run
    copy, build = cli.root / "tree", cli.root / "build"
    copy.mkdir()
    for entry in ("bench", "cl", "docs", "examples", "include", "lib", "tests", "tools"):
        shutil.copytree(source / entry, copy / entry, ignore=shutil.ignore_patterns("__pycache__"))
    for entry in ("meson.build", "meson_options.txt"):
        shutil.copy(source / entry, copy / entry)
    formula, derivative, row, name = blocks()
    registry = copy / "lib" / "kernels.def"
    for file, text in (("formulas.h", formula + formula.replace(f"f_{name}", f"f_{BARE}")), ("slopes.h", derivative)):
        path = copy / "cl" / file
        before, end = path.read_text(encoding="utf-8").rsplit("#endif", 1)
        path.write_text(f"{before}{text}\n#endif{end}", encoding="utf-8")
    bare = re.match(r"KERNEL.*?\)\n(?=DERIVATIVES)", row, re.S)[0].replace(f"KERNEL({name}", f"KERNEL({BARE}")
    registry.write_text(registry.read_text(encoding="utf-8") + row + bare, encoding="utf-8")
    env = dict(os.environ, CC=shlex.join(compiler)) if compiler else None
    # Little to optimise, for more is compiled than run.
    subprocess.run(["meson", "setup", "-Dwerror=true", "-Doptimization=1", "-Ddebug=false", build, copy], check=True, env=env, stdout=subprocess.DEVNULL)
    ninja("tools/isogram", "tests/golden")
    cli.command = str(build / "tools" / "isogram")
    golden_run = subprocess.Popen([build / "tests" / "golden", "--new", copy / "tests" / "golden" / "isogram-2.txt"],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


class NewRow(cli.Case):
    def setUp(self):
        super().setUp()
        self.name = blocks()[3]

    def gram(self, *args):
        self.succeed("gram", *args, "-o", "k.npy", "--quiet")
        return self.read("k.npy")

    def points(self, descr):
        """Points all over a lengthscale, some of them equal, some just one lengthscale apart."""
        state, values = 1, []
        for _ in range(3 * 18):
            state = state * 6364136223846793005 % 2**64
            values.append((state >> 11) * 2.0**-53 * 2.5)
        values += values[:3] + [1, 1, 1, 1 + LENGTH, 1, 1]
        self.save("x.npy", descr, (len(values) // 3, 3), values)
        self.save("y.npy", descr, (10, 3), values[-30:])
        return self.read("x.npy").rows(), self.read("y.npy").rows()

    def test_listed(self):
        report = self.succeed("kernels", "--json").json["kernels"]
        self.assertEqual([row["name"] for row in report], old_rows() + [self.name, BARE])
        self.assertIn(f'"{report[-2]["formula"]}"', blocks()[2])
        self.assertIn(f"\n{self.name}\n", self.succeed("kernels").out.decode())

    def test_name_is_suggested(self):
        self.points("<f4")
        wrong = self.name[:-2] + self.name[-1]
        result = self.run_command("gram", "x.npy", "-o", "k.npy", "--kernel", wrong)
        self.check_refusal(result, cli.USAGE, f"did you mean '{self.name}'?")

    def check_values(self, descr, digits):
        """The bound of docs/numerics.md: (d + 4) eps |s dk/ds|, which is what the pair's number loses in its sum, and 2 ulp of the formula."""
        x, y = self.points(descr)
        eps = Decimal(2) ** (1 - digits)
        for arithmetic in ("fused", "unfused"):
            options = ("--kernel", self.name, "--lengthscale", LENGTH, "--arithmetic", arithmetic)
            k = self.gram("x.npy", "y.npy", *options)
            self.assertEqual(k.descr, descr)
            for i, p in enumerate(x):
                for j, q in enumerate(y):
                    s = sum((Decimal(a) - Decimal(b)) ** 2 for a, b in zip(p, q))
                    value, slope = EXACT[self.name](s.sqrt() / LENGTH)
                    ulp = Decimal(2) ** (math.frexp(value)[1] - digits) if value else 0
                    error = abs(Decimal(k[i, j]) - value)
                    self.assertLessEqual(error, 7 * eps * abs(slope) + 2 * ulp, (arithmetic, p, q, k[i, j], value))

    def test_values_f32(self):
        self.check_values("<f4", 24)

    @needs_f64
    def test_values_f64(self):
        self.check_values("<f8", 53)

    def test_matrix(self):
        self.points("<f4")
        options = ("--kernel", self.name, "--lengthscale", LENGTH)
        k = self.gram("x.npy", *options)
        n = k.shape[0]
        self.assertEqual([k[i, i] for i in range(n)], [1] * n)
        self.assertEqual((k[0, n - 3], k[n - 2, n - 1]), (1, 0))  # equal points, and those one lengthscale apart
        for i in range(n):
            for j in range(i):
                self.assertEqual(k[i, j], k[j, i])
        self.assertEqual(self.gram("x.npy", "x.npy", *options).values, k.values)
        each = ",".join([str(LENGTH)] * 3)
        self.assertEqual(self.gram("x.npy", "--kernel", self.name, "--lengthscale", each).values, k.values)

    def test_composite(self):
        self.points("<f4")
        one = self.gram("x.npy", "--kernel", self.name, "--lengthscale", LENGTH)
        other = self.gram("x.npy", "--kernel", "rbf")
        both = self.gram("x.npy", "--kernel", f"0.5*{self.name}(lengthscale={LENGTH}) + rbf")
        sums = [struct.unpack("<f", struct.pack("<f", a / 2 + b))[0] for a, b in zip(one.values, other.values)]
        self.assertEqual(both.values, sums)

    def check_gradient(self, descr, tolerance):
        """Against differences of exact values, beside the size of their terms."""
        step = Decimal(10) ** -20
        x, y = self.points(descr)
        self.save("v.npy", descr, (len(x),), [1] * len(x))
        self.save("w.npy", descr, (len(y),), [1] * len(y))
        report = self.succeed("gradient", "x.npy", "y.npy", "--kernel", self.name, "--lengthscale", LENGTH, "--v",
                              "v.npy", "--w", "w.npy", "--x", "gx.npy", "--json").json

        def value(p, q, length):
            return EXACT[self.name](sum((a - b) ** 2 for a, b in zip(p, q)).sqrt() / length)[0]

        def slope(f):
            return (f(step) - f(-step)) / (2 * step)

        x, y = ([[Decimal(a) for a in row] for row in rows] for rows in (x, y))
        got = self.read("gx.npy")
        for i, p in enumerate(x):
            for k in range(3):
                terms = [slope(lambda h: value(p[:k] + [p[k] + h] + p[k + 1:], q, Decimal(LENGTH))) for q in y]
                self.assertLessEqual(abs(Decimal(got[i, k]) - sum(terms)), tolerance * sum(map(abs, terms)), (i, k))
        terms = [slope(lambda h: value(p, q, LENGTH + h)) for p in x for q in y]
        (parameter,) = report["parameters"]
        self.assertEqual((parameter["name"], parameter["value"], parameter["kernel"]), ("lengthscale", LENGTH, self.name))
        self.assertLessEqual(abs(Decimal(parameter["derivative"]) - sum(terms)), tolerance * sum(map(abs, terms)))

    def test_gradient_f32(self):
        self.check_gradient("<f4", Decimal("1e-5"))

    @needs_f64
    def test_gradient_f64(self):
        self.check_gradient("<f8", Decimal("1e-12"))

    def test_without_derivative(self):
        x, _ = self.points("<f4")
        self.save("v.npy", "<f4", (len(x),), [1] * len(x))
        values = [self.gram("x.npy", "--kernel", name, "--lengthscale", LENGTH).values for name in (self.name, BARE)]
        self.assertEqual(*values)
        for kernel in (BARE, f"rbf + 2*{BARE}"):
            result = self.run_command("gradient", "x.npy", "--v", "v.npy", "--kernel", kernel, "--x", "gx.npy")
            self.check_refusal(result, cli.FAILED, f"{BARE} has no derivative")

    def test_certificate(self):
        before = (source / "tests" / "golden" / "isogram-2.txt").read_text(encoding="ascii").splitlines()
        said = golden_run.communicate()
        after = (copy / "tests" / "golden" / "isogram-2.txt").read_text(encoding="ascii").splitlines()
        added = [line for line in after if line not in set(before)]
        kept = sum(line[0] != "#" for line in before)
        self.assertEqual((golden_run.returncode, said[1]), (0, ""))
        self.assertTrue(said[0].endswith(f"isogram-2.txt: {len(added)} hashes added, {kept} kept\n"), said)
        self.assertEqual([line for line in after if line in set(before)], before)
        for line in added:
            self.assertRegex(line, f" (formula|gram) ({self.name}|{BARE})/")
        for word in ("formula", "gram"):
            for contract in ("f32/unfused", "f32/fused", "f64/unfused", "f64/fused"):
                self.assertTrue(any(f"/{contract} full {word} {self.name}/" in line for line in added))

        # The quick certificate has every row's formula. Its Gram matrices are in the full one, which takes a minute.
        ninja("tools/isogram")
        precisions = [p for p in ("f32", "f64") if p in cli.chosen_device()]
        for precision, arithmetic in zip(precisions, ("fused", "unfused")):  # values are tried in all four contracts
            report = self.succeed("verify", "--quick", "--json", "--precision", precision, "--arithmetic", arithmetic,
                                  timeout=5 * cli.TIMEOUT).json
            checks = [check["status"] for check in report["checks"] if check["what"] == f"formula {self.name}"]
            self.assertEqual((checks, report["different"], report["failed"]), (["ok"], 0, 0))


def main(root, *compiler):
    global source
    source = Path(root)
    name = blocks()[2]
    if name in old_rows():
        sys.exit(f"the library has '{name}' now: teach docs/adding-a-kernel.md with a row that it lacks")
    start = time.monotonic()
    with cli.private_place():
        make_copy(compiler)
        try:
            result = unittest.main(argv=["test_new_row.py"], exit=False).result
        finally:
            golden_run.kill()
            golden_run.wait()
    print(f"test_new_row.py: {result.testsRun} tests, {len(result.failures) + len(result.errors)} failed, "
          f"{time.monotonic() - start:.1f} s")
    sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)


if __name__ == "__main__":
    main(*sys.argv[1:])
