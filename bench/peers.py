#!/usr/bin/env python3
"""isogram beside its peers, on the same data in the same minutes: peers.py [--n 8192] [--rounds 3] PATH_TO_ISOGRAM

What is compared is the table in peer_calls.py; what is not installed, or what the command does not know, is skipped by
name. First each pair is checked on few points: a difference to isogram's fp64 result that the dtype does not explain is
printed. The figures of isogram are those of its own report: `mapped` is the median of seven computations into one buffer,
`fresh` a single one into memory that has not been touched. Peers allocate their result anew each time, as they always do.
Whole rounds, isogram's and each peer's turn, are repeated and medians of rounds are printed, so that a drift of the machine
meets both sides. A peer that took more than 20 s is timed once.

CLBlast compiles for a long time and runs only when --peers names it. --small asks for the time of one call on few points.
"""
import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import peer_clblast
from peer_calls import LIBRARIES, PEERS, ROWS, TARGETS, TARGETS_AT, Peer

CHECKED_POINTS = 200
SLOW_SECONDS = 20
SMALL_N, SMALL_D, SMALL_CALLS = 100, 10, 1000


class Refused(Exception):
    """The command's own words."""


class Isogram:
    """The command, and a folder for what it reads and writes."""

    def __init__(self, command, folder):
        self.command, self.folder = command, Path(folder)

    def run(self, row, x, precision=None, repeat=1, output="/dev/null"):
        """The command's report."""
        np.save(self.folder / "x.npy", x)
        precision = precision or {"float32": "f32", "float64": "f64"}[x.dtype.name]
        call = [self.command, "gram", str(self.folder / "x.npy"), *row.options(x.shape[1]), "--precision", precision,
                "--repeat", str(repeat), "-o", str(output), "--json"]
        done = subprocess.run(call, capture_output=True, text=True)
        if done.returncode:
            raise Refused(done.stderr.strip().removeprefix("isogram: "))
        return json.loads(done.stdout)

    def seconds(self, row, x, repeat):
        return self.run(row, x, repeat=repeat)["seconds"]["compute"]

    def exact(self, row, x):
        """K(X, X) in fp64."""
        self.run(row, x, precision="f64", output=self.folder / "k.npy")
        return np.load(self.folder / "k.npy")


@dataclass(frozen=True)
class Cell:
    """One row of a printed table: medians of rounds, in seconds."""
    dtype: str
    row: str
    d: int
    peer: Peer
    label: str
    theirs: float
    mapped: float
    fresh: float

    def target(self):
        return TARGETS.get((self.dtype, self.row, self.peer.library, self.d))

    def met(self):
        target = self.target()
        return "" if target is None else "yes" if self.theirs / self.mapped >= target else "no"


COLUMNS = [
    ("row", lambda c: c.row),
    ("d", lambda c: str(c.d)),
    ("peer", lambda c: c.label),
    ("peer, s", lambda c: f"{c.theirs:.3f}"),
    ("isogram mapped, s", lambda c: f"{c.mapped:.4f}"),
    ("ratio", lambda c: f"{c.theirs / c.mapped:.1f}"),
    ("isogram fresh, s", lambda c: f"{c.fresh:.4f}"),
    ("ratio", lambda c: f"{c.theirs / c.fresh:.1f}"),
]
TARGET_COLUMNS = [
    ("target, mapped", lambda c: f"{c.target() or ''}"),
    ("met", Cell.met),
]
SMALL_COLUMNS = [
    ("row", lambda c: c.row),
    ("peer", lambda c: c.label),
    ("peer, µs", lambda c: f"{c.theirs * 1e6:.1f}"),
    ("isogram, µs", lambda c: f"{c.mapped * 1e6:.1f}"),
    ("ratio", lambda c: f"{c.theirs / c.mapped:.2f}"),
]


def line(texts):
    print("|", " | ".join(texts), "|", flush=True)


def seconds_of(call, times):
    """The median of so many calls. What a call gives is freed outside the time."""
    took = []
    for _ in range(times):
        start = time.perf_counter()
        result = call()
        took.append(time.perf_counter() - start)
        del result
    return statistics.median(took)


def check(isogram, row, d, dtype, peers):
    """Compares each peer's result with isogram's in fp64. Gives the peers' labels, which name another dtype of result."""
    x = row.points(CHECKED_POINTS, d, dtype)
    isogram.run(row, x)  # a device may refuse the dtype
    exact = isogram.exact(row, x)
    explained = 64 * np.finfo(dtype).eps * max(1, np.abs(exact).max())
    labels = {}
    for peer in peers:
        theirs = peer.call(x, **row.arguments(d))
        labels[peer] = peer.label + ("" if theirs.dtype == dtype else f" ({theirs.dtype.name})")
        difference = np.abs(theirs - exact).max()
        if not difference <= explained:
            print(f"- {row.name}, {dtype}, d = {d}: {peer.label} differs by {difference:.2g}; {explained:.2g} would be "
                  "explained by the dtype", flush=True)
    return labels


def measure(isogram, row, d, dtype, labels, n, rounds):
    x = row.points(n, d, dtype)
    isogram.seconds(row, x, 1)  # compiles, when the cache is cold
    calls = {peer: lambda peer=peer: peer.call(x, **row.arguments(d)) for peer in labels}
    for peer, call in calls.items():
        if LIBRARIES[peer.library].compiles:
            call()
    mapped, fresh, theirs = [], [], {peer: [] for peer in calls}
    for _ in range(rounds):
        mapped.append(isogram.seconds(row, x, 7))
        fresh.append(isogram.seconds(row, x, 1))
        for peer, call in calls.items():
            if not any(took > SLOW_SECONDS for took in theirs[peer]):
                theirs[peer].append(seconds_of(call, 1))
    return [Cell(dtype, row.name, d, peer, labels[peer], statistics.median(theirs[peer]), statistics.median(mapped),
                 statistics.median(fresh)) for peer in calls]


def measure_small(isogram, row, d, dtype, labels, n, rounds):
    """The same for calls that take microseconds: a round is the median of many."""
    x = row.points(n, d, dtype)
    isogram.seconds(row, x, 1)
    mapped, theirs = [], {peer: [] for peer in labels}
    for _ in range(rounds):
        mapped.append(isogram.seconds(row, x, SMALL_CALLS))
        for peer in labels:
            theirs[peer].append(seconds_of(lambda peer=peer: peer.call(x, **row.arguments(d)), SMALL_CALLS))
    return [Cell(dtype, row.name, d, peer, labels[peer], statistics.median(theirs[peer]), statistics.median(mapped), 0)
            for peer in labels]


def processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = [text.split(":", 1)[1].strip() for text in lines if text.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def describe(report, libraries):
    """Date, machine, versions, and what is left out."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    device = report["device"]
    print(f"{datetime.date.today()}, {processor()}, {cores} cores, Python {platform.python_version()}. "
          f"isogram {report['isogram']} on {device['name']} ({device['platform']}, {device['driver']}).\n")
    found = [f"{library.name} {library.version()}".strip() for library in libraries if library.found]
    print(f"Beside {', '.join(found) or 'nothing'}.\n")
    for library in libraries:
        if not library.found:
            print(f"- skipped: {library.name}, which is not installed")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", help="isogram")
    parser.add_argument("--n", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dims", type=int, nargs="+", help="default: each row's own")
    parser.add_argument("--rows", nargs="+", choices=ROWS, metavar="NAME", help=", ".join(ROWS))
    parser.add_argument("--dtypes", nargs="+", choices=("float32", "float64"), default=["float32", "float64"])
    parser.add_argument("--peers", nargs="+", choices=LIBRARIES, metavar="NAME", help=", ".join(LIBRARIES))
    parser.add_argument("--targets", action="store_true", help=f"say which targets are met (n = {TARGETS_AT})")
    parser.add_argument("--small", action="store_true", help=f"n = {SMALL_N}, d = {SMALL_D}, rbf unless --rows")
    a = parser.parse_args()
    a.n = a.n or (SMALL_N if a.small else TARGETS_AT)
    if a.targets and (a.small or a.n != TARGETS_AT):
        parser.error(f"the targets are for n = {TARGETS_AT}")
    a.dims = a.dims or ([SMALL_D] if a.small else None)
    a.rows = [ROWS[name] for name in a.rows or (["rbf"] if a.small else ROWS)]
    a.peers = [LIBRARIES[name] for name in a.peers or LIBRARIES if a.peers or LIBRARIES[name].by_default]
    return a


def checked(isogram, a):
    """What there is to measure: (row, dtype, the peers' labels), each compared once at its largest d."""
    found = [library.name for library in a.peers if library.found]
    jobs = []
    for dtype in a.dtypes:
        for row in a.rows:
            peers = [p for p in PEERS if p.row == row.name and p.library in found and dtype in p.dtypes]
            try:
                if peers:
                    jobs.append((row, dtype, check(isogram, row, max(a.dims or row.dims), dtype, peers)))
                else:
                    print(f"- skipped: {row.name}, {dtype}; none of these peers has it", flush=True)
            except Refused as words:
                print(f"- skipped: {row.name}, {dtype}; isogram says: {words}", flush=True)
    return jobs


def print_tables(isogram, a, jobs):
    columns = SMALL_COLUMNS if a.small else COLUMNS + TARGET_COLUMNS * a.targets
    for dtype in [dtype for dtype in a.dtypes if any(job[1] == dtype for job in jobs)]:
        print(f"\n{dtype}, n = {a.n}, medians of {a.rounds} rounds\n")
        line([head for head, _ in columns])
        print("|" + "---|" * len(columns))
        for row, _, labels in [job for job in jobs if job[1] == dtype]:
            for d in a.dims or row.dims:
                for cell in (measure_small if a.small else measure)(isogram, row, d, dtype, labels, a.n, a.rounds):
                    line([text(cell) for _, text in columns])


def main():
    a = arguments()
    with tempfile.TemporaryDirectory() as folder:
        isogram = Isogram(a.command, folder)
        report = isogram.run(ROWS["rbf"], ROWS["rbf"].points(CHECKED_POINTS, 3, "float32"))
        peer_clblast.use(report["device"]["index"])
        describe(report, a.peers)
        print_tables(isogram, a, checked(isogram, a))


if __name__ == "__main__":
    main()
