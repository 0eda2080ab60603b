#!/usr/bin/env python3
"""The command does what it says: isogram grid, gram and devices, as a user calls them.

test_cli.py PATH_TO_ISOGRAM [unittest's arguments]
"""
import itertools
import math
import random
import struct

import cli
import npy_util
from cli import needs_f64
from gaussian_weights import (RECIPES, WITH_A_WARNING, bessel, delta, integrated, normalized, old_gkern, outer, point)

EPSILON = {"<f4": 2.0**-24, "<f8": 2.0**-53}
LIMITS = {"fill_bytes_per_s", "steps_per_s", "values_per_s", "computed_pairs", "memory_seconds", "arithmetic_seconds",
          "seconds", "fraction"}  # numbers in a report of what could be reached
LEAST = {"<f4": 2.0**-126, "<f8": 2.0**-1022}

GABOR = {"gabor-opencv", "gabor-skimage"}  # no products of weights: test_convolve_peers.py


class Grid(cli.Case):
    def grid(self, *options):
        name = "g.npy"
        result = self.run_command("grid", *options, "-o", name, "--quiet")
        self.assertEqual((result.code, result.out, result.err), (cli.DONE, b"", ""), options)
        return self.read(name)

    def check_grid(self, options, shape, wanted):
        g = self.grid(*options)
        self.assertEqual(g.shape, tuple(shape))
        self.assertFalse(g.fortran)
        relative = (1e-12 if g.descr == "<f8" else 0) + 8 * EPSILON[g.descr]
        for at, (got, want) in enumerate(zip(g.values, wanted)):
            if not math.isclose(got, want, rel_tol=relative, abs_tol=8 * EPSILON[g.descr] * max(wanted) * 1e-6):
                self.fail(f"grid {' '.join(map(str, options))}: element {at} is {got!r}, not {want!r}")
        return g

    def check_same_bytes(self, left, right):
        self.assertEqual(self.grid(*left).values, self.grid(*right).values, (left, right))

    def test_recipes_are_those_of_the_help(self):
        text = self.succeed("grid", "--help").out.decode()
        listed = text.split("--like")[1].split("--nsig")[0].splitlines()[1:]
        self.assertEqual({line.split()[0] for line in listed if line.strip()}, set(RECIPES) | GABOR)

    def test_recipes(self):
        for name, weights in RECIPES.items():
            with self.subTest(recipe=name):
                options = ["--like", name] + (["--size", "8", "--sigma", "2"] if name == "mask" else [])
                self.check_grid(options, [len(weights)] * 2, outer(weights, weights))
                result = self.run_command("grid", *options)
                warnings = [line for line in result.lines if line.startswith("isogram: warning: ")]
                self.assertEqual(len(warnings), int(name in WITH_A_WARNING), result)
                self.assertEqual(len(result.lines), len(warnings), result)

    def test_options_override_recipes(self):
        box = integrated(6, 2)
        for options, weights in [
            (["--like", "gkern", "--size", 5, "--nsig", 2.5], normalized(integrated(5, 1, -2.5, 2.5))),
            (["--like", "gkern-sqrt", "--size", 8, "--nsig", 2], old_gkern(8, 1, 2)),
            (["--like", "gkern-delta", "--size", 8, "--sigma", 2.5], delta(8, 2.5)),
            (["--like", "gkern-point", "--size", 6, "--sigma", 0.7], normalized(point(6, 0.7))),
            (["--like", "window", "--size", 6, "--sigma", 2], point(6, 2)),
            (["--like", "window", "--size", 6, "--sigma", 2, "--normalize", "sum"], normalized(point(6, 2))),
            (["--size", 6, "--sigma", 2, "--like", "window", "--sampling", "integrated"], box),
            (["--like", "linspace", "--sigma", 2, "--normalize", "none"], point(50, 2, -10, 10)),
            (["--like", "loop", "--size", 4], normalized(point(4, 1, -2, 1))),
        ]:
            with self.subTest(options=options):
                self.check_grid(options, [len(weights)] * 2, outer(weights, weights))

    def test_recipes_are_the_options_they_stand_for(self):
        for name, options in [
            ("gkern", ["--size", 21, "--sampling", "integrated", "--sigma", 1, "--from", -3, "--to", 3]),
            ("gkern-delta", ["--size", 21, "--sampling", "delta", "--sigma", 3]),
            ("gkern-point", ["--size", 5, "--sigma", 1]),
            ("window", ["--size", 21, "--sigma", 3, "--normalize", "none"]),
            ("linspace", ["--size", 50, "--sigma", 3, "--from", -10, "--to", 10]),
            ("loop", ["--size", 3, "--sigma", 1, "--from", -1, "--to", 1]),
        ]:
            with self.subTest(recipe=name):
                if name == "gkern-delta":  # not normalised: the folded tails sum to 1 as they are
                    options = options + ["--normalize", "none"]
                self.check_same_bytes(["--like", name], options)

    def test_published_check_figure(self):
        g = self.grid("--like", "gkern", "--size", 5, "--nsig", 2.5)
        octant = {(0, 0): 1.0278445, (0, 1): 4.10018648, (0, 2): 6.49510362, (1, 1): 16.35610171, (1, 2): 25.90969361,
                  (2, 2): 41.0435344}
        for place, want in octant.items():
            self.assertAlmostEqual(273 * g[place], want, delta=1e-8 if g.descr == "<f8" else 1e-5)

    def test_samplings_and_normalisations(self):
        for sampling, weights, cell in [("point", point(7, 1.3), math.sqrt(2 * math.pi) * 1.3),
                                        ("integrated", integrated(7, 1.3), 1), ("bessel", bessel(7, 1.3), None)]:
            options = ["--size", 7, "--sigma", 1.3, "--sampling", sampling, "--normalize"]
            with self.subTest(sampling=sampling):
                self.check_grid(options + ["none"], (7, 7), outer(weights, weights))
                self.check_grid(options + ["sum"], (7, 7), outer(normalized(weights), normalized(weights)))
                top = [w / max(weights) for w in weights]
                self.check_grid(options + ["max"], (7, 7), outer(top, top))
                if cell:
                    density = [w / cell for w in weights]
                    self.check_grid(options + ["density"], (7, 7), outer(density, density))
        self.check_grid(["--size", 6, "--sigma", 1.3, "--sampling", "bessel", "--normalize", "none"], (6, 6),
                        outer(bessel(6, 1.3), bessel(6, 1.3)))

    def test_shapes(self):
        for options, sizes, sigmas in [
            (["--size", 5, "--sigma", 1, "--ndim", 1], [5], [1]),
            (["--size", 5, "--sigma", 1], [5] * 2, [1] * 2),
            (["--size", 4, "--sigma", 1, "--ndim", 3], [4] * 3, [1] * 3),
            (["--size", 3, "--sigma", 1, "--ndim", 4], [3] * 4, [1] * 4),
            (["--size", "3x8", "--sigma", 2], [3, 8], [2, 2]),
            (["--size", "8x3", "--sigma", "1,2.5"], [8, 3], [1, 2.5]),
            (["--size", "2x3x4", "--sigma", "0.5,1,2"], [2, 3, 4], [0.5, 1, 2]),
            (["--size", 3, "--sigma", "0.5,1,2"], [3] * 3, [0.5, 1, 2]),
            (["--size", "2x5x4x3", "--sigma", "4,3,2,1"], [2, 5, 4, 3], [4, 3, 2, 1]),
            (["--size", "1x1", "--sigma", 1], [1, 1], [1, 1]),
            (["--size", "1x301", "--sigma", 40], [1, 301], [40, 40]),
        ]:
            with self.subTest(options=options):
                self.check_grid(options, sizes, outer(*(normalized(point(n, s)) for n, s in zip(sizes, sigmas))))

    def test_coordinates_per_axis(self):
        profiles = [point(4, 1, -1, 2), point(5, 2, 0, 3)]
        options = ["--size", "4x5", "--sigma", "1,2", "--from=-1,0", "--to", "2,3", "--normalize", "none"]
        self.check_grid(options, (4, 5), outer(*profiles))

    def check_symmetry_and_sum(self, precision, descr):
        for ndim, size, sigma in itertools.product([1, 2, 3, 4], [1, 4, 7], [0.3, 1, 5]):
            with self.subTest(ndim=ndim, size=size, sigma=sigma):
                g = self.grid("--ndim", ndim, "--size", size, "--sigma", sigma, "--precision", precision)
                self.assertEqual((g.descr, g.shape), (descr, (size,) * ndim))
                self.assertEqual(g.values, g.values[::-1])
                if ndim == 2:
                    self.assertEqual(g.values, [v for column in zip(*g.rows()) for v in column])
                self.assertLessEqual(abs(math.fsum(g.values) - 1), 2 * ndim * EPSILON[descr])

    def test_symmetry_and_sum_f32(self):
        self.check_symmetry_and_sum("f32", "<f4")

    @needs_f64
    def test_symmetry_and_sum_f64(self):
        self.check_symmetry_and_sum("f64", "<f8")

    def test_text_and_standard_output(self):
        for size, precision in itertools.product(["3x5", "4", "2x3x4"], ["f32", "f64"]):
            if precision == "f64" and "f64" not in cli.chosen_device():
                continue
            with self.subTest(size=size, precision=precision):
                options = ["--size", size, "--sigma", "1.7", "--precision", precision]
                g = self.grid(*options)
                text = self.succeed("grid", *options).out.decode()
                rows = [[float(word) for word in line.split(" ")] for line in text.splitlines()]
                if precision == "f32":
                    rows = [list(struct.unpack(f"<{len(r)}f", struct.pack(f"<{len(r)}f", *r))) for r in rows]
                self.assertEqual(rows, g.rows())
                self.assertTrue(text.endswith("\n"))
                piped = self.succeed("grid", *options, "-o", "-")
                self.assertEqual(piped.out, self.path("g.npy").read_bytes())

    def test_report(self):
        options = ["grid", "--size", "3x4", "--sigma", "1", "--json"]
        report = self.succeed(*options).json
        self.assertEqual(report["command"], "grid")
        self.assertEqual(report["shape"], [3, 4])
        self.assertIn(report["dtype"], ("float32", "float64"))
        self.assertRegex(report["contract"], r"^isogram-2/f(32|64)/(un)?fused$")
        self.assertEqual(report["device"]["name"], cli.chosen_device()["name"])
        self.assertGreaterEqual(report["seconds"], 0)
        self.assertIn(report["isogram"], self.succeed("--version").out.decode())
        self.assertFalse({"output", "plot", "like"} & set(report))
        report = self.succeed(*options, "-o", "g.npy", "--plot", "g.png", "--like", "window", "--precision", "f32").json
        self.assertEqual([report[key] for key in ("output", "plot", "like", "dtype")],
                         ["g.npy", "g.png", "window", "float32"])
        self.assertEqual(self.read("g.npy").shape, (3, 4))

    def test_pictures(self):
        for size in ["7", "3x40", "1x9", "2x3x4", "2x3x4x5"]:
            with self.subTest(size=size):
                self.assertEqual(self.succeed("grid", "--size", size, "--sigma", 2, "--plot", "g.png").out, b"")
                width, height = cli.png_size(self.path("g.png").read_bytes())
                self.assertGreater(min(width, height), 50)
        self.assertEqual([entry.name for entry in self.folder.iterdir()], ["g.png"])

    def test_arithmetic_is_the_caller_s(self):
        options = ["grid", "--size", 3, "--sigma", 1, "--precision", "f32", "--json", "--arithmetic"]
        self.assertTrue(self.succeed(*options, "unfused").json["contract"].endswith("/unfused"))
        if cli.chosen_device()["f32"]["fma_fused"]:
            self.assertTrue(self.succeed(*options, "fused").json["contract"].endswith("/fused"))


class Gram(cli.Case):
    def gram(self, *args, **options):
        self.assertEqual(self.succeed("gram", *args, "-o", "k.npy", "--quiet", **options).out, b"")
        return self.read("k.npy")

    def points(self, name, count, dims, descr="<f8", seed=1):
        """Random points in the type's own numbers."""
        source = random.Random(seed)
        values = [source.uniform(-2, 2) for _ in range(count * dims)]
        self.save(name, descr, (count, dims), values)
        return self.read(name).rows()

    def check_gram(self, k, x, y, gamma):
        """The values, within the roundings of the arithmetic and of the argument of the exponential."""
        self.assertEqual(k.shape, (len(x), len(y)))
        epsilon = EPSILON[k.descr]
        for i, j in itertools.product(range(len(x)), range(len(y))):
            u = gamma * math.fsum((a - b) ** 2 for a, b in zip(x[i], y[j]))
            error = epsilon * (4 + (len(x[i]) + 6) * u)
            if not math.isclose(k[i, j], math.exp(-u), rel_tol=error, abs_tol=2 * LEAST[k.descr]):
                self.fail(f"element {i}, {j} is {k[i, j]!r}, not {math.exp(-u)!r}")

    def check_values(self, descr):
        for n, m, d in [(1, 1, 1), (1, 5, 2), (5, 1, 3), (37, 23, 3), (70, 17, 1), (33, 65, 40)]:
            with self.subTest(n=n, m=m, d=d):
                x, y = self.points("x.npy", n, d, descr, 1), self.points("y.npy", m, d, descr, 2)
                k = self.gram("x.npy", "y.npy", "--gamma", 0.375)
                self.assertEqual(k.descr, descr)
                self.check_gram(k, x, y, 0.375)
                turned = self.gram("y.npy", "x.npy", "--gamma", 0.375)
                self.assertEqual(k.values, [v for column in zip(*turned.rows()) for v in column])
                k = self.gram("x.npy", "--gamma", 0.375)
                self.check_gram(k, x, x, 0.375)
                self.assertEqual(k.values, [v for column in zip(*k.rows()) for v in column])
                self.assertEqual([k[i, i] for i in range(n)], [1.0] * n)
                self.assertEqual(k.values, self.gram("x.npy", "x.npy", "--gamma", 0.375).values)

    def test_values_f32(self):
        self.check_values("<f4")

    @needs_f64
    def test_values_f64(self):
        self.check_values("<f8")

    def test_lower_triangle_and_half_precision(self):
        self.points("x.npy", 37, 3, "<f4")
        k = self.gram("x.npy")
        lower = [k[i, j] for i in range(37) for j in range(i + 1)]
        packed = self.gram("x.npy", "--packed")
        self.assertEqual((packed.shape, packed.descr, packed.values), ((37 * 38 // 2,), "<f4", lower))
        halves = [struct.unpack("<e", struct.pack("<e", v))[0] for v in k.values]
        half = self.gram("x.npy", "--half")
        self.assertEqual((half.shape, half.descr, half.values), ((37, 37), "<f2", halves))
        for wrong in ["x.npy", "--packed"], ["--packed", "--plot", "p.png"], ["--half", "--precision", "f64"]:
            self.assertEqual(self.run_command("gram", "x.npy", *wrong, "-o", "k.npy").code, 2)

    @needs_f64
    def test_published_check_figure(self):
        self.save("x.npy", "<i8", (3, 4), range(12))
        k = self.gram("x.npy", "--sigma", 1)
        self.assertEqual([f"{v:.8e}" for v in k.values[:3]], ["1.00000000e+00", "1.26641655e-14", "2.57220937e-56"])

    def test_scales_are_one_thing(self):
        self.points("x.npy", 9, 4, "<f4")
        wanted = self.gram("x.npy", "--gamma", 0.125).values
        for options in [["--sigma", 2], ["--lengthscale", 2], ["--lengthscale=2"], ["--sigma", "2e0"],
                        ["--kernel", "rbf", "--sigma", 2]]:
            self.assertEqual(self.gram("x.npy", *options).values, wanted, options)
        self.assertEqual(self.gram("x.npy").values, self.gram("x.npy", "--gamma", 0.25).values)  # 1/d

    @needs_f64
    def test_precision(self):
        self.points("x4.npy", 5, 3, "<f4", 1)
        self.points("x8.npy", 5, 3, "<f8", 1)
        for args, descr in [
            (["x4.npy"], "<f4"), (["x8.npy"], "<f8"), (["x4.npy", "x8.npy"], "<f8"), (["x8.npy", "x4.npy"], "<f8"),
            (["x4.npy", "--precision", "f64"], "<f8"), (["x8.npy", "--precision", "f32"], "<f4"),
        ]:
            self.assertEqual(self.gram(*args).descr, descr, args)
        self.assertEqual(self.gram("x8.npy", "--precision", "f32").values, self.gram("x4.npy").values)

    def test_integers(self):
        values = [0, 1, 2, 3, 5, 7, 1, 0, 4, 2, 6, 3]
        for code in npy_util.CODES:
            if code[0] == "f":
                continue
            wide = code in ("i4", "u4", "i8", "u8")
            if wide and "f64" not in cli.chosen_device():
                continue
            with self.subTest(code=code):
                descr = "<f8" if wide else "<f4"
                sign = -1 if code[0] == "i" else 1
                of_type = [v % 2 if code == "b1" else sign * v for v in values]
                self.save("i.npy", ("|" if code[1] == "1" else "<") + code, (4, 3), of_type)
                self.save("f.npy", descr, (4, 3), of_type)
                k = self.gram("i.npy", "--sigma", 3)
                self.assertEqual((k.descr, k.values), (descr, self.gram("f.npy", "--sigma", 3).values))

    def test_halves(self):
        """Half precision is read exactly, subnormal numbers too, and counts as single."""
        values = [0, 1, -2.5, 65504, 2.0**-24, -2.0**-14, 1023 * 2.0**-24, 0.333251953125, -65504, 1000, 3, 7]
        for precision, descr in [([], "<f4"), (["--precision", "f64"], "<f8")]:
            if precision and "f64" not in cli.chosen_device():
                continue
            self.save("f.npy", descr, (4, 3), values)
            for fortran in (False, True):
                self.save("h.npy", "<f2", (4, 3), values, fortran=fortran)
                for options in (["--kernel", "cityblock"], ["--sigma", 2.0**-20], ["--sigma", 40000]):
                    k = self.gram("h.npy", *options, *precision)
                    self.assertEqual((k.descr, k.values), (descr, self.gram("f.npy", *options).values), options)
        self.assertEqual(self.gram("h.npy", "f.npy").descr, descr)

    def test_layouts_of_files(self):
        values = [0.25 * i * i for i in range(21)]
        self.save("x.npy", "<f4", (7, 3), values)
        wanted = self.gram("x.npy").values
        for fortran, version in itertools.product([False, True], [1, 2, 3]):
            self.save("other.npy", "<f4", (7, 3), values, fortran=fortran, version=version)
            self.assertEqual(self.gram("other.npy").values, wanted, (fortran, version))
            self.assertEqual(self.gram("x.npy", "other.npy").values, wanted, (fortran, version))

    def test_standard_input_and_output(self):
        self.points("x.npy", 11, 3, "<f4", 1)
        self.points("y.npy", 6, 3, "<f4", 2)
        x, y = (self.path(name).read_bytes() for name in ("x.npy", "y.npy"))
        wanted = self.gram("x.npy", "y.npy").values
        self.assertEqual(self.gram("-", "y.npy", stdin=x).values, wanted)
        self.assertEqual(self.gram("x.npy", "-", stdin=y).values, wanted)
        with open(self.path("x.npy"), "rb") as file:
            self.assertEqual(self.gram("-", "y.npy", stdin=file).values, wanted)
        piped = self.succeed("gram", "-", "y.npy", "-o", "-", stdin=x)
        self.assertEqual(piped.out, self.path("k.npy").read_bytes())

    def test_report(self):
        self.points("x.npy", 6, 3, "<f4")
        report = self.succeed("gram", "x.npy", "-o", "k.npy", "--sigma", 2, "--json", "--limits", "--repeat", 3,
                              "--plot", "k.png").json
        self.assertEqual({key: report[key] for key in ("command", "kernel", "gamma", "shape", "dimension", "dtype",
                                                       "output", "plot")},
                         {"command": "gram", "kernel": "rbf", "gamma": 0.125, "shape": [6, 6], "dimension": 3,
                          "dtype": "float32", "output": "k.npy", "plot": "k.png"})
        self.assertRegex(report["contract"], r"^isogram-2/f32/(un)?fused$")
        self.assertEqual(set(report["seconds"]), {"read", "compute", "write"})
        limits = report["limits"]
        self.assertIn(limits.pop("bound"), ("memory", "arithmetic"))
        self.assertEqual(set(limits), LIMITS | {"copy_bytes_per_s", "madds_per_s"})
        self.assertGreater(min(limits.values()), 0)
        self.assertGreater(report["pairs_per_s"], 0)
        self.assertNotIn("limits", self.succeed("gram", "x.npy", "--json").json)
        summary = self.succeed("gram", "x.npy", "-o", "k.npy", "--limits").out.decode()
        for word in ("6 x 6 float32 in k.npy", "contract", "gamma", "pairs/s", "limit "):
            self.assertIn(word, summary)

    def test_method_fast(self):
        self.save("x.npy", "<f4", (100, 40), [(-50 if i < 2000 else 50) + i % 7 / 8 for i in range(4000)])
        usual = self.succeed("gram", "x.npy", "-o", "k.npy", "--sigma", 4, "--json").json
        contract = self.read("k.npy").values
        report = self.succeed("gram", "x.npy", "-o", "k.npy", "--sigma", 4, "--method", "fast", "--json").json
        self.assertEqual((usual["method"], report["method"]), ("contract", "fast"))
        self.assertRegex(usual["contract"], r"^isogram-2/f32/(un)?fused$")
        self.assertRegex(report["contract"], r"^fast/f32/(un)?fused$")
        self.assertNotIn("tolerance", usual)
        self.assertEqual(report["tolerance"], 2**-14)
        self.assertGreater(report["recomputed"], 0.4)  # within the clusters
        for a, b in zip(contract, self.read("k.npy").values):
            self.assertLess(abs(a - b), 2**-14 + 1e-5)
        loose = self.succeed("gram", "x.npy", "-o", "k.npy", "--sigma", 4, "--method", "fast", "--tolerance", 0.5)
        summary = loose.out.decode()
        for word in ("contract  fast/f32/", "method    fast", "within 0.5", "recomputed"):
            self.assertIn(word, summary)

    def test_report_of_the_kernel(self):
        self.save("x.npy", "<f4", (2, 2), [0, 1, 2, 3])
        report = self.succeed("gram", "x.npy", "--json", "--lengthscale", "0.5,2").json
        self.assertEqual((report["kernel"], report["lengthscales"]), ("rbf", [0.5, 2]))
        self.assertNotIn("gamma", report)
        report = self.succeed("gram", "x.npy", "--json", "--kernel", "rbf + matern32", "--lengthscale", "0.5,2").json
        self.assertEqual(report["kernel"], "rbf + matern32")
        kernel = " + ".join(["rational_quadratic(lengthscale=1.2345678901234567, alpha=0.12345678901234568)"] * 16)
        self.assertGreater(len(kernel), 1000)
        self.assertEqual(self.succeed("gram", "x.npy", "--json", "--kernel", kernel).json["kernel"], kernel)

    def test_ordered_picture(self):
        labels = [2, 0, 1, 0, 2, 1, 0, 2]
        order = sorted(range(8), key=lambda row: labels[row])
        rows = self.points("x.npy", 8, 2, "<f4")
        self.save("sorted.npy", "<f4", (8, 2), [v for row in order for v in rows[row]])
        self.save("sorted-labels.npy", "|u1", (8,), sorted(labels))

        def picture(*args):
            self.succeed("gram", *args, "--plot", "k.png", "--quiet")
            data = self.path("k.png").read_bytes()
            cli.png_size(data)
            return data

        wanted = picture("sorted.npy", "--order", "sorted-labels.npy")
        for descr in ("|i1", "<i2", "<u4", "<i8"):
            self.save("labels.npy", descr, (8,), labels)
            self.assertEqual(picture("x.npy", "--order", "labels.npy"), wanted, descr)
        self.assertNotEqual(picture("x.npy"), wanted)
        # Labels count X's rows, of which some may be left out.
        mask = [1, 1, 0, 1, 1, 1, 0, 1]
        self.save("mask.npy", "|u1", (8,), mask)
        kept = [row for row in range(8) if mask[row]]
        self.save("kept.npy", "<f4", (6, 2), [v for row in kept for v in rows[row]])
        self.save("kept-labels.npy", "<i8", (6,), [labels[row] for row in kept])
        self.assertEqual(picture("x.npy", "--order", "labels.npy", "--include", "mask.npy"),
                         picture("kept.npy", "--order", "kept-labels.npy"))

        self.gram("x.npy", "--order", "labels.npy", "--plot", "k.png")
        ordered = self.read("k.npy").values
        self.assertEqual(ordered, self.gram("x.npy").values, "--order is about the picture, not about K")


class Devices(cli.Case):
    def test_list(self):
        text = self.succeed("devices").out.decode()
        self.assertEqual(sum(line.startswith("-> ") for line in text.splitlines()), 1, text)
        self.assertIn("chosen by", text)
        self.assertIn(cli.chosen_device()["name"], text)

    def test_report(self):
        report = self.succeed("devices", "--json").json
        self.assertEqual(report["command"], "devices")
        chosen = [d for d in report["devices"] if d["chosen"]]
        self.assertEqual(len(chosen), 1)
        for key in ("index", "name", "class", "platform", "version", "driver"):
            self.assertEqual(chosen[0][key], report["device"][key])
        self.assertEqual(set(chosen[0]["f32"]), {"trusted", "fma_fused", "fma_subnormals", "fma_by_integers",
                                                 "fma_cost", "subnormals"})
        self.assertIs(chosen[0]["f32"]["trusted"], True)
        self.assertIs(chosen[0]["contracts_when_told_not_to"], False)

    def test_choice(self):
        device = cli.chosen_device()
        for spec in (device["index"], device["name"], device["name"][2:9].upper(), device["platform"]):
            for args, env in ((["--device", spec], None), ([], {"ISOGRAM_DEVICE": spec})):
                with self.subTest(spec=spec, env=env):
                    report = self.succeed("devices", "--json", *args, env=env).json
                    chosen = [d for d in report["devices"] if d["chosen"]]
                    self.assertEqual(len(chosen), 1)
                    self.assertTrue(spec in (chosen[0]["index"], chosen[0]["platform"]) or
                                    spec.lower() in chosen[0]["name"].lower())
        self.assertIn("chosen by --device", self.succeed("devices", "--device", device["index"]).out.decode())
        self.assertIn("chosen by ISOGRAM_DEVICE",
                      self.succeed("devices", env={"ISOGRAM_DEVICE": device["index"]}).out.decode())


class Kernels(cli.Case):
    def test_list(self):
        names = [kernel["name"] for kernel in self.succeed("kernels", "--json").json["kernels"]]
        text = self.succeed("kernels").out.decode()
        self.assertEqual([line for line in text.splitlines() if line and line[0] != " "], names)
        self.assertIn("matern52", names)

    @needs_f64
    def test_values(self):
        self.save("p.npy", "<f8", (2, 2), [0, 0, 3, 4])
        r = 5 / 2
        for kernel, param, value in (
                ("matern12", None, math.exp(-r)),
                ("matern32", None, (1 + math.sqrt(3) * r) * math.exp(-math.sqrt(3) * r)),
                ("matern52", None, (1 + math.sqrt(5) * r + 5 * r * r / 3) * math.exp(-math.sqrt(5) * r)),
                ("rational_quadratic", "alpha=3", (1 + r * r / 6) ** -3),
                ("periodic", "period=7", math.exp(-2 * (math.sin(math.pi * 5 / 7) / 2) ** 2)),
                ("cauchy", None, 1 / (1 + r * r)),
                ("multiquadric", None, -math.sqrt(1 + r * r)),
                ("inverse_multiquadric", None, 1 / math.sqrt(1 + r * r)),
                ("thin_plate", None, r * r * math.log(r)),
        ):
            with self.subTest(kernel=kernel):
                more = ["--param", param] if param else []
                self.succeed("gram", "p.npy", "-o", "v.npy", "--kernel", kernel, "--lengthscale", 2, *more)
                k = self.read("v.npy").values
                self.assertAlmostEqual(k[1], value, delta=4e-16 * abs(value) * 8)
        for kernel, scale, value in (("wendland", ["--lengthscale", 10], 0.5 ** 4 * 3), ("euclidean", [], 5.0), ("sqeuclidean", [], 25.0),
                                     ("cityblock", [], 7.0), ("laplacian", ["--gamma", 0.5], math.exp(-3.5))):
            with self.subTest(kernel=kernel):
                self.succeed("gram", "p.npy", "-o", "v.npy", "--kernel", kernel, *scale)
                self.assertAlmostEqual(self.read("v.npy").values[1], value, delta=4e-16 * abs(value) * 8)


class Verify(cli.Case):
    def test_one_contract(self):
        text = self.succeed("verify", "--quick", "--precision", "f32", "--arithmetic", "unfused").out.decode()
        *lines, summary = text.splitlines()
        self.assertTrue(all(line.startswith("isogram-2/f32/unfused ") and " equal " in line for line in lines), text)
        self.assertEqual(summary, f"{cli.chosen_device()['name']}: {len(lines)} equal, 0 different, 0 failed, 0 not there")
        for what in ("function real_erfc", "gram rbf", "grid bessel"):
            self.assertIn(what, text)

    def test_report(self):
        report = self.succeed("verify", "--quick", "--precision", "f32", "--arithmetic", "unfused", "--json").json
        self.assertEqual((report["status"], report["different"], report["failed"]), ("ok", 0, 0))
        self.assertEqual(len(report["checks"]), report["equal"])
        self.assertEqual({len(check["hash"]) for check in report["checks"]}, {32})


class Bench(cli.Case):
    def bench(self, *options):
        # Nothing here runs twice: saving programs would take as long as compiling them.
        return self.succeed("bench", "--repeat", 2, *options, env={"ISOGRAM_CACHE_DIR": "off"}, timeout=500)

    def test_report_has_every_row(self):
        report = self.bench("--n", 70, "--dims", "5,3", "--precision", "f32", "--json").json
        self.assertEqual({key: report[key] for key in ("command", "n", "dtype", "repeat")},
                         {"command": "bench", "n": 70, "dtype": "float32", "repeat": 2})
        self.assertRegex(report["contract"], r"^isogram-2/f32/(un)?fused$")
        self.assertEqual(set(report["limits"]), {"fill_bytes_per_s", "copy_bytes_per_s", "madds_per_s"})
        self.assertGreater(min(report["limits"].values()), 0)
        rows = [kernel["name"] for kernel in self.succeed("kernels", "--json").json["kernels"]]
        wanted = ([("rbf", 5, "K(X, X)"), ("rbf", 3, "K(X, X)")] +
                  [(row, 3, "K(X, X)") for row in rows if row != "rbf"] +
                  [("rbf", 5, "K(X, Y)"), ("rbf", 3, "K(X, Y)"), (None, None, "grid")])
        self.assertEqual([(job.get("kernel"), job.get("dimension"), job["matrix"]) for job in report["jobs"]], wanted)
        for job in report["jobs"]:
            self.check_job(job, 70)
        self.assertEqual((report["small"]["n"], report["small"]["dimension"]), (100, 10))
        self.assertGreaterEqual(report["small"]["seconds"], report["small"]["best_seconds"])
        self.assertGreater(report["small"]["best_seconds"], 0)
        self.assertTrue(report["small"]["calls"] >= 1000 or report["small"]["seconds"] > 1e-3, report["small"])

    def check_job(self, job, n):
        limits = job["limits"]
        self.assertEqual(job["shape"], [n, n])
        self.assertAlmostEqual(job["pairs_per_s"], n * n / job["seconds"], delta=1e-9 * job["pairs_per_s"])
        self.assertAlmostEqual(job["bytes_per_s"], 4 * job["pairs_per_s"], delta=1e-9 * job["bytes_per_s"])
        self.assertAlmostEqual(limits["fraction"], limits["seconds"] / job["seconds"], delta=1e-9 * limits["fraction"])
        self.assertEqual(limits["seconds"], limits[limits["bound"] + "_seconds"])
        self.assertEqual(limits["seconds"], max(limits["memory_seconds"], limits["arithmetic_seconds"]))
        self.assertEqual(set(limits), LIMITS | {"bound"})
        self.assertGreater(min(job["seconds"], limits["fraction"], limits["fill_bytes_per_s"]), 0)
        if job["matrix"] == "grid":
            return
        self.assertIn(limits["computed_pairs"], (n * n, n * (n + 1) / 2))
        self.assertGreater(min(limits["steps_per_s"], limits["values_per_s"], job["operations_per_s"]), 0)
        arithmetic = limits["computed_pairs"] * (job["dimension"] / limits["steps_per_s"] + 1 / limits["values_per_s"])
        self.assertAlmostEqual(limits["arithmetic_seconds"], arithmetic, delta=1e-9 * arithmetic)

    def test_chosen_rows(self):
        options = ("--n", 33, "--dims", "2,7", "--kernel", "chi2", "--kernel", "poly", "--kernel", "chi2")
        text = self.bench(*options).out.decode()
        lines = [line.split() for line in text.splitlines() if "K(X, X)" in line]
        self.assertEqual([(line[0], line[3]) for line in lines],
                         [("chi2", "2"), ("chi2", "7"), ("polynomial", "2"), ("polynomial", "7")])
        for word in ("contract", "fill ", "n = 33, float32, K in host memory, medians of 2", "small ", "total     4 jobs"):
            self.assertIn(word, text)
        one = ("--n", 33, "--dims", 2, "--kernel", "chi2")
        table = [line for line in self.bench(*one, "--markdown").out.decode().splitlines() if line.startswith("|")]
        self.assertEqual(len(table), 3)
        self.assertEqual({line.count("|") for line in table}, {11})
        self.assertEqual(self.bench(*one, "--quiet").out, b"")

    @needs_f64
    def test_double(self):
        report = self.bench("--n", 20, "--dims", 4, "--kernel", "rbf", "--precision", "f64", "--json").json
        self.assertEqual((report["dtype"], [job["matrix"] for job in report["jobs"]]),
                         ("float64", ["K(X, X)", "K(X, Y)"]))

    def test_refusals(self):
        for args, code, words in [
            (["--kernel", "rbg"], cli.USAGE, ["rbg", "did you mean 'rbf'", "additive_chi2"]),
            (["--kernel", "2*rbf"], cli.USAGE, ["2*rbf", "wendland"]),
            (["--n", "0"], cli.USAGE, "--n '0'"),
            (["--n", "99999999999"], cli.USAGE, "--n"),
            (["--n", "12x"], cli.USAGE, "--n '12x'"),
            (["--dims", ""], cli.USAGE, "--dims"),
            (["--dims", "3,0"], cli.USAGE, "--dims '3,0'"),
            (["--dims", "2.5"], cli.USAGE, "--dims '2.5'"),
            (["--dims", "nan"], cli.USAGE, "--dims 'nan'"),
            (["--repeat", "0"], cli.USAGE, "--repeat '0'"),
            (["--precision", "f16"], cli.USAGE, "f16"),
            (["--markdown", "--json"], cli.USAGE, "standard output"),
            (["-o", "k.npy"], cli.USAGE, "--output"),
            (["--plot", "k.png"], cli.USAGE, "--plot"),
            (["extra"], cli.USAGE, "extra"),
            (["--n", "16000000"], cli.FAILED, ["--n 16000000", "memory"]),
            (["--n", "100", "--device", "no such device"], cli.FAILED, "no such device"),
        ]:
            with self.subTest(args=args):
                self.check_refusal(self.run_command("bench", *args), code, words)


class General(cli.Case):
    def test_help_names_every_verb(self):
        text = self.succeed("--help").out.decode()
        self.assertEqual(self.succeed("help").out.decode(), text)
        self.assertEqual(self.run_command().code, cli.USAGE)
        for verb in ("devices", "grid", "gram", "apply", "kde", "knn", "regress", "kernels", "verify", "bench"):
            self.assertIn(f"  {verb} ", text)
            self.assertTrue(self.succeed(verb, "--help").out.decode().startswith(f"usage: isogram {verb}"))


if __name__ == "__main__":
    cli.main("test_cli.py")
