#!/usr/bin/env python3
"""isogram's convolution and stencils against SciPy's and OpenCV's, where they are installed: test_convolve_peers.py LIBRARY ISOGRAM

Convolution and correlation in all modes, even and odd sizes, one to three dimensions: in double precision within 2e-15 of the sum of
the weights' magnitudes times the data's, in single precision within 2e-6. filter2D likewise, channels included. getGaborKernel
within 2e-15; a rotated grid against a multivariate normal density. Exits with 77 (skipped) without SciPy.
"""
import io
import itertools
import math
import subprocess
import sys
from pathlib import Path

SKIPPED = 77
try:
    import numpy as np
    from scipy import ndimage, stats
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(SKIPPED)
try:
    import cv2
except ImportError:
    cv2 = None

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bench"))
from convolve import Convolving  # noqa: E402

MODES = ["reflect", "mirror", "nearest", "constant", "wrap"]
F32, F64 = 1, 2
SHAPES = [((1,), (4,)), ((40,), (7,)), ((1, 7), (3, 2)), ((31, 30), (5, 5)), ((31, 30), (4, 6)), ((6, 5), (9, 11)),
          ((40, 300), (31, 33)), ((8, 9, 10), (3, 4, 5)), ((8, 9, 10), (1, 1, 3))]


def expect(close, what):
    if not close:
        sys.exit(f"{what} differs")


def against_scipy(isogram, random):
    worst, count = {F32: 0.0, F64: 0.0}, 0
    for (shape, size), mode, turned in itertools.product(SHAPES, MODES, range(2)):
        data, stencil = random.uniform(-1, 1, shape), random.uniform(-1, 1, size)
        call = ndimage.correlate if turned else ndimage.convolve
        for precision, tolerance in [(F64, 2e-15), (F32, 2e-6)]:
            x = data.astype(np.float32) if precision == F32 else data
            got = isogram.convolve(x, stencil, np.zeros_like(x), mode=mode, cval=0.75, correlate=turned, precision=precision)
            want = call(x.astype(np.float64), stencil, mode=mode, cval=0.75)
            off = np.abs(got - want).max() / np.abs(stencil).sum()
            worst[precision] = max(worst[precision], off)
            count += 1
            expect(off <= tolerance, f"{shape}, stencil {size}, mode {mode}, correlate {turned}: {off:.2e}")
    print(f"{count} convolutions: at most {worst[F64]:.1e} (f64) and {worst[F32]:.1e} (f32) away from SciPy")


def against_opencv(isogram, random):
    borders = {"reflect": cv2.BORDER_REFLECT, "mirror": cv2.BORDER_REFLECT_101, "nearest": cv2.BORDER_REPLICATE}
    image, stencil = random.uniform(0, 255, (50, 61, 3)), random.uniform(-1, 1, (6, 7))
    for mode, border in borders.items():
        got = isogram.convolve(image, stencil, np.zeros_like(image), mode=mode, correlate=1, axes=(0, 1))
        want = cv2.filter2D(image, -1, stencil, borderType=border)
        off = np.abs(got - want).max() / np.abs(stencil).sum() / 255
        expect(off <= 2e-15, f"filter2D, {mode}: {off:.2e}")
    whole = image.astype(np.uint8)
    got = isogram.convolve(whole, stencil, np.zeros_like(whole), mode="mirror", correlate=1, axes=(0, 1), precision=F64)
    want = cv2.filter2D(whole.astype(np.float64), -1, stencil)
    expect((got == np.clip(np.rint(want), 0, 255)).all(), "filter2D of whole numbers")


def grid(command, *words):
    result = subprocess.run([command, "grid", *map(str, words), "-o", "-", "--quiet"], capture_output=True, check=True)
    return np.load(io.BytesIO(result.stdout))


def gabor(command):
    for size, sigma, theta, wavelength, gamma, psi in [((21, 21), 4, 30, 10, 0.5, 0), ((31, 21), 5, 77, 7, 1.3, 40),
                                                      ((9, 10), 2, -50, 5, 1, 90), ((-1, -1), 3, 20, 8, 0.6, 10)]:
        want = cv2.getGaborKernel(size, sigma, math.radians(theta), wavelength, gamma, math.radians(psi), cv2.CV_64F)
        words = ["--size", f"{size[1]}x{size[0]}"] if size[0] > 0 else []
        got = grid(command, *words, "--like", "gabor-opencv", "--sigma", sigma, "--angle", theta, "--wavelength", wavelength,
                   "--gamma", gamma, "--phase", psi)
        expect(got.shape == want.shape and np.abs(got - want).max() <= 2e-15, f"getGaborKernel {size}")


def rotated(command):
    covariance = [[4, 1.5, -0.5], [1.5, 3, 0.7], [-0.5, 0.7, 2]]
    got = grid(command, "--size", "5x6x7", "--normalize", "density", "--covariance", ",".join(str(c) for row in covariance for c in row))
    places = np.stack(np.meshgrid(*(np.arange(n) - (n - 1) / 2 for n in got.shape), indexing="ij"), -1)
    want = stats.multivariate_normal(cov=covariance).pdf(places)
    expect(np.allclose(got, want, rtol=1e-13, atol=0), "a density of three axes")


def main(library, command):
    isogram, random = Convolving(library), np.random.default_rng(7)
    against_scipy(isogram, random)
    rotated(command)
    if cv2 is None:
        print("not compared with OpenCV: it is not installed")
    else:
        against_opencv(isogram, random)
        gabor(command)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
