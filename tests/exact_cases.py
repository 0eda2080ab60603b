#!/usr/bin/env python3
"""How far isogram and the arrays of tests/data/cases are from the exact values, in ulps of 2^-52: exact_cases.py PATH_TO_ISOGRAM

Not a test: it shows, for the cases whose arrays carry more than 4 ulp of rounding of their own, which of the two is off. Needs numpy
and mpmath.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from mpmath import besseli, exp, mp, mpf, ncdf, sqrt

CASES = Path(__file__).resolve().parent / "data" / "cases"
mp.prec = 200


def unit_outer(profile):
    total = sum(profile)
    return [[a * b / total / total for b in profile] for a in profile]


def cells(low, high, count):
    edges = [mpf(low) + (mpf(high) - mpf(low)) * i / count for i in range(count + 1)]
    return [ncdf(b) - ncdf(a) for a, b in zip(edges, edges[1:])]


def gram(gamma):
    x, y = np.load(CASES / "gram_random_x.npy"), np.load(CASES / "gram_random_y.npy")
    return [[exp(-gamma * sum((mpf(float(a)) - mpf(float(b))) ** 2 for a, b in zip(u, v))) for v in y] for u in x]


def cases():
    yield "gkern_21_3.0", unit_outer(cells(-3, 3, 21)), ["grid", "--like", "gkern", "--size", "21", "--nsig", "3"]
    half = mpf("2.5") + (2 * mpf("2.5") + 1) / 10
    yield ("gkern_sqrt_5_2.5", unit_outer([sqrt(p) for p in cells(-half, half, 5)]),
           ["grid", "--like", "gkern-sqrt", "--size", "5", "--nsig", "2.5"])
    yield ("linspace_50_3", unit_outer([exp(-((-10 + mpf(20) * i / 49) ** 2) / 18) for i in range(50)]),
           ["grid", "--size", "50", "--sigma", "3", "--from", "-10", "--to", "10"])
    t = mpf("2.25")
    yield ("bessel_15_1.5", unit_outer([exp(-t) * besseli(abs(k - 7), t) for k in range(15)]),
           ["grid", "--size", "15", "--sigma", "1.5", "--sampling", "bessel"])
    yield ("gram_random_k", gram(1 / (2 * mpf(1.7) ** 2)),
           ["gram", str(CASES / "gram_random_x.npy"), str(CASES / "gram_random_y.npy"), "--sigma", "1.7"])


def worst(values, exact):
    return max(float(abs(mpf(float(v)) - e) / e * 2**52) for row, exact_row in zip(values, exact) for v, e in zip(row, exact_row))


def main(command):
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.npy"
        for name, exact, call in cases():
            subprocess.run([command, *call, "--precision", "f64", "-o", str(out), "--quiet"], check=True)
            print(f"{name:18} isogram {worst(np.load(out), exact):7.2f} ulp, the array {worst(np.load(CASES / (name + '.npy')), exact):7.2f} ulp")


if __name__ == "__main__":
    main(sys.argv[1])
