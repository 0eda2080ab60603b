#!/usr/bin/env python3
"""Writes the reference arrays of tests/data/cases, computed in float64 with NumPy and SciPy.

Each case is NAME.npy and a line in cases.tsv: name, kind, parameters. Run with a Python that has numpy and scipy:
    python3 make_cases.py OUTDIR
"""
import sys
from pathlib import Path

import numpy as np
from scipy import ndimage, special, stats


def profile(n, sigma, a, b):
    x = np.linspace(a, b, n)
    return np.exp(-x * x / (2 * sigma * sigma))


def integrated(n, sigma, a, b):
    return np.diff(stats.norm.cdf(np.linspace(a, b, n + 1) / sigma))


def outer(p, q, unit_sum):
    k = np.multiply.outer(p, q)
    return k / k.sum() if unit_sum else k


def impulse(n, sigma):
    delta = np.zeros((n, n))
    delta[n // 2, n // 2] = 1
    return ndimage.gaussian_filter(delta, sigma)


def old_sqrt(n, nsig):
    h = (2 * nsig + 1) / n
    p = np.sqrt(integrated(n, 1.0, -nsig - h / 2, nsig + h / 2))
    return outer(p, p, True)


def gram(x, y, sigma):
    d2 = ((x[:, None, :] - y[None, :, :]) ** 2).sum(-1)
    return np.exp(-d2 / (2 * sigma**2))


def bessel(n, sigma):
    k = np.arange(n) - (n - 1) // 2
    p = special.ive(np.abs(k), sigma**2)
    return outer(p, p, True)


def cases():
    for n, s in [(5, 2.5), (21, 3.0), (8, 2.0)]:
        p = integrated(n, 1.0, -s, s)
        yield f"gkern_{n}_{s}", "grid", f"like=gkern size={n} nsig={s}", outer(p, p, True)
    yield "gkern_sqrt_5_2.5", "grid", "like=gkern-sqrt size=5 nsig=2.5", old_sqrt(5, 2.5)
    for n, s in [(21, 3.0), (5, 1.0)]:
        yield f"gkern_delta_{n}_{s}", "grid", f"like=gkern-delta size={n} sigma={s}", impulse(n, s)
    for n, s in [(5, 1.0), (4, 1.0), (31, 4.5)]:
        h = (n - 1) / 2
        p = profile(n, s, -h, h)
        yield f"gkern_point_{n}_{s}", "grid", f"like=gkern-point size={n} sigma={s}", outer(p, p, True)
        yield f"window_{n}_{s}", "grid", f"like=window size={n} sigma={s}", outer(p, p, False)
    p = profile(50, 3.0, -10, 10)
    yield "linspace_50_3", "grid", "size=50 sigma=3 from=-10 to=10 normalize=sum", outer(p, p, True)
    p, q = profile(4, 1.0, -2, 2), profile(6, 2.0, -3, 3)
    yield "mask_4x6_1_2", "grid", "like=mask size=4x6 sigma=1,2", outer(p, q, False)
    for n, s in [(3, 1.0), (4, 1.0)]:
        c = int(n / 2)
        p = profile(n, s, -c, n - 1 - c)
        yield f"loop_{n}_{s}", "grid", f"like=loop size={n} sigma={s}", outer(p, p, True)
    yield "bessel_15_1.5", "grid", "size=15 sigma=1.5 sampling=bessel", bessel(15, 1.5)
    x = np.arange(12.0).reshape(3, 4)
    yield "gram_arange_x", "input", "", x
    yield "gram_arange_k", "gram", "x=gram_arange_x kernel=rbf sigma=1", gram(x, x, 1.0)
    rng = np.random.default_rng(20261122)
    x, y = rng.standard_normal((37, 5)), rng.standard_normal((29, 5))
    yield "gram_random_x", "input", "", x
    yield "gram_random_y", "input", "", y
    yield "gram_random_k", "gram", "x=gram_random_x y=gram_random_y kernel=rbf sigma=1.7", gram(x, y, 1.7)
    z = np.concatenate([100 + 1e-2 * rng.standard_normal((16, 16)), -100 + 1e-2 * rng.standard_normal((16, 16))])
    z = z.astype(np.float32).astype(np.float64)
    yield "gram_clusters_x", "input", "", z
    yield "gram_clusters_k", "gram", "x=gram_clusters_x kernel=rbf sigma=0.05", gram(z, z, 0.05)


def main(out):
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for name, kind, params, array in cases():
        np.save(out / f"{name}.npy", array)
        rows.append(f"{name}\t{kind}\t{params}\n")
    (out / "cases.tsv").write_text("".join(rows))


if __name__ == "__main__":
    main(sys.argv[1])
