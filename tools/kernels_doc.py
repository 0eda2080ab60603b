#!/usr/bin/env python3
"""The tables of docs/kernels.md, from the registry and from measured accuracy.

    kernels_doc.py --write ISOGRAM        writes them anew; ISOGRAM: the command, which knows its rows
    kernels_doc.py --check ISOGRAM        fails, and shows the difference, if that would change the document
    kernels_doc.py --measure TEST...      runs the tests that compare rows with MPFR (test_rows, test_dot), and keeps their figures in
                                          docs/accuracy.txt

In the document a table stands between "<!-- rows PAIR -->" or "<!-- accuracy -->" and "<!-- end -->". All else in it is written by hand.
"""
import difflib
import itertools
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs"
DOCUMENT, FIGURES = DOCS / "kernels.md", DOCS / "accuracy.txt"
CONTRACTS = ["f32/unfused", "f32/fused", "f64/unfused", "f64/fused"]
SEEDS = range(1, 5)  # of the test's random arguments
HEADER = """\
# The largest error of each row's formula against MPFR: row, contract, ulp, part of the row's bound. Written by
# tools/kernels_doc.py --measure.
"""


def number(value):
    return "depends on x" if value is None else f"{value:g}"


def rounded_up(value):
    return math.ceil(value * 100 - 1e-6) / 100


def code(text):
    """As Markdown, inside a table too."""
    return "`" + text.replace("|", "\\|") + "`"


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def scale(row):
    if not row["scales"]:
        return "none"
    (name, value), *_ = row["scale_default"].items()
    return f"{', '.join(row['scales'])} ({name} = {value})"


def param(p):
    return f"`{p['name']}`, {p['range']}: {p['summary']} ({p['default']:g})"


def rows_table(kernels, pair):
    rows = [[f"`{row['name']}`", ", ".join(f"`{alias}`" for alias in row["aliases"]), code(row["formula"]), scale(row),
             "; ".join(map(param, row["params"])), number(row["diagonal"])]
            for row in kernels if row["pair"] == pair]
    return table(["row", "also called", "value", "scale", "parameters", "k(x, x)"], rows)


def figures():
    """{row: {contract: (ulp, part of the bound)}}"""
    found = {}
    for line in FIGURES.read_text(encoding="ascii").splitlines():
        if line and line[0] != "#":
            row, contract, ulp, part = line.split()
            found.setdefault(row, {})[contract] = float(ulp), float(part)
    return found


def accuracy_table(kernels):
    measured, rows = figures(), []
    strange = set(measured) - {row["name"] for row in kernels}
    if strange:
        sys.exit(f"{FIGURES.name} has rows that the library has not: {', '.join(sorted(strange))}")
    for row in kernels:
        known = measured.get(row["name"], {})
        pairs = [known.get(contract) for contract in CONTRACTS]
        # Every bound is at least 2 ulp; where it is more, ulps alone say little.
        wide = any(pair and pair[0] > 2 for pair in pairs)
        rows.append([f"`{row['name']}`" + (", part of its bound" if wide else "")] +
                    [f"{rounded_up(pair[wide]):.2f}" if pair else "not measured" for pair in pairs])
    return table(["row", *(contract.replace("/", " ") for contract in CONTRACTS)], rows)


def document(command):
    """The document as it should be, by the rows that the command has."""
    kernels = json.loads(subprocess.run([command, "kernels", "--json"], check=True, capture_output=True).stdout)["kernels"]
    missing = {row["pair"] for row in kernels}

    def fill(match):
        if match[1] == "accuracy":
            return f"<!-- accuracy -->\n{accuracy_table(kernels)}<!-- end -->\n"
        pair = match[1].split()[1]
        missing.discard(pair)
        return f"<!-- rows {pair} -->\n{rows_table(kernels, pair)}<!-- end -->\n"

    text = re.sub(r"^<!-- (rows \w+|accuracy) -->\n.*?^<!-- end -->\n", fill, DOCUMENT.read_text(encoding="utf-8"), flags=re.M | re.S)
    if missing:
        sys.exit(f"{DOCUMENT.name} has no table for rows of {', '.join(sorted(missing))}")
    return text


def measure(tests):
    worst = {}
    for test, seed in itertools.product(tests, SEEDS):
        done = subprocess.run([test], env={**os.environ, "ISOGRAM_TEST_SEED": str(seed)}, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{test} failed:\n{done.stdout}{done.stderr}")
        for row, contract, *errors in re.findall(r"^(\w+) +isogram-\d+/(\S+) +([\d.]+) +([\d.]+) ", done.stdout, re.M):
            before = worst.get((row, contract), (0, 0))
            worst[row, contract] = tuple(max(a, float(b)) for a, b in zip(before, errors))
    if not worst:
        sys.exit("no figures were printed")
    lines = [f"{row} {contract} {ulp:.3f} {part:.3f}\n" for (row, contract), (ulp, part) in worst.items()]
    FIGURES.write_text(HEADER + "".join(lines), encoding="ascii")


def main(what, program, *more):
    if what == "--measure":
        return measure([program, *more])
    old, new = DOCUMENT.read_text(encoding="utf-8"), document(program)
    if what == "--write":
        DOCUMENT.write_text(new, encoding="utf-8")
    elif old != new:
        lines = difflib.unified_diff(old.splitlines(), new.splitlines(), "docs/kernels.md", "from this build", lineterm="", n=1)
        print("\n".join(lines))
        sys.exit("docs/kernels.md is not what this build has: tools/kernels_doc.py --write")


if __name__ == "__main__":
    if len(sys.argv) != 3 and sys.argv[1:2] != ["--measure"] or sys.argv[1] not in ("--write", "--check", "--measure"):
        sys.exit(__doc__)
    main(*sys.argv[1:])
