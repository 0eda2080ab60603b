#!/usr/bin/env python3
"""isogram's filter against SciPy's, where it is installed: test_filter_scipy.py LIBRARY

All modes, orders 0 to 3, one to three dimensions, even and odd sizes, sizes below the radius, settings for each axis: in double
precision within 4e-15 of the data's range, in single precision within 1e-6. Of derivatives with large weights, as sigma below 1 has
them, the range is that of the data times the sum of the weights' magnitudes. Exits with 77 (skipped) without SciPy.
"""
import itertools
import sys
from pathlib import Path

SKIPPED = 77
try:
    import numpy as np
    from scipy import ndimage
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(SKIPPED)

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bench"))
from filter import Isogram  # noqa: E402

MODES = ["reflect", "mirror", "nearest", "constant", "wrap"]
F32, F64 = 1, 2
SHAPES = [(1,), (2,), (9,), (40,), (1, 7), (6, 5), (13, 30), (31, 8), (3, 4, 5), (8, 9, 10), (2, 17, 6)]


def expected(array, sigma, order, mode, cval):
    """Axis by axis, as gaussian_filter does; its own cval and order for each axis."""
    for axis in range(array.ndim):
        if sigma[axis] > 1e-15:
            array = ndimage.gaussian_filter1d(array, sigma[axis], axis, order[axis], mode=mode[axis], cval=cval)
    return array


def gain(sigma, order):
    """The sum of the weights' magnitudes, 1 at least."""
    g = 1.0
    for s, o in zip(sigma, order):
        if s > 1e-15:
            impulse = np.zeros(2 * int(4 * s + 0.5) + 1)
            impulse[len(impulse) // 2] = 1
            g *= max(1.0, np.abs(ndimage.gaussian_filter1d(impulse, s, order=o, mode="constant")).sum())
    return g


def check(what, got, want, scale, tolerance=4e-15):
    """The greatest distance, of the scale; NaN where there is NaN."""
    if not (np.isnan(got) == np.isnan(want)).all():
        sys.exit(f"{what}: NaN in other places")
    off = float(np.nanmax(np.abs(got - want))) / scale
    if not off <= tolerance:
        sys.exit(f"{what}: {off:.2e} away from SciPy")
    return off


def means(isogram, random):
    """Of valid elements: the filtered data over the filtered mask, as SciPy's users write it."""
    worst = 0.0
    for shape, mode in itertools.product([(40,), (31, 28), (9, 14, 11)], MODES):
        data, mask = random.uniform(1, 2, shape), random.integers(0, 3, shape).astype(np.uint8)
        data[random.uniform(size=shape) < 0.2] = np.nan
        valid = (mask != 0) & ~np.isnan(data)
        # Outside, a constant is valid, unless it is NaN.
        for cval in (1.25, float("nan")) if mode == "constant" else (0.0,):
            inside = np.where(valid, data, 0.0)
            sums = ndimage.gaussian_filter(inside, 1.3, mode=mode, cval=0.0 if np.isnan(cval) else cval)
            weights = ndimage.gaussian_filter(valid.astype(float), 1.3, mode=mode, cval=float(cval == 1.25))
            with np.errstate(invalid="ignore", divide="ignore"):
                want = np.where(weights > 0, sums / weights, np.nan)
            got = isogram.filter(data, np.zeros(shape), 1.3, mode=mode, cval=cval, nan="ignore", mask=mask)
            worst = max(worst, check(f"mean, {shape}, {mode}", got, want, 1.0, 4e-15 / weights[weights > 0].min()))
            kept = isogram.filter(data, np.zeros(shape), 1.3, mode=mode, cval=cval, nan="preserve", mask=mask)
            if not np.array_equal(kept, np.where(valid, got, np.nan), equal_nan=True):
                sys.exit(f"preserve, {shape}, {mode}")
    return worst


def sobel_tensor(data, sigma, mode):
    """As skimage.feature.structure_tensor."""
    d = [ndimage.sobel(data, axis, mode=mode) for axis in range(data.ndim)]
    return [ndimage.gaussian_filter(d[a] * d[b], sigma, mode=mode) for a in range(data.ndim) for b in range(a, data.ndim)]


def derived(isogram, random):
    worst = 0.0
    for shape, mode in itertools.product([(40,), (31, 28), (9, 14, 11)], MODES):
        data = random.uniform(-1, 1, shape)
        for sigma in (1.0, 2.3):
            lesser, wider = (ndimage.gaussian_filter(data, s, mode=mode) for s in (sigma, 1.6 * sigma))
            tensor = sobel_tensor(data, sigma, mode)
            for name, want, scale in [
                ("laplacian", [ndimage.gaussian_laplace(data, sigma, mode=mode)], 2 * data.ndim),
                ("gradient-magnitude", [ndimage.gaussian_gradient_magnitude(data, sigma, mode=mode)], 2),
                ("difference", [lesser - wider], 2),
                ("unsharp", [data + 1.5 * (data - lesser)], 5),
                ("structure-tensor", tensor, 4.0 ** data.ndim * 4.0 ** data.ndim),
            ]:
                got = isogram.derived(name, data, [np.zeros(shape) for _ in want], sigma, mode=mode, amount=1.5)
                for g, w in zip(got, want):
                    worst = max(worst, check(f"{name}, {shape}, {mode}, sigma {sigma}", g, w, scale))
    return worst


def main(library):
    isogram = Isogram(library)
    random = np.random.default_rng(7)
    worst, count = {F32: 0.0, F64: 0.0}, 0
    for shape, mode, order in itertools.product(SHAPES, MODES, range(4)):
        n = len(shape)
        sigma = [float(random.choice([0.5 if order == 0 else 0.7, 1, 1.5, 2, 3.3])) for _ in range(n)]
        orders = [order, *(int(o) for o in random.integers(0, 4, n - 1))]
        modes = [mode, *(str(m) for m in random.choice(MODES, n - 1))]
        data = random.uniform(-1, 1, shape)
        cval = float(random.uniform(-1, 1))
        if random.integers(0, 2):
            data += 10  # as pictures are
        bound = (max(data.max(), cval) - min(data.min(), cval)) * gain(sigma, orders)
        for precision, tolerance in [(F64, 4e-15), (F32, 1e-6)]:
            x = data.astype(np.float32) if precision == F32 else data
            got = isogram.filter(x, np.zeros_like(x), sigma, order=orders, mode=modes, cval=cval, precision=precision)
            want = expected(x.astype(np.float64), sigma, orders, modes, float(np.float32(cval)) if precision == F32 else cval)
            off = np.abs(got - want).max() / bound
            worst[precision] = max(worst[precision], off)
            count += 1
            if not off <= tolerance:
                sys.exit(f"{shape}, sigma {sigma}, order {orders}, mode {modes}: {off:.2e} of the range away from SciPy")
    print(f"{count} filters: at most {worst[F64]:.1e} (f64) and {worst[F32]:.1e} (f32) of the range away from SciPy {ndimage.__name__}")
    # SciPy's own words for what a whole call means.
    image = random.uniform(0, 255, (20, 30, 3))
    got = isogram.filter(image, np.zeros_like(image), 2.0, axes=(0, 1))
    want = np.stack([ndimage.gaussian_filter(image[..., c], 2.0) for c in range(3)], -1)
    if np.abs(got - want).max() > 4e-15 * 255:
        sys.exit("channels last differ")
    print(f"means of valid elements: at most {means(isogram, random):.1e} away; derived filters: {derived(isogram, random):.1e} of the range")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
