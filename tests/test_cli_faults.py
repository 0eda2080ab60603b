#!/usr/bin/env python3
"""Every verb of the command with one call of OpenCL, one allocation or one call on a file that fails.

test_cli_faults.py PATH_TO_ISOGRAM OPENCL_LAYER HOST_LAYER [unittest's arguments]

Each time: it ends by itself, with exit status 1 and one line that says what is wrong, or with the same results as ever; no file
is left that is not as it should be, and no object, memory or descriptor is held at its end. ISOGRAM_CLI_FAULTS: how many calls of
each command fail in each layer, 1 unless told otherwise; "ways": one on each way through the command and the library that no
call of a command before went. ISOGRAM_TEST_SEED: which.
"""
import json
import os
import random
import re
import sys

import cli
import image_util
from cli import DONE, FAILED

layers = {}  # their paths
SETTING = os.environ.get("ISOGRAM_CLI_FAULTS", "1")
SEED = int(os.environ.get("ISOGRAM_TEST_SEED", "1"), 0)
N, M, D = 40, 30, 3

# name: words. A word that is a file and not an input is a result.
COMMANDS = {
    "devices": ["devices", "--json"],
    "kernels": ["kernels", "--json"],
    "grid": ["grid", "--size", 9, "--sigma", 2, "-o", "g.npy", "--plot", "g.png", "--json"],
    "grid rotated": ["grid", "--size", 9, "--angle", 30, "--sigma", "1,2", "-o", "g.npy", "--quiet"],
    "gram": ["gram", "x.npy", "y.npy", "--sigma", 2, "-o", "k.npy", "--plot", "k.png", "--json"],
    "gram composite": ["gram", "x.npy", "--kernel", "rbf + 2*matern32", "--lengthscale", "1,2,3", "--include", "m.npy", "-o",
                       "k.npy", "--json"],
    "gram factors": ["gram", "x.npy", "--factors", "w.npy", "--half", "-o", "k.npy", "--quiet"],
    "gram piped": ["gram", "x.npy", "-o", "-", "--quiet"],
    "gram store": ["gram", "x.npy", "--sigma", 2, "-o", "s.npy", "--store", "--resume", "--json"],
    "store check": ["store", "check", "there.npy", "--json"],
    "store info": ["store", "info", "there.npy", "--json"],
    "store read": ["store", "read", "there.npy", "--rows", "3:20", "-o", "b.npy", "--json"],
    "apply": ["apply", "x.npy", "--weights", "v.npy", "--cluster", "-o", "a.npy", "--json"],
    "gradient": ["gradient", "x.npy", "--v", "v.npy", "--x", "gx.npy", "--json"],
    "kde": ["kde", "x.npy", "--sigma", 1, "-o", "d.npy", "--json"],
    "knn": ["knn", "x.npy", "--count", 3, "--distances", "d.npy", "-o", "i.npy", "--json"],
    "regress": ["regress", "x.npy", "v.npy", "y.npy", "--sigma", 1, "-o", "r.npy", "--json"],
    "filter": ["filter", "x.npy", "--sigma", 1, "-o", "f.npy", "--plot", "f.png", "--json"],
    "filter image": ["filter", "i.png", "--sigma", 1, "-o", "f.png", "--json"],
    "filter derived": ["filter", "x.npy", "--sigma", 1, "--derived", "gradient-magnitude", "-o", "f.npy", "--json"],
    "convolve": ["convolve", "x.npy", "--stencil", "y.npy", "-o", "c.npy", "--json"],
    "verify": ["verify", "--quick", "--precision", "f32", "--arithmetic", "unfused", "--json"],
    "bench": ["bench", "--n", 100, "--dims", 3, "--kernel", "rbf", "--repeat", 1, "--json"],
}
# Seconds each: one of their first calls, and no run without a failure, unless all ways are gone.
SLOW = {"verify", "bench"}
LEAVES = {"gram store": ["s.npy", "s.npy.journal"]}  # what stays of it is not the whole, and the next run goes on


def words_of(name):
    """With an arithmetic that is given: auto goes by times, which are measured again when a cache cannot be read."""
    verb, *words = COMMANDS[name]
    return [verb, *([] if verb in ("kernels", "store", "verify") else ["--arithmetic", "unfused"]), *words]


def shape_of(value):
    """A report without its numbers, which are times for the most part."""
    if isinstance(value, dict):
        return {key: shape_of(one) for key, one in value.items()}
    if isinstance(value, list):
        return [shape_of(one) for one in value]
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def said(out):
    """Standard output: lines of JSON, one report, or data."""
    try:
        return shape_of(json.loads(out))
    except (UnicodeDecodeError, json.JSONDecodeError):
        pass
    try:
        return [shape_of(json.loads(line)) for line in out.splitlines()]
    except (UnicodeDecodeError, json.JSONDecodeError):
        return out


inputs = {}  # name: content; made once
gone = {"calls": set(), "host": set()}  # ways


def make_inputs(case):
    number = random.Random(5)
    for name, shape in (("x.npy", (N, D)), ("y.npy", (M, D)), ("v.npy", (N,))):
        case.save(name, "<f4", shape, [number.uniform(-1, 1) for _ in range(shape[0] * (shape[1] if len(shape) > 1 else 1))])
    case.save("w.npy", "<f8", (N,), [1 + i % 7 for i in range(N)])
    case.save("m.npy", "|u1", (N,), [i % 3 > 0 for i in range(N)])
    case.path("i.png").write_bytes(image_util.png(12, 11, 3, [number.randrange(256) for _ in range(12 * 11 * 3)]))
    case.succeed("gram", "x.npy", "--sigma", 2, "-o", "there.npy", "--store", "--quiet")
    inputs.update({path.name: path.read_bytes() for path in case.folder.iterdir()})


class Faults(cli.Case):
    def setUp(self):
        super().setUp()
        if not inputs:
            make_inputs(self)
        for name, content in inputs.items():
            self.path(name).write_bytes(content)

    def results(self):
        """The content of every file that is no input; those of the hidden ones too."""
        return {path.name: path.read_bytes() for path in self.folder.iterdir() if path.name not in inputs}

    def clear(self):
        for name in self.results():
            self.path(name).unlink()

    def run_layers(self, words, failing=None, at=0, learn=None):
        """In both layers, of which one fails call `at`. The result, and what each says at its end: calls, what is held, the call that
        failed, its place. learn: to be filled with the calls of each layer that go new ways."""
        report = self.folder.parent / "report"
        report.unlink(missing_ok=True)
        told = {"calls": "ISOGRAM_FAULT_CALLS", "host": "ISOGRAM_FAULT_HOST"}
        env = {"OPENCL_LAYERS": layers["calls"], "LD_PRELOAD": layers["host"], "ISOGRAM_FAULT_REPORT": str(report)}
        if failing:
            env[told[failing]] = str(at)
        if learn is not None:
            env["ISOGRAM_FAULT_LEARN"] = "1"
        result = self.run_command(*words, env=env)
        # Without a device the first layer is not loaded.
        ends = {"calls": (0, 0, "-", "-"), "host": None}
        for line in report.read_text().splitlines() if report.exists() else []:
            word, *rest = line.split()
            if word != "way":
                calls, held, call, place = rest
                ends[word] = (int(calls), int(held), call, place)
            elif learn is not None:
                layer, call, way = rest
                if way not in gone[layer]:
                    gone[layer].add(way)
                    learn.setdefault(layer, []).append(int(call))
        self.assertTrue(ends["host"] or result.code < 0, (words, result, "the layer is not loaded"))
        return result, ends

    def places(self, name, layer, calls):
        choice = random.Random(f"{SEED} {name} {layer}")
        count = min(int(SETTING), calls)
        return [1 + (calls * i + choice.randrange(calls)) // count for i in range(count)]

    def try_command(self, name):
        words, wanted, answer, tried = words_of(name), None, None, {"calls": 0, "host": 0}
        calls, ways = {"calls": 60, "host": 60}, {} if SETTING == "ways" else None
        if name not in SLOW or SETTING == "ways":
            for learn in (None, ways)[: 1 if ways is None else 2]:  # the first fills the caches, which takes more calls
                self.clear()
                clean, ends = self.run_layers(words, learn=learn)
                self.assertEqual((clean.code, clean.err, ends["calls"][1], ends["host"][1]), (DONE, "", 0, 0), (name, clean, ends))
            wanted, answer = self.results(), said(clean.out)
            calls = {layer: ends[layer][0] for layer in layers}
            self.clear()
        for layer in layers:
            for at in self.places(name, layer, calls[layer]) if ways is None else ways.get(layer, []):
                there = self.try_call(name, layer, at, wanted, answer)
                if there < at and ways is None:
                    at = 1 + at % there
                    there = self.try_call(name, layer, at, wanted, answer)
                # Time decides what some do.
                self.assertTrue(there >= at or name in SLOW or "store" in name, (name, layer, at, there))
                tried[layer] += there >= at
        print(f"{name}: of {calls['calls']} calls of OpenCL and {calls['host']} of the C library "
              f"{tried['calls']} and {tried['host']} failed", flush=True)

    def try_call(self, name, layer, at, wanted, answer):
        """How many calls there were."""
        words = words_of(name)
        result, ends = self.run_layers(words, layer, at)
        what = (name, layer, at, ends, result)
        self.assertIn(result.code, (DONE, FAILED), what)
        self.assertEqual((ends["calls"][1], ends["host"][1]), (0, 0), what)
        self.assertTrue(all(re.match(r"isogram: .+", line) for line in result.lines), what)
        left, complaints = self.results(), [line for line in result.lines if not line.startswith("isogram: warning: ")]
        self.assertEqual(len(complaints), 0 if result.code == DONE else 1, what)
        if result.code == DONE and wanted is not None:
            self.assertTrue(left == wanted, (what, sorted(left)))
            if name != "devices":  # what does not answer is left out there, with a reason
                self.assertEqual(said(result.out), answer, what)
        for file in left:
            self.assertTrue(file in LEAVES.get(name, []) or left[file] == wanted.get(file), (what, file))
        if name in LEAVES and result.code != DONE:
            self.succeed(*words[:-1], "--quiet")
            self.assertTrue(self.results() == wanted, what)
        self.clear()
        return ends[layer][0]


def test_of(name):
    return lambda self: self.try_command(name)


for name_ in COMMANDS:
    setattr(Faults, f"test_{name_.replace(' ', '_')}", test_of(name_))

if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit("usage: test_cli_faults.py PATH_TO_ISOGRAM OPENCL_LAYER HOST_LAYER [unittest's arguments]")
    layers = {"calls": os.path.abspath(sys.argv.pop(2)), "host": os.path.abspath(sys.argv.pop(2))}
    cli.main("test_cli_faults.py")
