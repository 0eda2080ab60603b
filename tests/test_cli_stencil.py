#!/usr/bin/env python3
"""isogram convolve, and the grids of isogram grid that are no products of profiles, driven as a user would.

test_cli_stencil.py PATH_TO_ISOGRAM [unittest's arguments]
"""
import math

import cli
import npy_util
from cli import DONE, FAILED, USAGE
from test_cli_filter import MODES, source

IMAGE = [[math.cos(3 * i + j * j) for j in range(9)] for i in range(7)]
FLAT = [v for row in IMAGE for v in row]
STENCIL = [[0.5, -1, 0.25, 2], [1, 0, -0.75, 0.125], [0.3, 0.2, 0.1, -0.6]]
WEIGHTS = [w for row in STENCIL for w in row]


def correlated(image, stencil, mode, cval=0.0):
    rows, columns, up, left = len(image), len(image[0]), len(stencil) // 2, len(stencil[0]) // 2
    result = []
    for i in range(rows):
        for j in range(columns):
            terms = []
            for a, line in enumerate(stencil):
                for b, w in enumerate(line):
                    p, q = source(mode, i + a - up, rows), source(mode, j + b - left, columns)
                    terms.append(w * (cval if p is None or q is None else image[p][q]))
            result.append(math.fsum(terms))
    return result


class Convolve(cli.Case):
    def setUp(self):
        super().setUp()
        self.save("s.npy", "<f8", (3, 4), WEIGHTS)

    def convolve(self, name, *options, stencil="s.npy"):
        self.succeed("convolve", name, "--stencil", stencil, *options, "-o", "out.npy", "--quiet")
        return self.read("out.npy")

    def check_close(self, got, wanted, tolerance=1e-14):
        self.assertEqual(len(got), len(wanted))
        for at, (g, w) in enumerate(zip(got, wanted)):
            self.assertAlmostEqual(g, w, delta=tolerance, msg=f"element {at}")

    @cli.needs_f64
    def test_modes(self):
        self.save("x.npy", "<f8", (7, 9), FLAT)
        for mode in MODES:
            a = self.convolve("x.npy", "--correlate", "--mode", mode, "--cval", 0.25)
            self.assertEqual((a.descr, a.shape), ("<f8", (7, 9)))
            self.check_close(a.values, correlated(IMAGE, STENCIL, mode, 0.25))
        a = self.convolve("x.npy", "--correlate", "--mode", "wrap,nearest")
        self.assertAlmostEqual(a[0, 4], sum(w * IMAGE[(i - 1) % 7][j + 2] for i, line in enumerate(STENCIL)
                                            for j, w in enumerate(line)), delta=1e-14)

    @cli.needs_f64
    def test_convolution_turns_the_stencil(self):
        self.save("x.npy", "<f8", (7, 9), FLAT)
        self.save("odd.npy", "<f8", (3, 3), [1, 2, 3, 4, 5, 6, 7, 8, 9])
        self.save("turned.npy", "<f8", (3, 3), [9, 8, 7, 6, 5, 4, 3, 2, 1])
        self.assertEqual(self.convolve("x.npy", stencil="odd.npy").values,
                         self.convolve("x.npy", "--correlate", stencil="turned.npy").values)

    def test_types(self):
        self.save("x.npy", "|u1", (7, 9), [i * 3 for i in range(63)])
        self.save("s.npy", "<f4", (1, 2), [3, 0])  # three times what is to the left, kept within bytes
        a = self.convolve("x.npy", "--correlate", "--mode", "nearest")
        self.assertEqual(a.descr, "|u1")
        self.assertEqual(a.values, [min(3 * 3 * (i - (1 if i % 9 else 0)), 255) for i in range(63)])
        self.assertEqual(self.convolve("x.npy", "--dtype", "float32", "--correlate", "--mode", "nearest")[6, 8], 3 * 61 * 3)

    def test_axes(self):
        self.save("x.npy", "<f4", (7, 9, 2), [v for u in FLAT for v in (u, 2 * u)])
        self.save("plane.npy", "<f4", (7, 9), FLAT)
        both, one = self.convolve("x.npy", "--axes=0,1"), self.convolve("plane.npy")
        self.assertEqual(both.values[::2], one.values)
        self.assertEqual(both.values[1::2], [2 * v for v in one.values])

    def test_pipe(self):
        self.save("x.npy", "<f4", (7, 9), FLAT)
        grid = self.succeed("grid", "--size", 5, "--angle", 30, "--sigma", "1,2", "-o", "-", "--quiet")
        self.path("g.npy").write_bytes(grid.out)
        self.assertEqual(npy_util.load(grid.out).shape, (5, 5))
        with self.path("g.npy").open("rb") as stencil:
            self.succeed("convolve", "x.npy", "--stencil", "-", "-o", "piped.npy", "--quiet", stdin=stencil)
        self.assertEqual(self.read("piped.npy").values, self.convolve("x.npy", stencil="g.npy").values)

    def test_report_and_picture(self):
        self.save("x.npy", "<f4", (7, 9), FLAT)
        report = self.succeed("convolve", "x.npy", "--stencil", "s.npy", "-o", "out.npy", "--plot", "out.png", "--json",
                              "--quiet").json
        self.assertEqual((report["shape"], report["stencil"], report["correlate"]), ([7, 9], [3, 4], False))
        self.assertGreater(min(cli.png_size(self.path("out.png").read_bytes())), 6)

    def test_refusals(self):
        self.save("x.npy", "<f4", (7, 9), FLAT)
        self.save("line.npy", "<f4", (9,), FLAT[:9])
        self.save("nan.npy", "<f8", (1, 2), [1, math.nan])
        x, k = ["convolve", "x.npy"], ["-o", "out.npy"]
        for args, code, words in [
            (["convolve", "--stencil", "s.npy", *k], USAGE, ".npy"),
            (x + k, USAGE, "--stencil"),
            (x + ["--stencil", "s.npy"], USAGE, "--output"),
            (["convolve", "-", "--stencil", "-", *k], USAGE, "both"),
            (x + ["--stencil", "s.npy", "--mode", "bounce", *k], USAGE, "'bounce'"),
            (x + ["--stencil", "s.npy", "--axes", "a", *k], USAGE, "--axes"),
            (x + ["--stencil", "s.npy", "--dtype", "int64", *k], USAGE, "--dtype"),
            (x + ["--stencil", "s.npy", "--cval", "a", *k], USAGE, "--cval"),
            (x + ["--stencil", "s.npy", "--mode", "wrap,wrap,wrap", *k], FAILED, ["3 values", "2 axes"]),
            (x + ["--stencil", "s.npy", "--axes", "0", *k], FAILED, "1 axes are named"),
            (x + ["--stencil", "absent.npy", *k], FAILED, "absent.npy"),
            (x + ["--stencil", "nan.npy", *k], FAILED, "weight 1"),
            (["convolve", "line.npy", "--stencil", "s.npy", *k], FAILED, "the stencil has 2 axes"),
        ]:
            with self.subTest(args=args):
                before = cli.snapshot(self.folder)
                self.check_refusal(self.run_command(*args), code, words)
                self.check_same(before, cli.snapshot(self.folder))

    def test_help(self):
        text = self.succeed("convolve", "--help").out.decode()
        for word in MODES + ["--stencil", "--correlate", "isogram grid"]:
            self.assertIn(word, text)
        self.assertEqual(self.run_command("convolve", "--help").code, DONE)


class Grid(cli.Case):
    def grid(self, *options):
        return npy_util.load(self.succeed("grid", *options, "--precision", "f32", "-o", "-", "--quiet").out)

    def check(self, options, formula, height, width, tolerance=3e-7):
        a = self.grid("--size", f"{height}x{width}", *options)
        want = [formula(i - (height - 1) / 2, j - (width - 1) / 2) for i in range(height) for j in range(width)]
        for g, w in zip(a.values, want):
            self.assertAlmostEqual(g, w, delta=tolerance * max(map(abs, want)))

    def test_formulas(self):
        none = ["--normalize", "none"]
        c, s = math.cos(math.radians(20)), math.sin(math.radians(20))
        self.check(["--covariance", "4,1.5,1.5,2", *none],
                   lambda y, x: math.exp(-(2 * y * y - 3 * x * y + 4 * x * x) / 5.75 / 2), 7, 8)
        self.check(["--sigma", "1,3", "--angle", 20, *none],
                   lambda y, x: math.exp(-((y * c - x * s) ** 2 + ((x * c + y * s) / 3) ** 2) / 2), 7, 8)
        self.check(["--sigma", "2", "--order", "1,2", *none],
                   lambda y, x: -y / 4 * (x * x / 16 - 1 / 4) * math.exp(-(x * x + y * y) / 8), 7, 8)
        self.check(["--sigma", 4, "--gamma", 0.5, "--wavelength", 5, "--angle", 20, "--phase", 30, "--quadrature", *none],
                   lambda y, x: math.sin(2 * math.pi * (x * c + y * s) / 5 + math.pi / 6) *
                   math.exp(-(((x * c + y * s) / 4) ** 2 + ((y * c - x * s) / 8) ** 2) / 2), 7, 8)
        self.check(["--sigma", 4, "--wave=0.1,-0.2", *none],
                   lambda y, x: math.cos(2 * math.pi * (0.1 * y - 0.2 * x)) * math.exp(-(x * x + y * y) / 32), 7, 8)

    def test_axes(self):
        self.assertEqual(self.grid("--size", 3, "--covariance", "1,0,0,0,1,0,0,0,1").shape, (3, 3, 3))
        self.assertEqual(self.grid("--size", 3, "--covariance", 2).shape, (3,))
        self.assertEqual(self.grid("--size", 3, "--sigma", 2, "--wave", "0.1,0.1,0.1").shape, (3, 3, 3))

    def test_refusals(self):
        size = ["grid", "--size", 5]
        for args, code, words in [
            (size + ["--covariance", "1,2"], USAGE, "--covariance"),
            (size + ["--covariance", "1,2,3,4,5,6,7,8,9", "--ndim", 2], USAGE, "2 axes"),
            (size + ["--sigma", 1, "--order", 5], USAGE, "--order"),
            (size + ["--sigma", 1, "--order", "1,1,1"], USAGE, "--order"),
            (size + ["--sigma", 1, "--wave", "1"], USAGE, "--wave"),
            (size + ["--sigma", 1, "--wavelength", 0], USAGE, "--wavelength"),
            (size + ["--sigma", 1, "--angle", "a"], USAGE, "--angle"),
            (size + ["--covariance", "4,1,2,4"], FAILED, "not symmetric"),
            (size + ["--covariance", "4,5,5,4"], FAILED, "not positive definite"),
            (size + ["--covariance", "4,4,4,4"], FAILED, "singular"),
            (size + ["--sigma", 1, "--angle", 5, "--sampling", "integrated"], FAILED, "sampled at points"),
            (size + ["--like", "gabor-opencv"], FAILED, "wavelength"),
        ]:
            with self.subTest(args=args):
                self.check_refusal(self.run_command(*args), code, words)


if __name__ == "__main__":
    cli.main("test_cli_stencil.py")
