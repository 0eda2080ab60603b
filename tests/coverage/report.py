#!/usr/bin/env python3
"""Which branches the tests did not take: report.py GCOVR.json ROOT EXPLAINED [--list FILE] [--suggest]

Reads what `gcovr --json` wrote, prints a line for each file of lib/ and tools/ and the totals, and holds what is uncovered against EXPLAINED
(tests/coverage/uncovered.txt). A branch is one way out of a condition, as gcc sees it without optimisation: `if (a && b)` has four. --list FILE
writes every uncovered branch with its reason; --suggest prints those without one in the form of EXPLAINED. The exit status is 1 when there are any.

EXPLAINED has headings, `== reason`, and below each a line per place: `FILE COUNT TEXT`, TEXT being the line of the source without the spaces around
it, and COUNT how many branches of all lines of that file with that text may stay untaken. So the list follows lines that move.
"""
import argparse
import collections
import json
import sys
from pathlib import Path

# Rooms that read what others wrote: all branches are taken, or explained. Of a file with more in it than that, the functions.
PARSERS = {
    "lib/npy.c": None, "lib/npy_header.c": None, "lib/npy_read.c": None, "lib/store_journal.c": None, "lib/cache.c": None,
    "lib/composite.c": None, "lib/kernels.c": None,
    "lib/device.c": {"contains", "indices", "isg_spec_is_name", "isg_spec_matches", "isg_no_device"},
    "tools/image.c": None, "tools/image_pnm.c": None, "tools/image_pfm.c": None, "tools/image_png.c": None,
}


def tally(lines):
    """Branches taken and in all, lines run and in all."""
    branches = [b for line in lines for b in line["branches"]]
    return (sum(b["count"] > 0 for b in branches), len(branches), sum(line["count"] > 0 for line in lines), len(lines))


def percent(part, whole):
    return 100 * part / whole if whole else 100


def row(name, counts):
    taken, branches, run, lines = counts
    return f"{name:28} {taken:6} / {branches:6} {percent(taken, branches):6.2f} % {run:7} / {lines:6} {percent(run, lines):6.2f} %"


def of_functions(file, names):
    """The lines of those functions: each begins where the data says, and ends where the next one does."""
    starts = sorted((f["lineno"], f["name"]) for f in file["functions"])
    for line in file["lines"]:
        before = [name for start, name in starts if start <= line["line_number"]]
        if before and before[-1] in names:
            yield line


def read_explained(path):
    reasons, reason = collections.defaultdict(list), None
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if text.startswith("== "):
            reason = text[3:].strip()
        elif text.strip() and not text.startswith("#"):
            words = text.split(None, 2)
            if reason is None or len(words) != 3 or not words[1].isdigit():
                sys.exit(f"{path}:{number}: neither a heading nor FILE COUNT TEXT below one")
            reasons[words[0], words[2].strip()].append([int(words[1]), reason])
    return reasons


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("json", type=Path)
    parser.add_argument("root", type=Path)
    parser.add_argument("explained", type=Path)
    parser.add_argument("--list", type=Path)
    parser.add_argument("--suggest", action="store_true")
    options = parser.parse_args()

    files = {f["file"]: f for f in json.loads(options.json.read_text(encoding="utf-8"))["files"]}
    if not files:
        sys.exit("no file was measured")
    for file in files.values():
        file["lines"] = [line for line in file["lines"] if not line["gcovr/noncode"]]
    reasons = read_explained(options.explained)

    print(f"{'':28} {'branches taken':>24} {'lines run':>26}")
    for name, file in sorted(files.items()):
        print(row(name, tally(file["lines"])))
    print()
    for room in ("lib", "tools"):
        print(row(room, tally([line for name, f in files.items() if name.startswith(room + "/") for line in f["lines"]])))
    parsers = [line for name, functions in PARSERS.items() if name in files
               for line in (of_functions(files[name], functions) if functions else files[name]["lines"])]
    print(row("parsers", tally(parsers)))

    uncovered = []  # name, line, how many, of how many, text
    for name, file in sorted(files.items()):
        source = (options.root / name).read_text(encoding="utf-8").splitlines()
        for line in file["lines"]:
            missed = sum(b["count"] == 0 for b in line["branches"])
            if missed:
                uncovered.append((name, line["line_number"], missed, len(line["branches"]), source[line["line_number"] - 1].strip()))
    listed, missing, kinds = [], [], collections.Counter()
    for name, number, missed, branches, text in uncovered:
        left, why = missed, []
        for entry in reasons.get((name, text), []):
            used = min(left, entry[0])
            entry[0] -= used
            left -= used
            kinds[entry[1]] += used
            why += [entry[1]] if used else []
        listed.append(f"{name}:{number}: {missed} of {branches}: {text}\n    {'; '.join(why + ['NOT EXPLAINED'] * (left > 0))}\n")
        if left and (name.startswith("lib/") or name in PARSERS):
            missing.append((name, number, left, text))
    if options.list:
        options.list.write_text("".join(listed), encoding="utf-8")

    print("\nuncovered and explained:")
    for reason, count in kinds.most_common():
        print(f"{count:6}  {reason}")
    for (name, text), entries in sorted(reasons.items()):
        for count, reason in entries:
            if count and name in files:
                print(f"taken after all, {count} of: {name}: {text}")
    if options.suggest:
        merged = collections.Counter()
        for name, number, left, text in missing:
            merged[name, text] += left
        for (name, text), count in merged.items():
            print(f"{name} {count} {text}")
    else:
        for name, number, left, text in missing:
            print(f"{name}:{number}: {left} not explained: {text}")
    print(f"{sum(m[2] for m in missing)} branches of lib and the parsers neither taken nor explained")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
