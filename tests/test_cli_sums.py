#!/usr/bin/env python3
"""The command does what it says: isogram apply, kde, knn and regress, as a user calls them.

test_cli_sums.py PATH_TO_ISOGRAM [unittest's arguments]
"""
import math
import random

import cli
from cli import needs_f64

EPSILON = {"<f4": 2.0**-24, "<f8": 2.0**-53}


def dist2(x, y):
    return sum((a - b) ** 2 for a, b in zip(x, y))


class Sums(cli.Case):
    """Points X (n x d) and Y (m x d), in lists of rows and in files of single precision."""

    def setUp(self):
        super().setUp()
        self.random = random.Random(5)

    def points(self, name, n, d, descr="<f4"):
        values = [round(self.random.uniform(-2, 2) * 2**10) / 2**10 for _ in range(n * d)]
        self.save(name, descr, (n, d), values)
        return [values[i * d : (i + 1) * d] for i in range(n)]

    def vector(self, name, n, low=-1, descr="<f4"):
        values = [round(self.random.uniform(low, 1) * 2**10) / 2**10 for _ in range(n)]
        self.save(name, descr, (n,), values)
        return values

    def check_values(self, array, shape, want, relative):
        self.assertEqual(array.shape, tuple(shape))
        for at, (got, value) in enumerate(zip(array.values, want)):
            if not abs(got - value) <= relative:
                self.fail(f"element {at} is {got!r}, not {value!r}")


class Apply(Sums):
    def test_products(self):
        x, y = self.points("x.npy", 13, 3), self.points("y.npy", 1100, 3)
        v, w, old = self.vector("v.npy", 1100), self.vector("w.npy", 13), self.vector("old.npy", 13)
        k = [[math.exp(-dist2(p, q) / 8) for q in y] for p in x]
        forward = [sum(a * b for a, b in zip(row, v)) for row in k]
        back = [sum(row[j] * w[i] for i, row in enumerate(k)) for j in range(1100)]
        for options, shape, want in [
            (["--weights", "v.npy"], (13,), forward),
            (["--weights", "v.npy", "--alpha", -2], (13,), [-2 * s for s in forward]),
            (["--weights", "v.npy", "--add", "old.npy"], (13,), [s + o for s, o in zip(forward, old)]),
            (["--weights", "v.npy", "--add", "old.npy", "--beta", 0.5], (13,),
             [s + o / 2 for s, o in zip(forward, old)]),
            (["--weights", "w.npy", "--transpose"], (1100,), back),
        ]:
            with self.subTest(options=options):
                self.succeed("apply", "x.npy", "y.npy", "--sigma", 2, *options, "-o", "out.npy", "--quiet")
                self.check_values(self.read("out.npy"), shape, want, 2e-4)

    @needs_f64
    def test_sums_in_double(self):
        x = self.points("x.npy", 50, 2)
        v = self.vector("v.npy", 50)
        report = self.succeed("apply", "x.npy", "--weights", "v.npy", "--accumulate", "f64", "-o", "out.npy",
                              "--json").json
        self.assertEqual((report["command"], report["dtype"], report["shape"]), ("apply", "float64", [50, 1]))
        self.assertGreater(report["pairs_per_s"], 0)
        # The product of the very K that is stored in single precision.
        self.succeed("gram", "x.npy", "-o", "k.npy", "--quiet")
        k = self.read("k.npy").rows()
        self.check_values(self.read("out.npy"), (50,), [math.fsum(a * b for a, b in zip(row, v)) for row in k], 1e-12)
        self.assertEqual(len(x), 50)

    def test_columns_are_alone(self):
        """The bits of a column are those that it has alone; those of K(X, X) times it, of K(X, Y) for Y = X."""
        self.points("x.npy", 40, 5)
        matrix = [self.random.uniform(-1, 1) for _ in range(40 * 7)]
        self.save("v.npy", "<f4", (40, 7), matrix)
        self.save("v3.npy", "<f4", (40,), matrix[3::7])
        self.succeed("apply", "x.npy", "--weights", "v.npy", "-o", "all.npy", "--quiet")
        self.succeed("apply", "x.npy", "x.npy", "--weights", "v3.npy", "-o", "one.npy", "--quiet")
        self.assertEqual(self.read("all.npy").values[3::7], self.read("one.npy").values)

    def test_refusals(self):
        self.points("x.npy", 4, 2)
        self.vector("v.npy", 4)
        self.vector("short.npy", 3)
        for args, code, words in [
            ([], cli.USAGE, "which points"),
            (["x.npy", "-o", "o.npy"], cli.USAGE, "--weights"),
            (["x.npy", "--weights", "v.npy"], cli.USAGE, "what for"),
            (["x.npy", "--weights", "v.npy", "-o", "v.npy"], cli.USAGE, "both read and written"),
            (["x.npy", "--weights", "v.npy", "--plot", "o.png"], cli.USAGE, "picture"),
            (["x.npy", "--weights", "v.npy", "-o", "o.npy", "--beta", "2"], cli.USAGE, "--add"),
            (["x.npy", "--weights", "v.npy", "-o", "o.npy", "--alpha", "0"], cli.USAGE, "--alpha"),
            (["x.npy", "--weights", "v.npy", "-o", "o.npy", "--accumulate", "f32"], cli.USAGE, "--accumulate"),
            (["x.npy", "--weights", "-", "-o", "o.npy", "--add", "-"], cli.USAGE, "standard input"),
            (["x.npy", "--weights", "short.npy", "-o", "o.npy"], cli.FAILED, ["V is 3 x 1", "4 rows"]),
            (["x.npy", "--weights", "v.npy", "-o", "o.npy", "--add", "short.npy"], cli.FAILED, "shape"),
            (["x.npy", "--weights", "none.npy", "-o", "o.npy"], cli.FAILED, "none.npy"),
        ]:
            with self.subTest(args=args):
                self.check_refusal(self.run_command("apply", *args), code, words)
                self.assertFalse(self.path("o.npy").exists())


class Kde(Sums):
    def density(self, data, place, sigma, weights=None):
        weights = weights or [1] * len(data)
        terms = sum(w * math.exp(-dist2(place, p) / (2 * sigma**2)) for p, w in zip(data, weights))
        return terms / sum(weights) / (sigma * math.sqrt(2 * math.pi)) ** len(place)

    def test_places(self):
        data, places = self.points("x.npy", 1200, 3), self.points("p.npy", 20, 3)
        weights = self.vector("w.npy", 1200, 0)
        self.succeed("kde", "x.npy", "p.npy", "--sigma", 0.5, "-o", "log.npy", "--quiet")
        self.check_values(self.read("log.npy"), (20,), [math.log(self.density(data, p, 0.5)) for p in places], 2e-5)
        self.succeed("kde", "x.npy", "p.npy", "--sigma", 0.5, "-o", "w-out.npy", "--weights", "w.npy", "--density",
                     "--quiet")
        self.check_values(self.read("w-out.npy"), (20,), [self.density(data, p, 0.5, weights) for p in places], 1e-5)

    def test_far_from_all_data(self):
        """Where the density underflows, its logarithm is there."""
        self.save("x.npy", "<f4", (2, 1), [0, 1])
        self.save("p.npy", "<f4", (1, 1), [101])
        self.succeed("kde", "x.npy", "p.npy", "--sigma", 0.5, "-o", "o.npy", "--quiet")
        want = -20000 - math.log(2) - math.log(0.5 * math.sqrt(2 * math.pi))
        self.check_values(self.read("o.npy"), (1,), [want], 20000 * 2e-7)

    def test_grid(self):
        data = self.points("x.npy", 300, 2)
        report = self.succeed("kde", "x.npy", "--sigma", 0.3, "--grid", "9,17", "--density", "-o", "g.npy", "--plot",
                              "g.png", "--json").json
        self.assertEqual((report["command"], report["shape"], report["sigma"]), ("kde", [9, 17], 0.3))
        self.assertGreater(cli.png_size(self.path("g.png").read_bytes())[0], 16)
        low, high = ([f(p[k] for p in data) for k in range(2)] for f in (min, max))
        want = [
            self.density(data, (low[0] - 0.9 + (high[0] - low[0] + 1.8) * c / 16,
                                high[1] + 0.9 - (high[1] - low[1] + 1.8) * r / 8), 0.3)
            for r in range(9) for c in range(17)
        ]
        self.check_values(self.read("g.npy"), (9, 17), want, 1e-5)

    def test_refusals(self):
        self.points("x.npy", 4, 3)
        for args, code, words in [
            ([], cli.USAGE, "which points"),
            (["x.npy", "-o", "o.npy"], cli.USAGE, "bandwidth"),
            (["x.npy", "-o", "o.npy", "--sigma", "0"], cli.USAGE, "--sigma '0'"),
            (["x.npy", "--sigma", "1", "--plot", "o.png"], cli.USAGE, "--grid"),
            (["x.npy", "x.npy", "--sigma", "1", "--grid", "3,3", "-o", "o.npy"], cli.USAGE, "one argument too many"),
            (["x.npy", "--sigma", "1", "--grid", "3", "-o", "o.npy"], cli.USAGE, "--grid '3'"),
            (["x.npy", "--sigma", "1", "--grid", "3,0", "-o", "o.npy"], cli.USAGE, "--grid '3,0'"),
            (["x.npy", "--sigma", "1", "--grid", "3,3", "-o", "o.npy"], cli.FAILED, "two coordinates"),
        ]:
            with self.subTest(args=args):
                self.check_refusal(self.run_command("kde", *args), code, words)


class Knn(Sums):
    def test_neighbours(self):
        x, y = self.points("x.npy", 30, 4), self.points("y.npy", 1300, 4)
        self.succeed("knn", "x.npy", "y.npy", "--count", 5, "-o", "i.npy", "--distances", "d.npy", "--quiet")
        indices, distances = self.read("i.npy"), self.read("d.npy")
        self.assertEqual((indices.descr, indices.shape, distances.shape), ("<i8", (30, 5), (30, 5)))
        for p, got, far in zip(x, indices.rows(), distances.rows()):
            order = sorted(range(1300), key=lambda j: (dist2(p, y[j]), j))[:5]
            self.assertEqual(got, order)  # coordinates are multiples of 2^-10: squares are exact
            for j, d in zip(order, far):
                self.assertAlmostEqual(d, math.sqrt(dist2(p, y[j])), delta=1e-6)

    def test_itself_and_ties(self):
        self.save("x.npy", "<f4", (4, 1), [1, 0, 1, 2])
        self.succeed("knn", "x.npy", "--count", 3, "--metric", "cityblock", "-o", "i.npy", "--quiet")
        self.assertEqual(self.read("i.npy").rows(), [[0, 2, 1], [1, 0, 2], [0, 2, 1], [3, 0, 2]])

    def test_refusals(self):
        self.points("x.npy", 4, 3)
        for args, code, words in [
            ([], cli.USAGE, "which points"),
            (["x.npy"], cli.USAGE, "what for"),
            (["x.npy", "-o", "o.npy", "--count", "0"], cli.USAGE, "--count '0'"),
            (["x.npy", "-o", "o.npy", "--metric", "euclid"], cli.USAGE, "euclid"),
            (["x.npy", "-o", "o.npy", "--distances", "o.npy"], cli.USAGE, "one file"),
            (["x.npy", "-o", "o.npy", "--count", "5"], cli.FAILED, ["5 values", "1 to 4"]),
        ]:
            with self.subTest(args=args):
                self.check_refusal(self.run_command("knn", *args), code, words)


class Regress(Sums):
    def test_means(self):
        data, places = self.points("x.npy", 1100, 2), self.points("p.npy", 15, 2)
        values, weights = self.vector("v.npy", 1100), self.vector("w.npy", 1100, 0)
        for options, factors in [([], [1] * 1100), (["--weights", "w.npy"], weights)]:
            want = []
            for p in places:
                k = [f * math.exp(-dist2(p, q) / 0.18) for q, f in zip(data, factors)]
                want.append(sum(a * b for a, b in zip(k, values)) / sum(k))
            self.succeed("regress", "x.npy", "v.npy", "p.npy", "--sigma", 0.3, *options, "-o", "o.npy", "--quiet")
            self.check_values(self.read("o.npy"), (15,), want, 2e-5)

    def test_far_from_all_data(self):
        """The nearest value, where every weight is too small to be a number."""
        self.save("x.npy", "<f4", (2, 1), [0, 1])
        self.save("v.npy", "<f4", (2, 2), [3, -1, 5, 7])
        self.save("p.npy", "<f4", (2, 1), [101, -101])
        self.succeed("regress", "x.npy", "v.npy", "p.npy", "--sigma", 0.5, "-o", "o.npy", "--quiet")
        self.assertEqual(self.read("o.npy").values, [5, 7, 3, -1])

    def test_refusals(self):
        self.points("x.npy", 4, 3)
        self.vector("v.npy", 3)
        for args, code, words in [
            (["x.npy", "v.npy"], cli.USAGE, "which data"),
            (["x.npy", "v.npy", "x.npy"], cli.USAGE, "what for"),
            (["x.npy", "v.npy", "x.npy", "-o", "o.npy"], cli.FAILED, "4 rows"),
        ]:
            with self.subTest(args=args):
                self.check_refusal(self.run_command("regress", *args), code, words)


class Cluster(Sums):
    """--cluster puts points in order and results back; --skip leaves out nothing but 0."""

    def strings(self, name, n, d=2):
        """Points of some places that lie apart, mixed."""
        values = [round((self.random.uniform(0, 1) + 40 * (i % 5) * (k == 0)) * 2**10) / 2**10 for i in range(n) for k in range(d)]
        self.save(name, "<f4", (n, d), values)
        return [values[i * d : (i + 1) * d] for i in range(n)]

    def test_products(self):
        x, y = self.strings("x.npy", 1300), self.strings("y.npy", 2100)
        v, w, old = self.vector("v.npy", 2100), self.vector("w.npy", 1300), self.vector("old.npy", 1300)
        self.save("mask.npy", "|b1", (1300,), [i % 3 != 0 for i in range(1300)])
        near = [[q for q in range(2100) if q % 5 == p % 5] for p in range(5)]
        forward = [sum(v[j] * math.exp(-2 * dist2(p, y[j])) for j in near[i % 5]) for i, p in enumerate(x)]
        back = [0.0] * 2100
        for i, p in enumerate(x):
            for j in near[i % 5]:
                back[j] += w[i] * math.exp(-2 * dist2(p, y[j]))
        included = [i for i in range(1300) if i % 3]
        own = [sum(w[j] * math.exp(-2 * dist2(p, x[j])) for j in range(i % 5, 1300, 5)) for i, p in enumerate(x[:40])]
        for files, options, want in [
            (["x.npy", "y.npy"], ["--weights", "v.npy"], forward),
            (["x.npy", "y.npy"], ["--weights", "v.npy", "--add", "old.npy"], [a + b for a, b in zip(forward, old)]),
            (["x.npy", "y.npy"], ["--weights", "w.npy", "--transpose"], back),
            (["x.npy", "y.npy"], ["--weights", "v.npy", "--include", "mask.npy"], [forward[i] for i in included]),
            (["x.npy", "y.npy"], ["--weights", "v.npy", "--include", "mask.npy", "--factors", "w.npy"],
             [w[i] * forward[i] for i in included]),
            (["x.npy"], ["--weights", "w.npy"], own),
        ]:
            with self.subTest(options=options):
                for skip in ("always", "never"):
                    report = self.succeed("apply", *files, *options, "--gamma", 2, "--cluster", "--skip", skip, "-o",
                                          f"{skip}.npy", "--json").json
                    skipping = report["skipping"]
                    self.assertEqual(skipping["bound"], 0)
                    part = skipping["computed"] / skipping["pairs"]
                    self.assertTrue(part < 0.5 if skip == "always" else part == 1, part)
                    self.assertGreaterEqual(report["seconds"]["cluster"], 0)
                got = self.read("always.npy")
                self.assertEqual(got.values, self.read("never.npy").values)
                for a, b in zip(got.values, want):
                    self.assertAlmostEqual(a, b, delta=2e-4)
                self.assertEqual(got.shape, (len(got.values),))

    def test_reductions(self):
        data, places = self.strings("x.npy", 1500), self.strings("p.npy", 320)
        values, weights = self.vector("v.npy", 1500), self.vector("w.npy", 1500, 0)
        density, means = [], []
        for i, p in enumerate(places):
            k = [weights[j] * math.exp(-2 * dist2(p, data[j])) for j in range(i % 5, 1500, 5)]
            density.append(math.log(sum(k) / sum(weights) * 2 / math.pi))
            means.append(sum(a * b for a, b in zip(k, values[i % 5 :: 5])) / sum(k))
        for args, want in [(["kde", "x.npy", "p.npy", "--sigma", 0.5, "--weights", "w.npy"], density),
                           (["regress", "x.npy", "v.npy", "p.npy", "--sigma", 0.5, "--weights", "w.npy"], means)]:
            for skip in ("always", "never"):
                report = self.succeed(*args, "--cluster", "--skip", skip, "-o", f"{skip}.npy", "--json").json
                part = report["skipping"]["computed"] / report["skipping"]["pairs"]
                self.assertTrue(part < 0.6 if skip == "always" else part == 1, part)
            self.assertEqual(self.read("always.npy").values, self.read("never.npy").values)
            self.check_values(self.read("always.npy"), (320,), want, 2e-4)
        self.points("g.npy", 200, 2)
        for name in ("plain", "clustered"):
            self.succeed("kde", "g.npy", "--sigma", 0.3, "--grid", "5,7", *["--cluster"] * (name == "clustered"), "-o",
                         f"{name}.npy", "--quiet")
        self.check_values(self.read("clustered.npy"), (5, 7), self.read("plain.npy").values, 1e-4)

    def test_tolerance(self):
        self.strings("x.npy", 700)
        v = self.vector("v.npy", 700)
        for tolerance in ("0", "0.01"):
            report = self.succeed("apply", "x.npy", "--weights", "v.npy", "--kernel", "cauchy", "--cluster", "--skip", "always",
                                  "--tolerance", tolerance, "-o", f"{tolerance}.npy", "--json").json["skipping"]
            self.assertEqual((report["bound"], report["computed"] < report["pairs"]), (float(tolerance), tolerance != "0"))
        most = 0.01 * sum(map(abs, v)) + 1e-3
        self.check_values(self.read("0.01.npy"), (700,), self.read("0.npy").values, most)

    def test_nothing(self):
        self.save("none.npy", "<f4", (0, 2), [])
        self.save("empty.npy", "<f4", (0,), [])
        self.points("x.npy", 3, 2)
        self.vector("v.npy", 3)
        for cluster in ([], ["--cluster"]):
            for args, shape, want in [
                (["apply", "x.npy", "none.npy", "--weights", "empty.npy"], (3,), [0, 0, 0]),
                (["apply", "none.npy", "x.npy", "--weights", "v.npy"], (0,), []),
                (["kde", "none.npy", "x.npy", "--sigma", 1], (3,), None),
                (["regress", "none.npy", "empty.npy", "x.npy"], (3,), None),
                (["regress", "x.npy", "v.npy", "none.npy"], (0,), []),
            ]:
                with self.subTest(args=args):
                    self.succeed(*args, *cluster, "-o", "o.npy", "--quiet")
                    got = self.read("o.npy")
                    self.assertEqual(got.shape, shape)
                    if want is None:
                        self.assertFalse(any(math.isfinite(value) for value in got.values))
                    else:
                        self.assertEqual(got.values, want)
        self.check_refusal(self.run_command("knn", "x.npy", "none.npy", "-o", "k.npy"), cli.FAILED, "1 to 0")

    def test_refusals(self):
        self.points("x.npy", 4, 2)
        self.vector("v.npy", 4)
        self.vector("short.npy", 3)
        self.save("nan.npy", "<f4", (2, 2), [1, 2, 3, math.nan])
        for args, code, words in [
            (["--weights", "v.npy", "--skip", "often"], cli.USAGE, "--skip 'often'"),
            (["--weights", "v.npy", "--tolerance", "1"], cli.USAGE, "--tolerance '1'"),
            (["--weights", "v.npy", "--tolerance", "-1"], cli.USAGE, "--tolerance '-1'"),
            (["--weights", "short.npy", "--cluster"], cli.FAILED, ["V is 3 x 1", "4 rows"]),
            (["nan.npy", "--weights", "v.npy", "--cluster"], cli.FAILED, ["nan.npy", "row 1, column 1"]),
        ]:
            with self.subTest(args=args):
                self.check_refusal(self.run_command("apply", "x.npy", *args, "-o", "o.npy"), code, words)
                self.assertFalse(self.path("o.npy").exists())


if __name__ == "__main__":
    cli.main("test_cli_sums.py")
