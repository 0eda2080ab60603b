#!/usr/bin/env python3
"""isogram beside its peers, on the same data in the same minutes: peers.py [--n 8192] [--rounds 3] PATH_TO_ISOGRAM

fp32 against scikit-learn's rbf_kernel, fp64 against SciPy's exp(-cdist). Peers that are not installed are skipped by name. The
figures of isogram are those of its own report: `mapped` is the median of seven computations into one buffer, without the first;
`fresh` a single one into memory that has not been touched. Peers allocate their result anew each time, as they always do.
Whole rounds are repeated and medians of rounds are printed, so that a drift of the machine meets both sides.
"""
import argparse
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

try:
    from sklearn.metrics.pairwise import rbf_kernel
except ImportError:
    rbf_kernel = None
try:
    from scipy.spatial.distance import cdist
except ImportError:
    cdist = None


def isogram(command, x_path, gamma, repeat):
    call = [command, "gram", str(x_path), "--gamma", repr(gamma), "-o", "/dev/null", "--json", "--repeat", str(repeat)]
    return json.loads(subprocess.run(call, check=True, capture_output=True, text=True).stdout)


def seconds_of(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def peer(x, gamma):
    """The peer's name and a call, or its name and None."""
    if x.dtype == np.float32:
        return "scikit-learn rbf_kernel", rbf_kernel and (lambda: rbf_kernel(x, gamma=gamma))
    return "SciPy exp(-cdist)", cdist and (lambda: np.exp(-gamma * cdist(x, x, "sqeuclidean")))


def measure(command, folder, n, d, dtype, rounds):
    x = np.random.default_rng(0).standard_normal((n, d)).astype(dtype)
    gamma = 0.5 / d
    path = Path(folder) / "x.npy"
    np.save(path, x)
    name, call = peer(x, gamma)
    mapped, fresh, theirs = [], [], []
    isogram(command, path, gamma, 1)  # compiles, when the cache is cold
    for _ in range(rounds):
        mapped.append(isogram(command, path, gamma, 7)["seconds"]["compute"])
        fresh.append(isogram(command, path, gamma, 1)["seconds"]["compute"])
        if call:
            theirs.append(seconds_of(call))
    ours, first = statistics.median(mapped), statistics.median(fresh)
    if not call:
        return f"| {np.dtype(dtype).name} | {d} | {name}: not installed | | {ours:.4f} | | {first:.4f} | |"
    their = statistics.median(theirs)
    return (f"| {np.dtype(dtype).name} | {d} | {name} | {their:.3f} | {ours:.4f} | {their / ours:.1f} | {first:.4f} | "
            f"{their / first:.1f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command")
    parser.add_argument("--n", type=int, default=8192)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dims", type=int, nargs="*", default=[3, 16, 64, 784])
    parser.add_argument("--dtypes", nargs="*", default=["float32", "float64"])
    a = parser.parse_args()
    print(f"n = {a.n}, medians of {a.rounds} rounds, seconds\n")
    print("| dtype | d | peer | peer | isogram, mapped | ratio | isogram, fresh | ratio |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for dtype in a.dtypes:
            for d in a.dims:
                if dtype == "float64" and d > 100:
                    continue  # the peer takes a minute
                print(measure(a.command, folder, a.n, d, dtype, a.rounds), flush=True)


if __name__ == "__main__":
    main()
