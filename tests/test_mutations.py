#!/usr/bin/env python3
"""isogram verify cannot be fooled: what is changed in the programs that a device gets, down to the last bit of one
coefficient, is refused when the device is opened or found different. And tests/golden.c changes no golden hash.

test_mutations.py PATH_TO_ISOGRAM PATCH_LAYER PATH_TO_GOLDEN GOLDEN_FILE [unittest's arguments: -k Mutations, -k Golden]

Every changed program is compiled and run, in seconds: of the tests of mutations one of three is made, as ISOGRAM_TEST_SEED says, and
all with ISOGRAM_TEST_ALL=1. The OpenCL layer patch_layer.c makes the changes, on the way to the driver. Where the loader takes no layers, the tests
that need them are skipped and the exit status is 77. Without OCL_ICD_VENDORS and ISOGRAM_DEVICE they run on PoCL.
"""
import functools
import math
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import cli
from cli import DONE, FAILED, needs_f64

SOURCES = Path(__file__).resolve().parent.parent / "cl"
POCL = Path("/etc/OpenCL/vendors/pocl.icd")
SKIPPED = 77  # for meson

layer = golden_tool = golden_file = None

FUSED = ["--precision", "f32", "--arithmetic", "fused"]
UNFUSED = ["--precision", "f32", "--arithmetic", "unfused"]
DOUBLE = ["--precision", "f64", "--arithmetic", "unfused"]

# Where a last bit is changed: file, function, and which coefficient of the precision, 0 being that of the highest power
# and those of pairs coming two and two. Behind them, functions that would show it on more numbers only.
COEFFICIENTS_F32 = [
    ("exp.h", "exp_polynomial", -1),
    ("exp.h", "exp_third", -1, "real_erf"),
    ("log.h", "log_polynomial", -1),
    ("log.h", "log_pair", -2),
    ("erf.h", "erf_small", 3),
    ("erf.h", "erfc_reduced", -2),
    ("trig.h", "sin_polynomial", 3),
    ("trig.h", "cos_polynomial", 2),
]
COEFFICIENTS_F64 = [
    ("exp.h", "exp_third", -1),
    ("log.h", "log_pair", -2),
    ("erf.h", "erfc_reduced", -2),
]

# What must be found different; a name is a function's, or what is computed and from what.
EXACT = {"mul_normal", "real_divide", "real_reciprocal", "real_sqrt"}  # correctly rounded, one way or another
CLUSTERS = {"gram rbf/clusters"}  # few squares, exact sums; in single precision all of K is 0 or 1
SUM = {"gram sum/cross"}  # all pairs' numbers and a cosine in one program; no last bit of exp in double reaches the sum

DIAGONALS = {f"gram {name}/diagonal" for name in ("rbf", "laplacian", "linear", "chi2", "rbf, factors",
                                                  "rbf, lengthscales", "cosine")}  # of another program

HOSTS = {f"stencil {name}/points" for name in ("covariance", "angle", "derivative", "gabor")}  # of no program

# A plain function of pairs.h, what makes the fine one of it, what does not, and what is different then.
FINE_TERMS = [
    ("add_sqdist", "& ~MASK(magnitude(t) < PICK_REAL(0x1p-63f, 0x1p-511))", "",
     ["thin_plate", "sqeuclidean", "euclidean"]),
    ("add_dot", "FMA(as_real(as_bits(y) & ~small), x, sum)", "FMA(y, x, sum)", ["cosine", "polynomial, small"]),
    ("add_chi2", "MASK(w < PICK_REAL(0x1p-75f, 0x1p-899))", "MASK(w == REAL(0))", ["additive_chi2"]),
]

# What computes each kind of check.
PROGRAMS = {"function": "functions.cl", "formula": "functions.cl", "gram": "gram.cl", "grid": "grid.cl",
            "apply": "apply.cl", "reduce": "extremes.cl", "filter": "filter.cl", "masked": "filter_masked.cl",
            "derived": "filter.cl", "convolve": "convolve.cl", "correlate": "convolve.cl",
            "gradient": "gradient.cl"}  # some reductions need apply.cl, too

# Rules, as Patched has them.
NO_SUMS = [("apply.cl",), ("extremes.cl",), ("convolve.cl",), ("gradient.cl",)]
ONLY_FUNCTIONS = [("gram.cl",), ("grid.cl",), ("filter.cl",), ("filter_masked.cl",), *NO_SUMS]
ONLY_GRAM = [("functions.cl",), ("grid.cl",), ("filter.cl",), ("filter_masked.cl",), *NO_SUMS]
ONLY_SUMS = [("functions.cl",), ("grid.cl",), ("gram.cl",), ("filter.cl",), ("filter_masked.cl",), ("convolve.cl",), ("gradient.cl",)]
ONLY_CONVOLUTIONS = [(name,) for name in ("functions.cl", "grid.cl", "gram.cl", "diagonal.cl", "filter.cl", "filter_masked.cl", "apply.cl",
                                          "extremes.cl", "gradient.cl")]
CONTRACTION = "#pragma OPENCL FP_CONTRACT OFF"
MULTIPLY_ADD = "#define FMA(a, b, c) ((a) * (b) + (c))"
LOOP = "for (int q = 0; q < d; q++) {"
BACKWARDS = [
    ("gram.cl", LOOP, f"a += (long)(d - 1) * ROW_PANEL; b += (long)(d - 1) * COL_PANEL; {LOOP}"),
    ("gram.cl", "a += ROW_PANEL;", "a -= ROW_PANEL;"),
    ("gram.cl", "b += COL_PANEL;", "b -= COL_PANEL;"),
]
TWO_SUMS = [
    ("gram.cl", "real sums_##name[HEIGHT][VECTORS];", "real sums_##name[HEIGHT][VECTORS], odd_##name[HEIGHT][VECTORS];"),
    ("gram.cl", "sums_##name[r][c] = REAL(0);", "sums_##name[r][c] = odd_##name[r][c] = REAL(0);"),
    ("gram.cl", "sums_##name[r][c] = step(sums_##name[r][c], y[c], x, w);",
     "if (q % 2) odd_##name[r][c] = step(odd_##name[r][c], y[c], x, w); "
     "else sums_##name[r][c] = step(sums_##name[r][c], y[c], x, w);"),
    ("gram.cl", "real name = sums_##name[r][c];", "real name = sums_##name[r][c] + odd_##name[r][c];"),
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
CALL = re.compile(r"(\w+)\((.*)\)")
PAIR = re.compile(r"K\[\d+, \d+\] of x = \((.*)\), y = \((.*)\), rbf\(gamma=(.*)\)")


# ---- The sources ----

@functools.lru_cache(maxsize=None)
def bodies(precision):
    """The functions of cl/, each with its file and its text, without what is for the other precision."""
    branches = re.compile(r"^#if REAL_BITS == 64\n(.*?)^(?:#else\n(.*?)^)?#endif\n", re.M | re.S)
    found = {}
    for path in SOURCES.glob("*.h"):
        text = branches.sub(lambda match: match[1 if precision == "f64" else 2] or "", path.read_text(encoding="utf-8"))
        found.update({match[1]: (path.name, match[0])
                      for match in re.finditer(r"^FN \w+ (\w+)\(.*?^}", text, re.M | re.S)})
    return found


def users(function, precision):
    """The function and all that call it, through others as well."""
    found = {function}
    while True:
        callers = {name for name, (_, text) in bodies(precision).items()
                   if any(re.search(rf"\b{f}\(", text) for f in found)}
        if callers <= found:
            return found
        found |= callers


def change_last_bit(program, file, function, precision, index):
    """A rule for the line of a coefficient, which must stand in no other function: 0x1.fffffep-2f -> 0x1.fffffcp-2f."""
    at, text = bodies(precision)[function]
    suffix, real, integer = ("f", "<f", "<I") if precision == "f32" else ("", "<d", "<Q")
    word = [w + f for w, f in re.findall(r"(-?0x1\.[0-9a-f]+p[+-]\d+)(f?)", text) if f == suffix][index]
    line = next(line.strip() for line in text.splitlines() if word in line)
    if at != file or sum(path.read_text(encoding="utf-8").count(line) for path in SOURCES.glob("*.h")) != 1:
        raise ValueError(f"{line} is not a line of {file} alone")
    bits = struct.unpack(integer, struct.pack(real, float.fromhex(word[:-1] if suffix else word)))[0]
    return program, line, line.replace(word, struct.unpack(real, struct.pack(integer, bits ^ 1))[0].hex() + suffix)


# ---- Runs under the layer ----

def run_patched(folder, rules, *args, env=None):
    """A run, and the lines that the layer wrote. env: more of the environment."""
    patch, log = folder / "patch", folder / "patch.log"
    patch.write_text("".join("\t".join(rule) + "\n" for rule in rules), encoding="utf-8")
    log.unlink(missing_ok=True)
    result = cli.run(*args, cwd=folder, env={"OPENCL_LAYERS": layer, "ISOGRAM_PATCH": str(patch),
                                             "ISOGRAM_PATCH_LOG": str(log), "ISOGRAM_CACHE_DIR": "off", **(env or {})})
    return result, log.read_text(encoding="utf-8").splitlines() if log.exists() else []


@functools.lru_cache(maxsize=None)
def layer_works():
    cli.chosen_device()  # without any device no layer would be loaded
    return "loaded" in run_patched(cli.root, [], "devices")[1]


def name_of(check):
    what = check["what"]
    return what[len("function "):] if what.startswith("function ") else f"{what}/{check['inputs']}"


class Patched(cli.Case):
    """A rule: (program, or * for all that have it; text; what becomes of it), (program,) that cannot be made, or
    (program, option) that can be made with this option only."""

    def setUp(self):
        super().setUp()
        if not layer_works():
            self.skipTest("the OpenCL loader takes no layers")
        name = self.id().rpartition(".")[2]
        if name != "test_control" and not cli.taken(name, 3):
            self.skipTest("left to mutations_all")

    def patched(self, *args, rules, env=None):
        result, log = run_patched(self.folder, rules, *args, env=env)
        self.assertIn("loaded", log)
        for at, rule in enumerate(rules):
            places = [int(line.split("\t")[2]) for line in log if line.split("\t")[1:2] == [str(at)]]
            if len(rule) == 1:  # a quick certificate may have no need of it
                continue
            self.assertTrue(any(places) if rule[0] == "*" else places and all(places),
                            f"the sources have changed, and the test has not: {rule}; {result}")
        return result

    def refused(self, *args, rules, words):
        result = self.patched(*args, rules=rules)
        self.assertEqual(result.code, FAILED, result)
        self.assertTrue(all(line.startswith("isogram: warning: passed over ") for line in result.lines[:-1]), result)
        self.assertFalse(result.lines[-1].startswith("isogram: warning"), result)
        for word in words:
            self.assertIn(word, result.lines[-1])
        return result

    def verify(self, *args, rules, quick=True, env=None):
        """The checks that differ, by name, from a report that agrees with itself and with the exit status; self.names
        are those of all checks, self.computed of those that did not fail. The checks of programs that could not be made
        have failed, and no others."""
        result = self.patched("verify", *["--quick"] * quick, "--json", *args, rules=rules, env=env)
        report = result.json
        counts = {"ok": 0, "untrusted": 0, "unsupported": 0, "failed": 0}
        left_out = {kind for kind, program in PROGRAMS.items() if (program,) in rules}
        in_part = {kind for kind, program in PROGRAMS.items() if program in [r[0] for r in rules if len(r) == 2]}
        self.computed = set()
        for check in report["checks"]:
            status, kind = check["status"] if check["status"] in counts else "failed", check["what"].split()[0]
            counts[status] += 1
            if status != "failed":
                self.computed.add(name_of(check))
            if kind not in in_part:
                self.assertEqual(status == "failed", kind in left_out, check)
        self.assertEqual(counts, {"ok": report["equal"], "untrusted": report["different"],
                                  "unsupported": report["unsupported"], "failed": report["failed"]})
        self.assertGreater(len(report["checks"]), 0)
        good = not counts["untrusted"] and not counts["failed"]
        self.assertEqual((result.code, report["status"] == "ok"), (DONE if good else FAILED, good), result)
        if counts["untrusted"]:
            self.assertEqual(result.lines,
                             [f"isogram: {counts['untrusted']} checks gave other bits than the contract's"])
        self.names = set(map(name_of, report["checks"]))
        different = {name_of(check): check for check in report["checks"] if check["status"] == "untrusted"}
        for check in different.values():
            if check["what"] != "device":
                self.difference(check)
        return different

    def difference(self, check):
        """Where the first difference is, and both values. Its inputs are those of the value that is called right."""
        match = DIFFERENCE.fullmatch(check["message"])
        self.assertTrue(match, check)
        self.assertLess(int(match[1]), check["count"])
        self.assertNotEqual(match[3], match[4])
        got, right = float.fromhex(match[3]), float.fromhex(match[4])
        call, pair, want = CALL.fullmatch(match[2]), PAIR.fullmatch(match[2]), None
        if check["what"].startswith("function "):
            self.assertEqual(name_of(check), call[1])
            arguments = [float.fromhex(word) for word in call[2].split(", ")]
            if call[1] in REFERENCE and all(map(math.isfinite, [*arguments, right])):
                want = REFERENCE[call[1]](*arguments)
        elif check["what"] == "gram rbf" and "..." not in match[2]:
            x, y = ([float.fromhex(word) for word in point.split(", ")] for point in pair.group(1, 2))
            want = math.exp(-float(pair[3]) * sum((a - b) ** 2 for a, b in zip(x, y)))
        if want is not None:
            single = "/f32/" in check["contract"]
            self.assertTrue(math.isclose(right, want, rel_tol=1e-4 if single else 1e-12,
                                         abs_tol=1e-6 if single else 1e-14), (check["message"], want))
        return int(match[1]), got, right


class NoMutations(Patched):
    def test_control(self):
        self.assertEqual(set(self.verify(*FUSED, rules=[])), set())

    def test_other_text_of_equal_meaning(self):
        rules = [("functions.cl", "STORE(r, y + (long)i * LANES);", "{ real s = r; STORE(s, y + (long)i * LANES); }")]
        self.assertEqual(set(self.verify(*FUSED, rules=rules + ONLY_FUNCTIONS)), set())

    def test_what_cannot_be_computed_is_not_equal(self):
        rules = [("functions.cl", "CALL_##arity(name)", "nothing_of_the_kind"), *ONLY_FUNCTIONS]
        result = self.patched("verify", "--quick", "--json", *FUSED, rules=rules)
        report = result.json
        self.assertEqual((result.code, report["equal"], report["different"], report["failed"]),
                         (FAILED, 0, 0, len(report["checks"])))
        self.assertIn("checks could not be computed", result.err)


class SelfCheckMutations(Patched):
    """A device on which every program is wrong is not used at all."""

    def test_every_verb_refuses(self):
        rules = [change_last_bit("*", "exp.h", "exp_polynomial", "f32", -1)]
        self.save("x.npy", "<f4", (3, 2), [0.5 * i for i in range(6)])
        for args in (["devices"], ["grid", "--size", 5, "--sigma", 1], ["gram", "x.npy", "-o", "k.npy"],
                     ["verify", "--quick"], ["verify", "--quick", *FUSED], ["verify", "--quick", *UNFUSED]):
            with self.subTest(args=args):
                out = self.refused(*args, rules=rules, words=["self-check", "float32"]).out.decode()
                if args == ["devices"]:
                    self.assertIn("not usable", out)
                    self.assertNotIn("-> ", out)
                else:
                    self.assertEqual(out, "")
                self.assertFalse(self.path("k.npy").exists())

    @needs_f64
    def test_double_precision_alone(self):
        rules = [("*", "REAL(0x1p-1)", "REAL(0x1.0000000000001p-1)")]
        self.save("x.npy", "<f8", (3, 2), [0.5 * i for i in range(6)])
        self.refused("gram", "x.npy", "-o", "k.npy", rules=rules, words=["self-check", "float64"])
        self.assertFalse(self.path("k.npy").exists())
        single = self.patched("gram", "x.npy", "-o", "k.npy", "--precision", "f32", "--quiet", rules=rules)
        self.assertEqual((single.code, single.err), (DONE, ""))
        self.assertIn("f64: not used", self.patched("devices", rules=rules).out.decode())
        result = self.patched("verify", "--quick", "--json", *DOUBLE, rules=rules)
        self.assertEqual([(check["what"], check["status"]) for check in result.json["checks"]],
                         [("device", "untrusted")])
        self.assertEqual((result.code, result.json["different"]), (FAILED, 1))


class FunctionMutations(Patched):
    """A last bit in functions.cl is seen in all functions that use it, and in no others."""

    def check(self, precision, options, rows):
        """Coefficients of which no function uses two are changed in one run."""
        runs = []
        for file, function, index, *unseen in rows:
            rule, affected = change_last_bit("functions.cl", file, function, precision, index), users(function, precision)
            run = next((run for run in runs if not run["affected"] & affected), None)
            if run is None:
                run = {"rules": [], "affected": set(), "unseen": set()}
                runs.append(run)
            run["rules"].append(rule)
            run["affected"] |= affected
            run["unseen"] |= set(unseen)
        for run in runs:
            with self.subTest(rules=run["rules"]):
                found = set(self.verify(*options, rules=run["rules"] + ONLY_FUNCTIONS))
                formulas = {name for name in found if name.startswith("formula ")}
                self.assertEqual(found - formulas, run["affected"] & set(REFERENCE) - run["unseen"])
                self.assertLessEqual({name.split("/")[0].replace("formula ", "f_") for name in formulas}, run["affected"])

    def test_last_bits_f32(self):
        self.check("f32", FUSED, COEFFICIENTS_F32)

    @needs_f64
    def test_last_bits_f64(self):
        self.check("f64", DOUBLE, COEFFICIENTS_F64)

    def test_rounding_by_hand(self):
        rules = [("functions.cl", "& ~MASK(lifted < REAL(SMALLEST_NORMAL * LIFT))", ""),
                 ("functions.cl", "half_ulp = mb * PICK_REAL(0x1p-24f,", "half_ulp = mb * PICK_REAL(0x1p-25f,"),
                 ("functions.cl", "ulp = g * PICK_REAL(0x1p-23f,", "ulp = g * PICK_REAL(0x1p-24f,")]
        self.assertEqual(set(self.verify(*FUSED, rules=rules + ONLY_FUNCTIONS)) & set(REFERENCE), EXACT)

    def test_power_without_a_step(self):
        rules = [("functions.cl", "if (n & bit) {", "if (n & bit & 2) {"), *ONLY_FUNCTIONS]  # 5 is 101 in binary
        self.assertEqual(set(self.verify(*FUSED, rules=rules)), {"formula polynomial/mixed"})

    def test_one_bit_of_one_number(self):
        store = "STORE(r, y + (long)i * LANES);"
        flip = "if (i == 1000 / LANES && function == FUNCTION_real_exp) ((global scalar_bits *)y)[1000] ^= 1;"
        different = self.verify(*FUSED, rules=[("functions.cl", store, f"{store} {flip}"), *ONLY_FUNCTIONS])
        self.assertEqual(list(different), ["real_exp"])
        element, *values = self.difference(different["real_exp"])
        got, right = (struct.unpack("<i", struct.pack("<f", value))[0] for value in values)
        self.assertEqual((element, abs(got - right)), (1000, 1))


class OperatorMutations(Patched):
    """What the self-check cannot see, for it is wrong in one program only."""

    def check(self, options, rules, kind, ending="", spared=()):
        """Different are just the checks of this kind and ending (or of these), but for some."""
        different = set(self.verify(*options, rules=rules))
        expected = {name for name in self.names if name.startswith(kind) and name.endswith(ending)} - set(spared)
        self.assertTrue(expected)
        self.assertEqual(different, expected)

    def test_last_bit_of_exp_in_gram(self):
        self.check(FUSED, [change_last_bit("gram.cl", "exp.h", "exp_polynomial", "f32", -1)], "gram ", spared=CLUSTERS)

    @needs_f64
    def test_last_bit_of_exp_in_gram_f64(self):
        self.check(DOUBLE, [change_last_bit("gram.cl", "exp.h", "exp_third", "f64", -1)], "gram ", spared=SUM)

    def test_order_of_sums(self):
        self.check(FUSED, BACKWARDS, "gram ", spared=CLUSTERS)
        self.check(FUSED, TWO_SUMS, "gram ", spared=CLUSTERS)

    def test_order_of_products(self):
        self.check(FUSED, LAST_AXES_FIRST, "grid ", ("/3-d", "/4-d"))

    def test_small_numbers(self):
        self.check(FUSED, [("gram.cl", "& ~MASK(x < EXP_LOWEST)", "")], "gram rbf/", "/clusters")
        self.check(FUSED, [("pack.cl", "v > -tiny && v < tiny ? 0 : v", "v")], "gram rbf/", "/subnormal")

    def test_one_element(self):
        store = "k[ROW_OF_K(row) + column] = lane[l];"
        rule = ("gram.cl", store, store.replace("lane[l]", "row == 66 && column == 44 ? -lane[l] : lane[l]"))
        different = self.verify(*FUSED, rules=[rule])
        self.assertTrue(any(name.endswith("/cross") for name in different))
        for name, check in different.items():  # not those that are mirrored: they have a copy there
            self.assertTrue(name.startswith("gram "))
            element, got, right = self.difference(check)
            self.assertEqual((element, got), (66 * (check["count"] // 67) + 44, -right))

    def test_text(self):
        rules = [change_last_bit("gram.cl", "exp.h", "exp_polynomial", "f32", -1)]
        for quiet in ([], ["--quiet"]):
            with self.subTest(quiet=quiet):
                result = self.patched("verify", "--quick", *FUSED, *quiet, rules=rules)
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


class CompositeMutations(Patched):
    """What only some programs have, on all inputs; programs without `option` are left out, for they take long."""

    def found(self, option, *changes, env=None):
        rules = [("gram.cl", *change) for change in changes] + [("gram.cl", option), *ONLY_GRAM]
        return set(self.verify(*FUSED, rules=rules, quick=False, env=env)), self.computed - DIAGONALS - HOSTS

    def check(self, option, *changes):
        """All that was computed is different."""
        different, computed = self.found(option, *changes)
        self.assertTrue(computed)
        self.assertEqual(different, computed)

    def test_fine_terms(self):
        # Where subnormal numbers are flushed the plain functions are as wrong: a term rounds up, or is a number at all.
        flushing = {"POCL_EXTRA_BUILD_FLAGS": "-cl-denorms-are-zero"}
        pocl = cli.chosen_device()["platform"] == "Portable Computing Language"
        for env in [{}, flushing] if pocl else [{}]:
            for plain, right, wrong, names in FINE_TERMS:
                with self.subTest(function=plain, env=env):
                    different, computed = self.found(f"{plain}_fine", (right, wrong), env=env)
                    self.assertLessEqual(different, computed)
                    self.assertEqual(different, {f"gram {name}/fine" for name in names})

    def test_order_of_products(self):
        rules = [rule[1:] for rule in BACKWARDS]
        different, computed = self.found("ADD_DOT=add_dot ", *rules)
        self.assertLessEqual({"gram linear/easy", "gram polynomial/easy", "gram cosine/easy"}, different)
        self.assertLessEqual(different, computed)

    def test_reciprocal_of_chi2(self):
        last = "    return FMA(y, e, y);"
        different, computed = self.found("ADD_CHI2=", (last, "    return as_real(as_bits(FMA(y, e, y)) ^ 1);"))
        self.assertEqual({name for name in computed - different if not name.endswith("/clusters")}, set())

    def test_row_factor(self):
        line = "v = real_product(v, (real)row_data[2 * NORMS * row_pitch + point]);"
        self.check("ROW_FACTORS=1", (line, f"if (point != 44) {line}"))

    def test_weight(self):
        line = "real w = (real)numbers[NUMBERS + q];"
        self.check("WEIGHTS=1", (line, line.replace("= ", "= q == 3 ? REAL(1) : ")))

    def test_half_of_a_sum(self):
        self.check("real_sum", ("    real s = a + b;", "    real s = a;"))

    def test_what_one_case_alone_shows(self):
        floor = "s) & ~MASK(magnitude(s) < REAL(SMALLEST_NORMAL))"
        product = "real p = scale_range(m, (mag_a >> FIELD) + (mag_b >> FIELD) - BITS(2 * BIAS));"
        ieee = "real p = magnitude(a) * magnitude(b); p = as_real(as_bits(p) & ~MASK(p < REAL(SMALLEST_NORMAL)));"
        for name, option, *change in (
                ("small sum/easy", "real_sum", floor, "s)"),
                ("polynomial, degree 5/easy", "f_polynomial", "if (n & bit) {", "if (n & bit & 2) {"),
                ("polynomial, small/fine", "f_polynomial", "tiny = MASK(magnitude(p.hi) <", "tiny = MASK(0 * p.hi >"),
                ("cityblock/smallest", "add_l1_fine", "t) & ~MASK(magnitude(t) < REAL(SMALLEST_NORMAL))", "t)"),
                ("cosine/orthogonal", "NORMS=1", "y) & ~MASK(magnitude(y) < REAL(SMALLEST_NORMAL) * lift)", "y)"),
                ("linear, factors/border", "ROW_FACTORS=1", product, ieee)):
            with self.subTest(name=name):
                different, computed = self.found(option, tuple(change))
                self.assertLessEqual(different, computed)
                self.assertIn(f"gram {name}", different)

    def test_diagonals(self):
        for name, old, new in (("rbf, factors", "value = real_product(", "real_product("),
                               ("rbf, lengthscales", "real w = numbers[NUMBERS + q];", "real w = REAL(1);"),
                               ("cosine", "row_data[row_pitch + i]", "REAL(0)")):
            option = {"rbf, factors": "ROW_FACTORS=1", "rbf, lengthscales": "WEIGHTS=1", "cosine": "NORMS=1"}[name]
            rules = [("diagonal.cl", old, new), ("diagonal.cl", option), ("gram.cl", "NONE"), *ONLY_GRAM]
            with self.subTest(name=name):
                self.assertEqual(set(self.verify(*FUSED, rules=rules, quick=False)), {f"gram {name}/diagonal"})

    def test_norms_one_way_round(self):
        different, _ = self.found("NORMS=1", ("(x.hi * y.lo + x.lo * y.hi)", "x.hi * y.lo"))
        self.assertLessEqual({"gram cosine/easy", "gram cosine/cross", "gram cosine, factors/easy"}, different)


class SumMutations(Patched):
    """What one change to the sums or the extremes shows in, and in nothing else."""

    def test_what_changes_shows(self):
        shifted = "reduce logsumexp/far"
        for rules in [  # each with its own expected difference; no check sees two of a run
            [(("apply.cl", "#elif FINE", "#elif 0"), "apply wendland/edge"),
             (("extremes.cl", "before |= ~MASK(moving >= old)", "before |= MASK(moving > old)"),
              "reduce largest 3, transposed/easy")],
            [(("apply.cl", "v = exp_nonpositive(v - LOAD(", "v = exp_nonpositive(REAL(-0x1p-20f) + v - LOAD("), shifted),
             (("apply.cl", "FIRST_LANE(sqdist) >= far[0]", "FIRST_LANE(sqdist) >= far[0] * (scalar)0.01f"),
              "apply rbf, blocks skipped/strung"),
             (("extremes.cl", "pick_bits(better, source, from[c])", "pick_bits(better, source + BITS(1), from[c])"),
              "reduce least 1/easy")],
        ]:
            with self.subTest(rules=rules):
                self.assertEqual(set(self.verify(*FUSED, rules=[rule for rule, _ in rules] + ONLY_SUMS)),
                                 {check for _, check in rules})

    def test_order_of_blocks(self):
        """In a full run there are blocks enough for their order to show."""
        rules = [("apply.cl", "partial[(long)b * size + i]", "partial[(long)(blocks - 1 - b) * size + i]"),
                 *ONLY_SUMS, ("diagonal.cl",)]
        self.assertIn("apply rbf/easy", self.verify(*FUSED, rules=rules, quick=False))


class ConvolutionMutations(Patched):
    def test_order_of_places(self):
        rules = [("convolve.cl", "for (int k = 0; k < k_cols; k++)", "for (int k = k_cols - 1; k >= 0; k--)"),
                 *ONLY_CONVOLUTIONS]
        different = set(self.verify(*FUSED, rules=rules, quick=False))
        self.assertEqual(different, self.computed - HOSTS)
        self.assertIn("correlate 2-d/plain", different)


class ContractionMutations(Patched):
    def need_fma(self):
        if not cli.chosen_device()["f32"]["fma_fused"]:
            self.skipTest("the device's fma does not round once")

    def need_contraction(self):
        device = cli.chosen_device()
        if device["platform"] != "Portable Computing Language" or device["f32"]["fma_cost"] > 2.5:
            self.skipTest("not a device that is known to fuse what it may")

    def test_probe(self):
        self.need_fma()
        fused = ("probe.cl", "unfused[i] = a[i] * b[i] + c[i];", "unfused[i] = fma(a[i], b[i], c[i]);")
        self.refused("verify", "--quick", *UNFUSED, rules=[fused], words=["fuses a * b + c"])

    def test_pragma_everywhere(self):
        self.need_contraction()
        for instead in ("", CONTRACTION.replace("OFF", "ON")):
            for args in (["devices"], ["verify", "--quick", *FUSED], ["verify", "--quick", *UNFUSED]):
                with self.subTest(instead=instead, args=args):
                    self.refused(*args, rules=[("*", CONTRACTION, instead)], words=["fuses a * b + c"])

    def test_pragma_in_one_program(self):
        self.need_contraction()
        rules = [("functions.cl", CONTRACTION, CONTRACTION.replace("OFF", "ON")), *ONLY_FUNCTIONS]
        self.assertEqual(set(self.verify(*UNFUSED, rules=rules)) & set(REFERENCE), set(REFERENCE) - EXACT)
        different = self.verify(*UNFUSED, rules=[("gram.cl", CONTRACTION, ""), *ONLY_GRAM])
        self.assertEqual(set(different), {name for name in self.names if name.startswith("gram ")})

    def test_other_multiply_add(self):
        self.need_fma()
        fused = ("gram.cl", MULTIPLY_ADD, MULTIPLY_ADD.replace("((a) * (b) + (c))", "fma(a, b, c)"))
        unfused = ("gram.cl", "#define FMA(a, b, c) FMA_FUSED(a, b, c)", MULTIPLY_ADD)
        for options, rule in ((UNFUSED, fused), (FUSED, unfused)):
            different = self.verify(*options, rules=[rule, *ONLY_GRAM])
            self.assertEqual(set(different), {name for name in self.names if name.startswith("gram ")})


class Golden(cli.Case):
    """The tool keeps every hash that a file has, and makes those that it has not."""

    def test_files(self):
        whole = Path(golden_file).read_bytes()
        lines = whole.splitlines(keepends=True)
        count = sum(not line.startswith(b"#") for line in lines)
        missing = b"".join(lines[: count // 2] + lines[count // 2 + 1 : -1])
        name = lines[count // 3][33:].decode().rstrip()
        lines[count // 3] = bytes([lines[count // 3][0] ^ 1]) + lines[count // 3][1:]
        changed = b"".join(lines) + b"0" * 32 + b" isogram-2/f32/fused quick function of_none/mixed\n"

        for label, data in (("whole", whole), ("missing", missing), ("changed", changed)):
            self.path(label).write_bytes(data)

        def golden(*args):
            done = subprocess.run([golden_tool, *args], cwd=self.folder, capture_output=True, text=True, timeout=1000)
            return done.returncode, done.stdout, done.stderr

        code, out, err = golden("whole", "missing", "changed")  # together, for a run computes all cases
        self.assertEqual((code, out), (1, f"whole: 0 hashes added, {count} kept\nmissing: 2 hashes added, {count - 2} kept\n"))
        self.assertEqual(err.splitlines()[0], f"golden: changed: other bits: {name}")
        self.assertIn("golden: changed: 1 hashes would change and 1 would go; nothing written", err)
        self.assertEqual(len(err.splitlines()), 2)
        after = {label: self.path(label).read_bytes() for label in ("whole", "missing", "changed")}
        self.assertEqual(after, {"whole": whole, "missing": whole, "changed": changed})

        self.path("missing").write_bytes(missing)
        self.assertEqual(golden("--new", "missing"), (0, f"missing: 2 hashes added, {count - 2} kept\n", ""))
        self.assertEqual(self.path("missing").read_bytes(), whole)


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
