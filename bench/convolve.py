#!/usr/bin/env python3
"""isogram's convolution beside OpenCV's filter2D and SciPy's correlate, and beside this device's limit: convolve.py [--quick] LIBRARY

LIBRARY is libisogram.so. Images of 2048 x 2048 in float32, correlation, mode reflect, stencils of random numbers. Arrays were
written before. What is compared takes turns, and the ratio is the median of those within a round. Times of processors count all
cores together, and other programs on the machine disturb them less; SciPy uses one core. (From 11 x 11 on OpenCV multiplies
Fourier transforms, which costs the same for all sizes.) The limit is the greater of two times: that of reading and writing the
image once at the rate of copying, and that of one multiply-add for each weight and element, both rates measured in the same run.
"""
import argparse
import ctypes
import statistics
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
from filter import Array, Isogram, take_turns  # noqa: E402


class Params(ctypes.Structure):
    _fields_ = [("correlate", ctypes.c_int32), ("axes", ctypes.c_int32 * 3), ("axis_count", ctypes.c_int32), ("each", ctypes.c_int32),
                ("mode", ctypes.c_int * 3), ("constant", ctypes.c_double), ("precision", ctypes.c_int), ("progress", ctypes.c_void_p),
                ("progress_user", ctypes.c_void_p)]


class Convolving(Isogram):
    """The library's convolution on NumPy arrays."""

    def convolve(self, array, stencil, out, **others):
        """others: correlate, axes, mode (one or one for each axis), cval, precision."""
        axes, mode = others.get("axes", ()), others.get("mode", "reflect")
        p = Params(correlate=others.get("correlate", 0), axis_count=len(axes), each=isinstance(mode, (list, tuple)),
                   constant=others.get("cval", 0), precision=others.get("precision", 0))
        p.axes[:len(axes)] = axes
        for i, word in enumerate(mode if p.each else [mode]):
            p.mode[i] = self.library.isg_mode_named(word.encode())
        self.library.isg_convolve.argtypes = [ctypes.c_void_p, Array, Array, Array, ctypes.POINTER(Params)]
        if self.library.isg_convolve(self.context, self.view(array), self.view(stencil), self.view(out), ctypes.byref(p)):
            raise ValueError(ctypes.cast(self.library.isg_context_error(self.context) + 4, ctypes.c_char_p).value.decode())
        return out


def peers(image, stencil, out):
    found = {}
    try:
        import cv2
        found["OpenCV"] = lambda: cv2.filter2D(image, -1, stencil, dst=out, borderType=cv2.BORDER_REFLECT)
    except ImportError:
        print("skipped: OpenCV is not installed")
    try:
        import scipy.ndimage
        if stencil.size < 1000:
            found["SciPy"] = lambda: scipy.ndimage.correlate(image, stencil, output=out)
    except ImportError:
        print("skipped: SciPy is not installed")
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("library")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, no SciPy")
    options = parser.parse_args()
    isogram = Convolving(options.library)
    random = np.random.default_rng(1)
    image = random.random((2048, 2048), dtype=np.float32)
    out, other = np.zeros_like(image), np.zeros_like(image)
    for size in (3, 5, 7, 9, 15, 31, 63):
        stencil = random.standard_normal((size, size), dtype=np.float32)
        limits = isogram.limits()
        calls = {"isogram": lambda: isogram.convolve(image, stencil, out, correlate=1), **peers(image, stencil, other)}
        if options.quick:
            calls.pop("SciPy", None)
        times = take_turns(calls, 5 if options.quick else 11)
        sums = size * size * image.size / limits.madds
        limit = max(2 * image.nbytes / limits.copy, sums)
        own, busy = (statistics.median(t[i] for t in times["isogram"]) for i in range(2))
        text = f"{size} x {size}: {1e3 * own:.1f} ms ({1e3 * busy:.1f} of processors), {limit / own:.2f} of the limit's rate"
        text += f" ({'sums' if limit == sums else 'memory'})"
        for name in times:
            if name != "isogram":
                ratios = [[b[i] / a[i] for a, b in zip(times["isogram"], times[name])] for i in range(2)]
                text += f"; {name} {1e3 * statistics.median(t[0] for t in times[name]):.0f} ms, {statistics.median(ratios[0]):.2f} times"
                text += f" ({statistics.median(ratios[1]):.2f} of processors)"
        print(text, flush=True)


if __name__ == "__main__":
    main()
