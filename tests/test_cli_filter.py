#!/usr/bin/env python3
"""isogram filter, driven as a user would: values, types, reports, pictures, and what it refuses.

test_cli_filter.py PATH_TO_ISOGRAM [unittest's arguments]
"""
import math

import cli
import npy_util
from cli import DONE, FAILED, USAGE

MODES = ["reflect", "mirror", "nearest", "constant", "wrap"]


def source(mode, i, n):
    """The element at place i of n, or None for the constant."""
    if 0 <= i < n:
        return i
    if mode == "constant":
        return None
    if mode == "nearest":
        return min(max(i, 0), n - 1)
    if mode == "wrap":
        return i % n
    if mode == "mirror":
        i %= max(2 * n - 2, 1)
        return min(i, 2 * n - 2 - i) if n > 1 else 0
    i %= 2 * n
    return min(i, 2 * n - 1 - i)


def line(values, sigma, mode="reflect", cval=0.0, radius=None):
    radius = int(4 * sigma + 0.5) if radius is None else radius
    weights = {k: math.exp(-k * k / (2 * sigma * sigma)) for k in range(-radius, radius + 1)}
    total = math.fsum(weights.values())
    result = []
    for i in range(len(values)):
        terms = []
        for k, w in weights.items():
            at = source(mode, i + k, len(values))
            terms.append(w / total * (cval if at is None else values[at]))
        result.append(math.fsum(terms))
    return result


def plane(rows, sigma, mode="reflect"):
    columns = [line(column, sigma, mode) for column in zip(*rows)]
    return [line(row, sigma, mode) for row in zip(*columns)]


VECTOR = [math.sin(i * i) for i in range(23)]
IMAGE = [[math.cos(3 * i + j * j) for j in range(9)] for i in range(7)]
FLAT = [v for row in IMAGE for v in row]


class Filter(cli.Case):
    def filter(self, name, *options):
        self.succeed("filter", name, *options, "-o", "out.npy", "--quiet")
        return self.read("out.npy")

    def check_close(self, got, wanted, tolerance=1e-14):
        self.assertEqual(len(got), len(wanted))
        for at, (g, w) in enumerate(zip(got, wanted)):
            self.assertAlmostEqual(g, w, delta=tolerance, msg=f"element {at}")

    @cli.needs_f64
    def test_modes(self):
        self.save("x.npy", "<f8", (23,), VECTOR)
        for mode in MODES:
            a = self.filter("x.npy", "--sigma", 2, "--mode", mode, "--cval", 0.25)
            self.assertEqual((a.descr, a.shape), ("<f8", (23,)))
            self.check_close(a.values, line(VECTOR, 2, mode, 0.25))
        self.check_close(self.filter("x.npy", "--sigma", 2, "--mode", "grid-wrap").values, line(VECTOR, 2, "wrap"))
        self.check_close(self.filter("x.npy", "--sigma", 2, "--radius", 3).values, line(VECTOR, 2, radius=3))
        self.check_close(self.filter("x.npy", "--sigma", 2, "--truncate", 2).values, line(VECTOR, 2, radius=4))
        self.check_close(self.filter("x.npy", "--sigma", 2, "--like", "skimage").values, line(VECTOR, 2, "nearest"))

    @cli.needs_f64
    def test_axes(self):
        self.save("x.npy", "<f8", (7, 9), FLAT)
        wanted = [v for row in plane(IMAGE, 1.5) for v in row]
        self.check_close(self.filter("x.npy", "--sigma", 1.5).values, wanted)
        self.check_close(self.filter("x.npy", "--sigma", "1.5,1.5", "--mode", "reflect,reflect").values, wanted)
        rows = [v for row in IMAGE for v in line(row, 1.5)]
        for axes in ["1", "-1"]:
            self.check_close(self.filter("x.npy", "--sigma", 1.5, "--axes", axes).values, rows)
        self.check_close(self.filter("x.npy", "--sigma", "0,1.5").values, rows)
        self.save("f.npy", "<f8", (7, 9), FLAT, fortran=True)
        self.check_close(self.filter("f.npy", "--sigma", 1.5).values, wanted)

    @cli.needs_f64
    def test_exact_derivatives(self):
        self.save("x.npy", "<f8", (40,), [3.0 + 2 * i + i * i for i in range(40)])
        a = self.filter("x.npy", "--sigma", 0.6, "--order", 2, "--exact")
        self.check_close(a.values[3:37], [2.0] * 34, 1e-11)
        a = self.filter("x.npy", "--sigma", 0.6, "--order", 1, "--exact")
        self.check_close(a.values[3:37], [2.0 + 2 * i for i in range(3, 37)], 1e-11)

    def test_types(self):
        values = [(37 * i) % 256 for i in range(63)]
        self.save("u.npy", "|u1", (7, 9), values)
        wanted = [v for row in plane([values[9 * i : 9 * i + 9] for i in range(7)], 1) for v in row]
        a = self.filter("u.npy", "--sigma", 1)
        self.assertEqual(a.descr, "|u1")
        self.check_close(a.values, wanted, 0.501)
        a = self.filter("u.npy", "--sigma", 1, "--dtype", "float32")
        self.assertEqual(a.descr, "<f4")
        self.check_close(a.values, wanted, 255e-6)
        a = self.filter("u.npy", "--sigma", 1, "--order", "1,0", "--dtype", "int16")
        self.assertEqual(a.descr, "<i2")
        self.assertTrue(min(a.values) < 0 < max(a.values))

    def test_standard_input_and_output(self):
        data = npy_util.dump("<f4", (23,), VECTOR)
        result = self.succeed("filter", "-", "--sigma", 2, "-o", "-", "--quiet", stdin=data)
        self.check_close(npy_util.load(result.out).values, line(VECTOR, 2), 1e-6)

    def test_report(self):
        self.save("x.npy", "<f4", (7, 9), FLAT)
        report = self.succeed("filter", "x.npy", "--sigma", "1,2", "--order", "0,1", "-o", "out.npy", "--json").json
        self.assertEqual((report["command"], report["shape"], report["dtype"]), ("filter", [7, 9], "float32"))
        self.assertEqual([(a["axis"], a["sigma"], a["order"], a["weights"]) for a in report["axes"]], [(0, 1, 0, 9), (1, 2, 1, 17)])
        self.assertRegex(report["contract"], r"^isogram-2/f32/(un)?fused$")
        self.assertGreater(report["seconds"], 0)

    def test_pictures(self):
        for shape in [(63,), (7, 9), (7, 3, 3)]:
            self.save("x.npy", "<f4", shape, FLAT)
            self.succeed("filter", "x.npy", "--sigma", 1, "--plot", "x.png", "--quiet")
            width, height = cli.png_size(self.path("x.png").read_bytes())
            self.assertGreater(min(width, height), 20)

    @cli.needs_f64
    def test_gaps(self):
        values = [float("nan") if i % 7 == 3 or 10 <= i < 20 else v for i, v in enumerate(VECTOR)]
        mask = [int(i != 1) for i in range(23)]
        self.save("x.npy", "<f8", (23,), values)
        self.save("m.npy", "|b1", (23,), mask)
        weights = {k: math.exp(-k * k / 2) for k in range(-4, 5)}
        for options, preserve in [(["--mask", "m.npy"], False), (["--mask", "m.npy", "--nan", "preserve=-7"], True)]:
            wanted = []
            for i in range(23):
                near = [(w, source("reflect", i + k, 23)) for k, w in weights.items()]
                near = [(w, values[j]) for w, j in near if mask[j] and values[j] == values[j]]
                mean = math.fsum(w * v for w, v in near) / math.fsum(w for w, v in near) if near else float("nan")
                own = mask[i] and values[i] == values[i]
                wanted.append(mean if not preserve else mean if own else -7.0)
            got = self.filter("x.npy", "--sigma", 1, *options).values
            self.assertEqual([v != v for v in got], [v != v for v in wanted])
            self.check_close([v for v in got if v == v], [v for v in wanted if v == v], 1e-13)
        filled = [2.5 if v != v else v for v in values]
        self.check_close(self.filter("x.npy", "--sigma", 1, "--nan", "fill=2.5").values, line(filled, 1), 1e-13)
        report = self.succeed("filter", "x.npy", "--sigma", 1, "--mask", "m.npy", "--nan", "ignore", "-o", "out.npy", "--json").json
        self.assertEqual((report["nan"], report["mask"]), ("ignore", "m.npy"))

    def test_blocks(self):
        self.save("x.npy", "<f4", (120, 50), [math.sin(i * i) for i in range(6000)])
        whole = self.filter("x.npy", "--sigma", 2, "--mode", "wrap")
        self.assertEqual(self.filter("x.npy", "--sigma", 2, "--mode", "wrap", "--memory", 2e4).values, whole.values)
        self.check_refusal(self.run_command("filter", "x.npy", "--sigma", 2, "-o", "out.npy", "--memory", 2000), FAILED, "one element")

    @cli.needs_f64
    def test_derived(self):
        self.save("x.npy", "<f8", (7, 9), FLAT)
        near, far = (self.filter("x.npy", "--sigma", s).values for s in (1.5, 2.5))
        a = self.filter("x.npy", "--derived", "dog", "--sigma", 1.5, "--sigma2", 2.5)
        self.assertEqual(a.values, [n - f for n, f in zip(near, far)])
        a = self.filter("x.npy", "--derived", "unsharp", "--sigma", 1.5, "--amount", 0.5)
        self.check_close(a.values, [x + 0.5 * (x - n) for x, n in zip(FLAT, near)])
        down, right = (self.filter("x.npy", "--sigma", 1.5, "--order", o).values for o in ("2,0", "0,2"))
        for name in ["log", "laplacian"]:
            self.check_close(self.filter("x.npy", "--derived", name, "--sigma", 1.5).values, [d + r for d, r in zip(down, right)])
        down, right = (self.filter("x.npy", "--sigma", 1.5, "--order", o).values for o in ("1,0", "0,1"))
        a = self.filter("x.npy", "--derived", "gradient-magnitude", "--sigma", 1.5)
        self.check_close(a.values, [math.hypot(d, r) for d, r in zip(down, right)])
        a = self.filter("x.npy", "--derived", "structure-tensor", "--sigma", "0", "--inner", 1.5)
        self.assertEqual(a.shape, (3, 7, 9))
        wanted = [d * d for d in down] + [d * r for d, r in zip(down, right)] + [r * r for r in right]
        self.check_close(a.values, wanted)
        report = self.succeed("filter", "x.npy", "--sigma", 1, "--derived", "dog", "-o", "out.npy", "--json").json
        self.assertEqual(report["derived"], "difference")

    def test_refusals(self):
        self.save("m.npy", "|u1", (7, 8), [1] * 56)
        self.save("x.npy", "<f4", (7, 9), FLAT)
        self.save("wide.npy", "<f4", (1, 1, 1, 1, 1), [1])
        self.save("empty.npy", "<f4", (0, 3), [])
        self.save("long.npy", "<i8", (3,), [1, 2, 3])
        self.path("lies.npy").write_bytes(npy_util.dump("<f4", (7, 9), FLAT)[:-4])
        self.path("text.npy").write_bytes(b"P5 3 3 255 ")
        x, k = ["filter", "x.npy"], ["-o", "out.npy"]
        for args, code, words in [
            (["filter", *k, "--sigma", 1], USAGE, ".npy"),
            (x + ["y.npy", "--sigma", 1, *k], USAGE, "y.npy"),
            (x + ["--sigma", 1], USAGE, "--output"),
            (x + k, USAGE, "--sigma"),
            (x + ["--sigma", "a", *k], USAGE, ["--sigma", "'a'"]),
            (x + ["--sigma", 1, "--mode", "bounce", *k], USAGE, ["--mode", "'bounce'"]),
            (x + ["--sigma", 1, "--mode", "wrap,", *k], USAGE, "--mode"),
            (x + ["--sigma", 1, "--order", 5, *k], USAGE, "--order"),
            (x + ["--sigma", 1, "--order", 0.5, *k], USAGE, "--order"),
            (x + ["--sigma", 1, "--radius", 0, *k], USAGE, "--radius"),
            (x + ["--sigma", 1, "--truncate", 0, *k], USAGE, "--truncate"),
            (x + ["--sigma", 1, "--axes", "x", *k], USAGE, "--axes"),
            (x + ["--sigma", 1, "--dtype", "int64", *k], USAGE, "--dtype"),
            (x + ["--sigma", 1, "--sampling", "delta", *k], USAGE, "--sampling"),
            (x + ["--sigma", 1, "--json", "-o", "-"], USAGE, "--json"),
            (x + ["--sigma", 1, "--nan", "eat", *k], USAGE, ["--nan", "'eat'"]),
            (x + ["--sigma", 1, "--nan", "fill", *k], USAGE, "--nan"),
            (x + ["--sigma", 1, "--nan", "propagate=1", *k], USAGE, "--nan"),
            (x + ["--sigma", 1, "--memory", "0", *k], USAGE, "--memory"),
            (x + ["--sigma", 1, "--derived", "cat", *k], USAGE, ["--derived", "'cat'"]),
            (x + ["--sigma", 1, "--sigma2", 2, *k], USAGE, ["--sigma2", "difference"]),
            (x + ["--sigma", 1, "--derived", "dog", "--amount", 2, *k], USAGE, ["--amount", "unsharp"]),
            (x + ["--sigma", 1, "--derived", "dog", "--inner", 2, *k], USAGE, ["--inner", "structure-tensor"]),
            (x + ["--sigma", 1, "--derived", "structure-tensor", "--plot", "p.png"], USAGE, "--plot"),
            (x + ["--sigma", 1, "--derived", "dog", "--sigma2", "1,2,3", *k], FAILED, ["--sigma2", "2 axes"]),
            (x + ["--sigma", 2, "--derived", "dog", "--sigma2", 1, *k], FAILED, "sigma2"),
            (x + ["--sigma", 1, "--derived", "log", "--nan", "ignore", *k], FAILED, "derivatives"),
            (x + ["--sigma", 1, "--order", 1, "--nan", "ignore", *k], FAILED, "order 1"),
            (x + ["--sigma", 1, "--mask", "m.npy", *k], FAILED, "mask"),
            (x + ["--sigma", 1, "--mask", "absent.npy", *k], FAILED, "absent.npy"),
            (x + ["--sigma", "1,2,3", *k], FAILED, ["--sigma", "2 axes"]),
            (x + ["--sigma=-1", *k], FAILED, "sigma -1"),
            (x + ["--sigma", "nan", *k], FAILED, "sigma nan"),
            (x + ["--sigma", "inf", *k], FAILED, "sigma inf"),
            (x + ["--sigma", 1e15, *k], FAILED, "radius"),
            (x + ["--sigma", 0.1, "--order", 2, *k], FAILED, ["order 2", "radius 0"]),
            (x + ["--sigma", 1, "--axes", "0,0", *k], FAILED, "twice"),
            (x + ["--sigma", 1, "--axes", "2", *k], FAILED, "axis 2"),
            (x + ["--sigma", 1, "--like", "nobody", *k], FAILED, "'nobody'"),
            (["filter", "absent.npy", "--sigma", 1, *k], FAILED, "absent.npy"),
            (["filter", "text.npy", "--sigma", 1, *k], FAILED, "text.npy"),
            (["filter", "lies.npy", "--sigma", 1, *k], FAILED, "lies.npy"),
            (["filter", "wide.npy", "--sigma", 1, *k], FAILED, "dimensions"),
            (["filter", "empty.npy", "--sigma", 1, *k], FAILED, "empty"),
            (["filter", "long.npy", "--sigma", 1, *k], FAILED, "int64"),
        ]:
            with self.subTest(args=args):
                before = cli.snapshot(self.folder)
                self.check_refusal(self.run_command(*args), code, words)
                self.check_same(before, cli.snapshot(self.folder))

    def test_help(self):
        text = self.succeed("filter", "--help").out.decode()
        for word in MODES + ["--cval", "--plot", "--like", "--nan", "--mask", "--memory", "--derived"]:
            self.assertIn(word, text)
        self.assertEqual(self.run_command("filter", "--help").code, DONE)


if __name__ == "__main__":
    cli.main("test_cli_filter.py")
