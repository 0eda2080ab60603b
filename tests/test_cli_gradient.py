#!/usr/bin/env python3
"""The command does what it says: isogram gradient, as a user calls it.

test_cli_gradient.py PATH_TO_ISOGRAM [unittest's arguments]
"""
import math
import random

import cli
from cli import needs_f64


class Gradient(cli.Case):
    """Points X (n x d) and Y (m x d), in lists of rows and in files of single precision."""

    def setUp(self):
        super().setUp()
        self.random = random.Random(7)

    def matrix(self, name, n, d, descr="<f4"):
        values = [round(self.random.uniform(-2, 2) * 2**10) / 2**10 for _ in range(n * d)]
        self.save(name, descr, (n, d), values)
        return [values[i * d : (i + 1) * d] for i in range(n)]

    def close(self, got, terms, relative, what):
        terms = list(terms)
        self.assertLessEqual(abs(got - math.fsum(terms)), relative * math.fsum(map(abs, terms)), what)

    def check_gaussian(self, descr, relative):
        x, y = self.matrix("x.npy", 9, 3, descr), self.matrix("y.npy", 12, 3, descr)
        v, w = self.matrix("v.npy", 9, 2, descr), self.matrix("w.npy", 12, 2, descr)
        report = self.succeed("gradient", "x.npy", "y.npy", "--sigma", 2, "--v", "v.npy", "--w", "w.npy", "--x", "gx.npy",
                              "--y", "gy.npy", "--json").json
        c = [[sum(a * b for a, b in zip(p, q)) for q in w] for p in v]
        s = [[sum((a - b) ** 2 for a, b in zip(p, q)) for q in y] for p in x]
        g = [[c[i][j] * math.exp(-s[i][j] / 8) for j in range(12)] for i in range(9)]
        gx, gy = self.read("gx.npy"), self.read("gy.npy")
        self.assertEqual((gx.shape, gy.shape, gx.descr), ((9, 3), (12, 3), descr))
        for k in range(3):
            for i in range(9):
                self.close(gx[i, k], (-g[i][j] * (x[i][k] - y[j][k]) / 4 for j in range(12)), relative, (i, k))
            for j in range(12):
                self.close(gy[j, k], (g[i][j] * (x[i][k] - y[j][k]) / 4 for i in range(9)), relative, (j, k))
        self.succeed("gradient", "x.npy", "y.npy", "--sigma", 2, "--v", "v.npy", "--w", "w.npy", "--x", "again.npy",
                     "--points-only", "--quiet")
        self.assertEqual(self.read("again.npy").values, gx.values)
        (sigma,) = report["parameters"]
        self.assertEqual((sigma["name"], sigma["value"], sigma["kernel"], sigma["row"]), ("sigma", 2, "rbf", 0))
        self.close(sigma["derivative"], (g[i][j] * s[i][j] / 8 for i in range(9) for j in range(12)), relative, "sigma")
        self.assertEqual((report["command"], report["x"], report["y"]), ("gradient", "gx.npy", "gy.npy"))
        self.assertGreater(report["pairs_per_s"], 0)

    def test_gaussian_f32(self):
        self.check_gaussian("<f4", 1e-5)

    @needs_f64
    def test_gaussian_f64(self):
        self.check_gaussian("<f8", 1e-12)

    def test_one_set(self):
        """x' K(X, X) x by X: both sides of K move. Without --w, W is V."""
        x = self.matrix("x.npy", 8, 2)
        v = self.matrix("v.npy", 8, 1)
        self.succeed("gradient", "x.npy", "--kernel", "linear", "--v", "v.npy", "--x", "gx.npy", "--quiet")
        got = self.read("gx.npy")
        for i in range(8):
            for k in range(2):
                self.close(got[i, k], (2 * v[i][0] * v[j][0] * x[j][k] for j in range(8)), 1e-5, (i, k))

    def test_parameters(self):
        self.matrix("x.npy", 6, 2)
        self.matrix("v.npy", 6, 1)
        kernel = "2*rational_quadratic(alpha=0.5, lengthscale=3) + polynomial(degree=2)*periodic"
        report = self.succeed("gradient", "x.npy", "--kernel", kernel, "--v", "v.npy", "--json").json
        self.assertEqual([(p["name"], p["value"], p.get("row")) for p in report["parameters"]],
                         [("lengthscale", 3, 0), ("alpha", 0.5, 0), ("factor", 2, None), ("gamma", 0.5, 1), ("coef0", 1, 1),
                          ("lengthscale", 1, 2), ("period", 1, 2)])
        text = self.succeed("gradient", "x.npy", "--kernel", kernel, "--v", "v.npy").out.decode()
        self.assertRegex(text, r"df/d +lengthscale of row 0, rational_quadratic +-?[\d.]")
        report = self.succeed("gradient", "x.npy", "--lengthscale", "2,3", "--v", "v.npy", "--json").json
        self.assertEqual([(p["name"], p["value"], p["column"]) for p in report["parameters"]],
                         [("lengthscale", 2, 0), ("lengthscale", 3, 1)])

    def test_differences(self):
        """What apply's sums change by."""
        self.matrix("x.npy", 40, 2, "<f8")
        v = [row[0] for row in self.matrix("v.npy", 40, 1, "<f8")]

        def value(length):
            self.succeed("apply", "x.npy", "--weights", "v.npy", "--kernel", "matern32", "--lengthscale", length, "-o",
                         "k.npy", "--precision", precision, "--quiet")
            return math.fsum(a * b for a, b in zip(v, self.read("k.npy").values))

        precision = "f64" if "f64" in cli.chosen_device() else "f32"
        step = 1e-4 if precision == "f64" else 1e-2
        difference = (value(1.5 + step) - value(1.5 - step)) / (2 * step)
        report = self.succeed("gradient", "x.npy", "--v", "v.npy", "--kernel", "matern32", "--lengthscale", 1.5,
                              "--precision", precision, "--json").json
        self.assertAlmostEqual(report["parameters"][0]["derivative"], difference, delta=step * abs(difference))

    @needs_f64
    def test_sums_in_double(self):
        self.matrix("x.npy", 30, 2)
        self.matrix("v.npy", 30, 1)
        self.succeed("gradient", "x.npy", "--v", "v.npy", "--accumulate", "f64", "--x", "gx.npy", "--quiet")
        self.assertEqual(self.read("gx.npy").descr, "<f4")

    def test_numbers_that_are_none(self):
        self.matrix("x.npy", 4, 2)
        self.save("v.npy", "<f4", (4,), [1, math.nan, 1, 1])
        report = self.succeed("gradient", "x.npy", "--v", "v.npy", "--json", "--x", "gx.npy").json
        self.assertIsNone(report["parameters"][0]["derivative"])
        self.assertTrue(all(math.isnan(a) for a in self.read("gx.npy").values))

    def test_limits(self):
        self.matrix("x.npy", 300, 3)
        self.matrix("v.npy", 300, 1)
        report = self.succeed("gradient", "x.npy", "--v", "v.npy", "--limits", "--repeat", 2, "--json").json
        self.assertGreater(report["limits"]["seconds"], 0)

    def test_misuse(self):
        self.matrix("x.npy", 5, 2)
        self.matrix("v.npy", 5, 1)
        for words, args in [
            ("which points", ["--v", "v.npy"]),
            ("which weights", ["x.npy"]),
            ("which weights of Y's rows", ["x.npy", "x.npy", "--v", "v.npy"]),
            ("one set of points", ["x.npy", "--v", "v.npy", "--y", "gy.npy"]),
            ("not --output", ["x.npy", "--v", "v.npy", "-o", "gx.npy"]),
            ("leaves nothing", ["x.npy", "--v", "v.npy", "--points-only"]),
            ("no picture", ["x.npy", "--v", "v.npy", "--plot", "gx.png"]),
            ("one argument too many", ["x.npy", "x.npy", "x.npy", "--v", "v.npy"]),
            ("both read and written", ["x.npy", "--v", "v.npy", "--x", "v.npy"]),
            ("written twice", ["x.npy", "x.npy", "--v", "v.npy", "--w", "v.npy", "--x", "g.npy", "--y", "g.npy"]),
            ("it is f64", ["x.npy", "--v", "v.npy", "--accumulate", "f32"]),
        ]:
            with self.subTest(args=args):
                self.check_refusal(self.run_command("gradient", *args), cli.USAGE, words)

    def test_bad_input(self):
        self.matrix("x.npy", 5, 2)
        self.matrix("v.npy", 5, 2)
        self.matrix("w.npy", 5, 1)
        self.matrix("short.npy", 4, 2)
        self.save("nan.npy", "<f4", (5, 2), [math.nan] * 10)
        for words, args in [
            ("V is 4 x 2, and must have 5 rows", ["x.npy", "--v", "short.npy"]),
            ("W is 5 x 1, and must have 5 rows and 2 columns", ["x.npy", "--v", "v.npy", "--w", "w.npy"]),
            ("row 0, column 0", ["nan.npy", "--v", "v.npy"]),
            ("missing.npy", ["x.npy", "--v", "missing.npy"]),
        ]:
            with self.subTest(args=args):
                self.check_refusal(self.run_command("gradient", *args, "--x", "gx.npy"), cli.FAILED, words)


if __name__ == "__main__":
    cli.main("test_cli_gradient.py")
