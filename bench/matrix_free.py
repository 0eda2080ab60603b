#!/usr/bin/env python3
"""Products and reductions beside KeOps and scikit-learn, in turns: matrix_free.py ISOGRAM [--rounds N] [--n N]

Needs numpy, pykeops and scikit-learn, and a C++ compiler for KeOps. Each round computes every job once by each of the two, one
right after the other, on the same points of single precision; what is told are medians, the ratio's being that of the ratios
within a round. isogram's time is that of its call, as the report says; the others' that of theirs, after one call that
compiles. Results are compared, too: a benchmark of wrong numbers is none.
"""
import argparse
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np


def isogram(folder, command, *args):
    done = subprocess.run([command, *map(str, args), "--json", "--quiet"], cwd=folder, check=True, capture_output=True)
    return json.loads(done.stdout)


class Job:
    """name: what is printed. mine(): a report; theirs(): the result. want: the least ratio aimed at."""

    def __init__(self, name, want, mine, theirs, output, tolerance):
        self.name, self.want, self.mine, self.theirs, self.output, self.tolerance = name, want, mine, theirs, output, tolerance


def jobs(folder, command, n):
    from pykeops.numpy import LazyTensor
    from sklearn.neighbors import KernelDensity

    rng = np.random.default_rng(1)

    def save(name, array):
        np.save(folder / name, array)
        return array

    def sqdist(x, y):
        return ((LazyTensor(x[:, None, :]) - LazyTensor(y[None, :, :])) ** 2).sum(-1)

    def product(d):
        x, y = (save(f"{name}{d}.npy", rng.uniform(-1, 1, (n, d)).astype("f")) for name in "xy")
        v = save(f"v{d}.npy", rng.uniform(-1, 1, (n, 1)).astype("f"))
        gamma = np.float32(1 / d)
        return (lambda: isogram(folder, command, "apply", f"x{d}.npy", f"y{d}.npy", "--weights", f"v{d}.npy", "--gamma",
                                float(gamma), "-o", "out.npy"),
                lambda: (-sqdist(x, y) * gamma).exp() @ v)

    def gradient(d):
        from pykeops.numpy import Genred

        x, y = (np.load(folder / f"{name}{d}.npy") for name in "xy")
        v, w = (save(f"g{name}{d}.npy", rng.uniform(-1, 1, (n, 1)).astype("f")) for name in "vw")
        gamma = np.full(1, 1 / d, "f")
        formula = Genred("Grad(Exp(-G*SqDist(X,Y))*B, X, A)",
                         ["G=Pm(1)", f"X=Vi({d})", f"Y=Vj({d})", "B=Vj(1)", "A=Vi(1)"], reduction_op="Sum", axis=1)
        return (lambda: isogram(folder, command, "gradient", f"x{d}.npy", f"y{d}.npy", "--v", f"gv{d}.npy", "--w", f"gw{d}.npy",
                                "--gamma", float(gamma[0]), "--x", "gx.npy", "--points-only"),
                lambda: formula(gamma, x, y, w, v))

    for d, want in ((3, 16), (16, 18), (64, 35)):
        yield Job(f"rbf, d = {d}", want, *product(d), "out.npy", 1e-3 * n**0.5)
    x, y = (np.load(folder / f"{name}3.npy") for name in "xy")
    less = np.log(n) + 3 * np.log(2 * np.pi) / 2  # sigma 1
    yield Job("logsumexp, d = 3", 10,
              lambda: isogram(folder, command, "kde", "y3.npy", "x3.npy", "--sigma", 1, "-o", "out.npy"),
              lambda: (-sqdist(x, y) * np.float32(0.5)).logsumexp(dim=1)[:, 0] - less, "out.npy", 1e-3)
    for d, want in ((3, 10), (16, 10)):
        yield Job(f"gradient by X of rbf, d = {d}", want, *gradient(d), "gx.npy", 1e-3 * n**0.5)
    x16, y16 = (np.load(folder / f"{name}16.npy") for name in "xy")
    yield Job("argmin of the distance, d = 16", 8,
              lambda: isogram(folder, command, "knn", "x16.npy", "y16.npy", "-o", "out.npy"),
              lambda: sqdist(x16, y16).argmin(dim=1), "out.npy", 0)
    data = save("data.npy", rng.normal(size=(20000, 3)).astype("f"))
    places = save("places.npy", rng.normal(size=(5000, 3)).astype("f"))
    density = KernelDensity(bandwidth=0.3).fit(data)
    yield Job("KDE, 20 000 points at 5000 places", 100,
              lambda: isogram(folder, command, "kde", "data.npy", "places.npy", "--sigma", 0.3, "-o", "out.npy"),
              lambda: density.score_samples(places), "out.npy", 1e-3)


def turn(job, folder):
    mine = job.mine()["seconds"]["compute"]
    start = time.perf_counter()
    result = job.theirs()
    theirs = time.perf_counter() - start
    got = np.load(folder / job.output).reshape(result.shape)
    differing = np.abs(got.astype(float) - result)
    # Neighbours at equal distances may be told in another order: some may differ.
    assert (np.mean(differing > 0) < 1e-3) if job.tolerance == 0 else differing.max() < job.tolerance, (job.name, differing.max())
    return mine, theirs


def limit(folder, command, n, rounds):
    """64 columns, d = 16, against multiply-adds in registers, measured by the same process."""
    rng = np.random.default_rng(2)
    np.save(folder / "v64.npy", rng.uniform(-1, 1, (n, 64)).astype("f"))
    reports = [isogram(folder, command, "apply", "x16.npy", "y16.npy", "--weights", "v64.npy", "--gamma", 1 / 16, "-o",
                       "out.npy", "--limits", "--repeat", 3) for _ in range(rounds)]
    shares = [r["pairs_per_s"] / r["limits"]["madds_per_s"] for r in reports]
    own = statistics.median(r["limits"]["fraction"] for r in reports)
    share = statistics.median(shares)
    print(f"r = 64, d = 16: {100 * 64 * share:.0f} % of the multiply-add limit by the columns' multiply-adds alone, "
          f"{100 * 80 * share:.0f} % with the coordinates'; {100 * own:.0f} % of the least time in registers")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("isogram")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--n", type=int, default=20000)
    options = parser.parse_args()
    command = str(Path(options.isogram).resolve())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for job in jobs(folder, command, options.n):
            turn(job, folder)
            turns = [turn(job, folder) for _ in range(options.rounds)]
            mine, theirs = (statistics.median(times) for times in zip(*turns))
            ratio = statistics.median(b / a for a, b in turns)
            print(f"{job.name}: {mine:.4f} s, the other {theirs:.3f} s: {ratio:.1f} times (aimed at: {job.want})", flush=True)
        limit(folder, command, options.n, options.rounds)


if __name__ == "__main__":
    main()
