#!/usr/bin/env python3
"""isogram verify cannot be fooled: what is changed in the programs that a device gets, down to the last bit of one
coefficient, is refused when the device is opened or found different. And tests/golden.c changes no golden hash.

test_mutations.py PATH_TO_ISOGRAM PATCH_LAYER PATH_TO_GOLDEN GOLDEN_FILE [unittest's arguments]

The OpenCL layer patch_layer.c makes the changes, on the way to the driver. Where the loader takes no layers, the tests
that need them are skipped and the exit status is 77. Without OCL_ICD_VENDORS and ISOGRAM_DEVICE they run on PoCL.
"""
import functools
import math
import os
import re
import struct
import subprocess
import sys
import unittest
from pathlib import Path

import cli
import npy_util
from cli import DONE, FAILED, needs_f64

SOURCES = Path(__file__).resolve().parent.parent / "cl"
POCL = Path("/etc/OpenCL/vendors/pocl.icd")
SKIPPED = 77  # for meson

layer = golden_tool = golden_file = None

SINGLE = ["--precision", "f32", "--arithmetic", "fused"]
UNFUSED = ["--precision", "f32", "--arithmetic", "unfused"]
DOUBLE = ["--precision", "f64", "--arithmetic", "unfused"]

# Where a last bit is changed: file, function, which coefficient of a precision (0: of the highest power; those of pairs
# come two and two), and the functions that use it.
EXP = {"exp_nonpositive", "real_exp"}
EXP_PAIR = {"real_expm1", "real_tanh", "real_erf", "real_erfc", "real_pow"}
LOG = {"real_log", "real_log1p"}
ERFC = {"real_erf", "real_erfc"}
TRIG = {"real_sinpi", "real_cospi"}
COEFFICIENTS_F32 = [
    ("exp.h", "exp_polynomial", -1, EXP),
    ("exp.h", "exp_polynomial", -2, EXP),
    ("exp.h", "exp_third", -1, EXP_PAIR),
    ("log.h", "log_polynomial", -1, LOG),
    ("log.h", "log_polynomial", 0, LOG),
    ("log.h", "log_pair", -2, {"real_pow"}),
    ("erf.h", "erf_small", 3, {"real_erf"}),
    ("erf.h", "erfc_reduced", -2, ERFC),
    ("trig.h", "sin_polynomial", 3, TRIG),
    ("trig.h", "cos_polynomial", 2, TRIG),
]
COEFFICIENTS_F64 = [
    ("exp.h", "exp_third", -1, EXP | EXP_PAIR),
    ("log.h", "log_polynomial", -1, LOG),
    ("log.h", "log_pair", -2, {"real_pow"}),
    ("erf.h", "erf_small", 7, {"real_erf"}),
    ("erf.h", "erfc_reduced", -2, ERFC),
    ("trig.h", "sin_polynomial", 6, TRIG),
    ("trig.h", "cos_polynomial", 5, TRIG),
]

# Steps that are wrong beside the polynomials: program, text, what becomes of it, and what must be found different.
SLIPS = [
    ("functions.cl", "& ~MASK(lifted < REAL(SMALLEST_NORMAL * LIFT))", "", {"mul_normal"}),
    ("functions.cl", "mb * PICK_REAL(0x1p-24f,", "mb * PICK_REAL(0x1p-25f,", {"real_divide", "real_reciprocal"}),
    ("functions.cl", "ulp = g * PICK_REAL(0x1p-23f,", "ulp = g * PICK_REAL(0x1p-24f,", {"real_sqrt"}),
    ("gram.cl", "& ~MASK(x < EXP_LOWEST)", "", {"gram rbf/clusters"}),
    ("pack.cl", "v > -tiny && v < tiny ? 0 : v", "v", {"gram rbf/subnormal"}),
]

SETS = ("easy", "many-dims", "far", "clusters", "subnormal", "1e-30", "1e30", "cross")
GRAMS = {f"gram rbf/{name}" for name in SETS}
ROUNDED_SUMS = GRAMS - {"gram rbf/clusters"}  # sums of the clusters' few squares are exact
CUBES = {f"grid {sampling}/3-d" for sampling in ("point", "integrated", "delta", "bessel")}
FUSIBLE = EXP | EXP_PAIR | LOG | TRIG

CONTRACTION = "#pragma OPENCL FP_CONTRACT OFF"
MULTIPLY_ADD = "#define FMA(a, b, c) ((a) * (b) + (c))"
FORMULA = "sum[r][c] = FORMULA(sum[r][c] * (real)gamma);"
LOOP = "for (int q = 0; q < d; q++) {"

BACKWARDS = [
    ("gram.cl", LOOP, f"a += (long)(d - 1) * ROW_PANEL; b += (long)(d - 1) * COL_PANEL; {LOOP}"),
    ("gram.cl", "a += ROW_PANEL;", "a -= ROW_PANEL;"),
    ("gram.cl", "b += COL_PANEL;", "b -= COL_PANEL;"),
]
TWO_SUMS = [
    ("gram.cl", "real sum[ROWS][VECTORS];", "real sum[ROWS][VECTORS], odd[ROWS][VECTORS];"),
    ("gram.cl", "sum[r][c] = REAL(0);", "sum[r][c] = odd[r][c] = REAL(0);"),
    ("gram.cl", "sum[r][c] = FMA(t, t, sum[r][c]);",
     "if (q % 2) odd[r][c] = FMA(t, t, odd[r][c]); else sum[r][c] = FMA(t, t, sum[r][c]);"),
    ("gram.cl", FORMULA, "sum[r][c] = FORMULA((sum[r][c] + odd[r][c]) * (real)gamma);"),
]
LAST_AXES_FIRST = [
    ("grid.cl", "mul_normal(profiles[i0], profiles[n0 + i1])",
     "mul_normal(profiles[n0 + n1 + i2], profiles[(long)n0 + n1 + n2 + j])"),
    ("grid.cl", "v = mul_normal(v, profiles[n0 + n1 + i2]);", "v = mul_normal(v, profiles[n0 + i1]);"),
    ("grid.cl", "v = mul_normal(v, profiles[(long)n0 + n1 + n2 + j]);", "v = mul_normal(v, profiles[i0]);"),
]

# What the functions should give, nearly.
REFERENCE = {
    "exp_nonpositive": math.exp, "real_exp": math.exp, "real_expm1": math.expm1, "real_log": math.log,
    "real_log1p": math.log1p, "real_sqrt": math.sqrt, "real_reciprocal": lambda x: 1 / x, "real_erf": math.erf,
    "real_erfc": math.erfc, "real_tanh": math.tanh, "real_sinpi": lambda x: math.sin(math.pi * math.fmod(x, 2)),
    "real_cospi": lambda x: math.cos(math.pi * math.fmod(x, 2)), "mul_normal": lambda a, b: a * b,
    "real_divide": lambda a, b: a / b, "real_pow": math.pow,
}
DIFFERENCE = re.compile(r"element (\d+): (.*): the device gives (\S+), right is (\S+)")
PAIR = re.compile(r"K\[(\d+), (\d+)\] of x = \((.*)\), y = \((.*)\), gamma (\S+)")


@functools.lru_cache(maxsize=None)
def source(name):
    return (SOURCES / name).read_text(encoding="utf-8")


def coefficient(file, function, precision, index):
    """The text of a coefficient in a function's body, which must stand nowhere else."""
    body = re.search(rf"^FN \w+ {function}\(.*?^}}", source(file), re.M | re.S)[0]
    words = [w for w in re.findall(r"-?0x1\.[0-9a-f]+p[+-]\d+f?", body) if w.endswith("f") == (precision == "f32")]
    everywhere = "".join(source(path.name) for path in SOURCES.glob("*.h"))
    word = words[index]
    if everywhere.count(word) != body.count(word):
        raise ValueError(f"{word} of {function} stands elsewhere, too")
    return word


def last_bit_changed(word):
    """0x1.fffffep-2f -> 0x1.fffffcp-2f"""
    suffix = "f" if word.endswith("f") else ""
    real, integer = ("<f", "<I") if suffix else ("<d", "<Q")
    bits = struct.unpack(integer, struct.pack(real, float.fromhex(word.rstrip("f") if suffix else word)))[0]
    return struct.unpack(real, struct.pack(integer, bits ^ 1))[0].hex() + suffix


def changed_bit(program, *where):
    word = coefficient(*where)
    return [(program, word, last_bit_changed(word))]


class Patched(cli.Case):
    """A test whose runs are under the layer. A rule: (program, or * for all; text; what becomes of it)."""

    @classmethod
    def setUpClass(cls):
        if not layer_works():
            raise unittest.SkipTest("the OpenCL loader takes no layers")

    def patched(self, *args, rules):
        result, log = run_patched(self.folder, rules, *args)
        self.assertIn("loaded", log)
        for at, rule in enumerate(rules):
            places = [int(line.split("\t")[2]) for line in log if line.split("\t")[1:2] == [str(at)]]
            self.assertTrue(places and (all(places) or rule[0] == "*" and any(places)),
                            f"the sources have changed, the test has not: {rule}")
        return result

    def refused(self, *args, rules, words):
        """One line that says why, and nothing done."""
        result = self.patched(*args, rules=rules)
        self.assertEqual((result.code, len(result.lines)), (FAILED, 1), result)
        for word in words:
            self.assertIn(word, result.err)
        return result

    def verify(self, *args, rules):
        """The names of the checks that failed, of a report that agrees with itself and with the exit status."""
        result = self.patched("verify", "--quick", "--json", *args, rules=rules)
        report = result.json
        bad = [check for check in report["checks"] if check["status"] != "ok"]
        count = {name: sum(check["status"] == status for check in report["checks"])
                 for name, status in [("equal", "ok"), ("different", "untrusted"), ("unsupported", "unsupported")]}
        count["failed"] = len(report["checks"]) - sum(count.values())
        self.assertEqual({name: report[name] for name in count}, count)
        wrong = count["different"] + count["failed"]
        self.assertEqual((result.code, report["status"] == "ok"), (FAILED, False) if wrong else (DONE, True), result)
        self.assertEqual(result.lines, [f"isogram: {count['different']} checks gave other bits than the contract's"]
                         if count["different"] else result.lines)
        for check in bad:
            if check["status"] == "untrusted" and check["what"] != "device":
                self.check_difference(check)
        return {name_of(check) for check in bad}

    def check_difference(self, check):
        """The first element that differs, with its inputs and both values; the right one is right."""
        match = DIFFERENCE.fullmatch(check["message"])
        self.assertTrue(match, check)
        self.assertLess(int(match[1]), check["count"])
        got, right = float.fromhex(match[3]), float.fromhex(match[4])
        self.assertNotEqual(match[3], match[4])
        tolerance = {"rel_tol": 1e-4, "abs_tol": 1e-6} if "/f32/" in check["contract"] else {
            "rel_tol": 1e-12, "abs_tol": 1e-14}
        function, pair = re.fullmatch(r"(\w+)\((.*)\)", match[2]), PAIR.fullmatch(match[2])
        if function:
            arguments = [float.fromhex(word) for word in function[2].split(", ")]
            self.assertEqual(check["what"], f"function {function[1]}")
            if all(map(math.isfinite, [*arguments, right])):
                want = REFERENCE[function[1]](*arguments)
                self.assertTrue(math.isclose(right, want, **tolerance), (check["message"], want))
        elif pair and "..." not in match[2]:
            x, y = ([float.fromhex(word) for word in point.split(", ")] for point in (pair[3], pair[4]))
            want = math.exp(-float.fromhex(pair[5]) * sum((a - b) ** 2 for a, b in zip(x, y)))
            self.assertTrue(math.isclose(right, want, **tolerance), (check["message"], want))
        return int(match[1]), got, right


def name_of(check):
    what = check["what"]
    return what[len("function "):] if what.startswith("function ") else f"{what}/{check['inputs']}".rstrip("/")


def run_patched(folder, rules, *args):
    """A run under the layer, and the lines that the layer wrote."""
    patch, log = folder / "patch", folder / "patch.log"
    patch.write_text("".join("\t".join(rule) + "\n" for rule in rules), encoding="utf-8")
    log.unlink(missing_ok=True)
    result = cli.run(*args, cwd=folder, env={"OPENCL_LAYERS": layer, "ISOGRAM_PATCH": str(patch),
                                             "ISOGRAM_PATCH_LOG": str(log), "ISOGRAM_CACHE_DIR": "off"})
    return result, log.read_text(encoding="utf-8").splitlines() if log.exists() else []


@functools.lru_cache(maxsize=None)
def layer_works():
    cli.chosen_device()  # without any device nothing would be loaded
    return "loaded" in run_patched(cli.root, [], "devices")[1]


class Control(Patched):
    def test_nothing_changed(self):
        self.assertEqual({name for name in self.verify(rules=[]) if name != "device"}, set())

    def test_comments_are_no_change(self):
        self.assertEqual(self.verify(*SINGLE, rules=[("*", "// ", "// and "), ("gram.cl", FORMULA, f"{{{FORMULA}}}")]),
                         set())


class SelfCheck(Patched):
    """A device whose programs are wrong alike is not used at all."""

    def test_every_verb_refuses(self):
        rules = changed_bit("*", "exp.h", "exp_polynomial", "f32", -1)
        self.save("x.npy", "<f4", (3, 2), [0.5 * i for i in range(6)])
        for args in (["devices"], ["grid", "--size", 5, "--sigma", 1], ["gram", "x.npy", "-o", "k.npy"],
                     ["verify", "--quick", *SINGLE], ["verify", "--quick", *UNFUSED], ["verify", "--quick"]):
            with self.subTest(args=args):
                result = self.refused(*args, rules=rules, words=["self-check", "float32"])
                if args[0] == "devices":
                    self.assertNotIn("-> ", result.out.decode())
                    self.assertIn("not usable", result.out.decode())
                else:
                    self.assertEqual(result.out, b"")
                self.assertFalse(self.path("k.npy").exists())

    @needs_f64
    def test_double_alone(self):
        rules = changed_bit("*", "exp.h", "exp_third", "f64", -1)
        points = npy_util.dump("<f8", (3, 2), [0.5 * i for i in range(6)])
        self.path("x.npy").write_bytes(points)
        self.refused("gram", "x.npy", "-o", "k.npy", rules=rules, words=["self-check", "float64"])
        self.assertFalse(self.path("k.npy").exists())
        self.assertEqual(self.patched("gram", "x.npy", "-o", "k.npy", "--precision", "f32", "--quiet",
                                      rules=[]).code, DONE)
        devices = self.patched("devices", rules=rules)
        self.assertIn("f64: not used", devices.out.decode())
        self.assertEqual(self.verify("--precision", "f64", "--arithmetic", "unfused", rules=rules), {"device"})


class Functions(Patched):
    """A last bit in one function's own program is found there, and there only."""

    def check(self, precision, options, rows):
        for *where, users in rows:
            with self.subTest(where=where):
                file, function, index = where
                rules = changed_bit("functions.cl", file, function, precision, index)
                self.assertEqual(self.verify(*options, rules=rules), users)

    def test_coefficients_f32(self):
        self.check("f32", SINGLE, COEFFICIENTS_F32)

    @needs_f64
    def test_coefficients_f64(self):
        self.check("f64", DOUBLE, COEFFICIENTS_F64)

    def test_slips(self):
        for *rule, users in SLIPS:
            with self.subTest(rule=rule):
                self.assertEqual(self.verify(*SINGLE, rules=[tuple(rule)]), users)

    def test_one_bit_of_one_number(self):
        store = "STORE(r, y + (long)i * LANES);"
        flip = "if (i == 1000 / LANES && function == FUNCTION_real_exp) ((global scalar_bits *)y)[1000] ^= 1;"
        result = self.patched("verify", "--quick", "--json", *SINGLE, rules=[("functions.cl", store, store + flip)])
        bad = [check for check in result.json["checks"] if check["status"] != "ok"]
        self.assertEqual([name_of(check) for check in bad], ["real_exp"])
        element, got, right = self.check_difference(bad[0])
        self.assertEqual((element, abs(bits_f32(got) - bits_f32(right))), (1000, 1))

    def test_what_does_not_compile_is_not_equal(self):
        rules = [("functions.cl", "r = CALL_##arity(name);", "r = nothing_of_the_kind;")]
        result = self.patched("verify", "--quick", "--json", *SINGLE, rules=rules)
        failed = {name_of(check) for check in result.json["checks"] if check["status"] != "ok"}
        self.assertEqual((result.code, failed), (FAILED, set(REFERENCE)), result)
        self.assertEqual((result.json["different"], result.json["failed"]), (0, len(REFERENCE)))
        self.assertIn(f"{len(REFERENCE)} checks could not be computed", result.err)


class Operators(Patched):
    """What the self-check cannot see, because it is wrong in one program only."""

    def test_exp_in_gram(self):
        rules = changed_bit("gram.cl", "exp.h", "exp_polynomial", "f32", -1)
        self.assertEqual(self.verify(*SINGLE, rules=rules), GRAMS - {"gram rbf/clusters"})  # whose values are 0 and 1

    @needs_f64
    def test_exp_in_gram_f64(self):
        rules = changed_bit("gram.cl", "exp.h", "exp_third", "f64", -1)
        self.assertEqual(self.verify(*DOUBLE, rules=rules), GRAMS - {"gram rbf/clusters"})

    def test_order_of_sums(self):
        for rules in (BACKWARDS, TWO_SUMS):
            with self.subTest(rules=rules):
                self.assertEqual(self.verify(*SINGLE, rules=rules), ROUNDED_SUMS)

    def test_order_of_products(self):
        self.assertEqual(self.verify(*SINGLE, rules=LAST_AXES_FIRST), CUBES)

    def test_one_element(self):
        store = "k[origin + (long)row * stride + column] = lane[l];"
        rules = [("gram.cl", store, store.replace("lane[l]", "row == 66 && column == 44 ? -lane[l] : lane[l]"))]
        result = self.patched("verify", "--quick", "--json", *SINGLE, rules=rules)
        bad = {name_of(check): check for check in result.json["checks"] if check["status"] != "ok"}
        self.assertIn("gram rbf/cross", bad)
        self.assertLessEqual(set(bad), GRAMS)  # mirrored ones hold a copy there
        for name, check in bad.items():
            columns = 45 if name == "gram rbf/cross" else 67
            element, got, right = self.check_difference(check)
            self.assertEqual((element, got), (66 * columns + 44, -right))

    def test_text(self):
        rules = changed_bit("gram.cl", "exp.h", "exp_polynomial", "f32", -1)
        for quiet in (False, True):
            with self.subTest(quiet=quiet):
                result = self.patched("verify", "--quick", *SINGLE, *["--quiet"] * quiet, rules=rules)
                *lines, summary = result.out.decode().splitlines()
                different = [line for line in lines if " DIFFERENT " in line]
                equal = [line for line in lines if " equal " in line]
                self.assertEqual(len(different) + len(equal), len(lines))
                count = re.search(r": (\d+) equal, (\d+) different, 0 failed, 0 not there$", summary)
                self.assertTrue(count, summary)
                self.assertEqual((len(equal), len(different)), (0 if quiet else int(count[1]), int(count[2])))
                self.assertTrue(all(DIFFERENCE.search(line) for line in different), different)
                self.assertEqual((result.code, result.lines),
                                 (FAILED, [f"isogram: {count[2]} checks gave other bits than the contract's"]))


class Contraction(Patched):
    def fuses_if_allowed(self):
        device = cli.chosen_device()
        return device["platform"] == "Portable Computing Language" and device["f32"]["fma_cost"] < 2.5

    def test_probe_sees_it(self):
        if not cli.chosen_device()["f32"]["fma_fused"]:
            self.skipTest("the device's fma does not round once")
        fused = [("probe.cl", "unfused[i] = a[i] * b[i] + c[i];", "unfused[i] = fma(a[i], b[i], c[i]);")]
        self.refused("verify", "--quick", *UNFUSED, rules=fused, words=["fuses a * b + c"])

    def test_pragma_everywhere(self):
        if not self.fuses_if_allowed():
            self.skipTest("not a device that is known to fuse what it may")
        for instead in ("", CONTRACTION.replace("OFF", "ON")):
            for args in (["devices"], ["verify", "--quick", *SINGLE], ["verify", "--quick", *UNFUSED]):
                with self.subTest(instead=instead, args=args):
                    self.refused(*args, rules=[("*", CONTRACTION, instead)], words=["fuses a * b + c"])

    def test_pragma_in_one_program(self):
        if not self.fuses_if_allowed():
            self.skipTest("not a device that is known to fuse what it may")
        on = CONTRACTION.replace("OFF", "ON")
        self.assertEqual(self.verify(*UNFUSED, rules=[("gram.cl", CONTRACTION, "")]), GRAMS)
        self.assertEqual(self.verify(*UNFUSED, rules=[("functions.cl", CONTRACTION, on)]), FUSIBLE)

    def test_wrong_multiply_add(self):
        fused = MULTIPLY_ADD.replace("((a) * (b) + (c))", "fma(a, b, c)")
        if cli.chosen_device()["f32"]["fma_fused"]:
            self.assertEqual(self.verify(*UNFUSED, rules=[("gram.cl", MULTIPLY_ADD, fused)]), GRAMS)
        twice = [("gram.cl", "#define FMA(a, b, c) FMA_FUSED(a, b, c)", MULTIPLY_ADD)]
        self.assertEqual(self.verify(*SINGLE, rules=twice), GRAMS)


class Golden(cli.Case):
    """The tool keeps every hash that a file has, and makes those that it has not."""

    def setUp(self):
        super().setUp()
        self.whole = Path(golden_file).read_bytes()
        self.count = sum(not line.startswith(b"#") for line in self.whole.splitlines())

    def golden(self, data):
        """Exit status, what was said, and what has become of the file."""
        path = self.path("golden.txt")
        if data is not None:
            path.write_bytes(data)
        done = subprocess.run([golden_tool, str(path)], capture_output=True, text=True, timeout=cli.TIMEOUT)
        return done.returncode, done.stdout, done.stderr, path.read_bytes()

    def test_as_it_is(self):
        self.assertEqual(self.golden(self.whole), (0, f"0 hashes added, {self.count} kept\n", "", self.whole))

    def test_what_is_missing_is_added(self):
        lines = self.whole.splitlines(keepends=True)
        del lines[self.count // 2], lines[-1]
        self.assertEqual(self.golden(b"".join(lines)), (0, f"2 hashes added, {self.count - 2} kept\n", "", self.whole))

    def test_one_digit(self):
        lines = self.whole.splitlines(keepends=True)
        at = self.count // 3
        lines[at] = lines[at][:31] + (b"1" if lines[at][31:32] == b"0" else b"0") + lines[at][32:]
        code, out, err, after = self.golden(b"".join(lines))
        self.assertEqual((code, out, after), (1, "", b"".join(lines)))
        name = lines[at][33:].decode().rstrip()
        self.assertIn(f"golden: other bits: {name}\n", err)
        self.assertIn("1 hashes would change and 0 would go; nothing written", err)

    def test_a_case_that_is_gone(self):
        more = self.whole + b"0" * 32 + b" isogram-1/f32/fused quick function real_gamma/mixed\n"
        code, out, err, after = self.golden(more)
        self.assertEqual((code, out, after), (1, "", more))
        self.assertIn("0 hashes would change and 1 would go; nothing written", err)


def bits_f32(value):
    return struct.unpack("<i", struct.pack("<f", value))[0]


def main():
    global layer, golden_tool, golden_file
    if len(sys.argv) < 5:
        sys.exit("usage: test_mutations.py PATH_TO_ISOGRAM PATCH_LAYER PATH_TO_GOLDEN GOLDEN_FILE "
                 "[unittest's arguments]")
    layer, golden_tool, golden_file = map(os.path.abspath, sys.argv[2:5])
    del sys.argv[2:5]
    if POCL.exists() and not {"OCL_ICD_VENDORS", "ISOGRAM_DEVICE"} & set(os.environ):
        os.environ["OCL_ICD_VENDORS"] = POCL.name
    try:
        cli.main("test_mutations.py")
    except SystemExit as end:
        sys.exit(SKIPPED if end.code == 0 and layer_works.cache_info().currsize and not layer_works() else end.code)


if __name__ == "__main__":
    main()
