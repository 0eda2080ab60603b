#!/usr/bin/env python3
"""isogram's Gaussian filter beside OpenCV's and SciPy's, and beside this device's limit: filter.py [--quick] LIBRARY

LIBRARY is libisogram.so. Images of 4096 x 4096 and a volume of 256^3 in float32, mode reflect, truncate 4; arrays in memory that
were written before, results into arrays that were written before. What is compared takes turns, and the ratio is the median of
those within a round. Times of processors count all cores together, and other programs on the machine disturb them less; SciPy uses
one core. A peer that is not installed is skipped by name. The limit is the greater of two times: that of reading and writing the
array once per pass at the rate of copying, and that of (2 radius + 1) multiply-adds per element and axis, both rates measured in
the same run.
"""
import argparse
import ctypes
import statistics
import sys
import time

import numpy as np

DTYPES = {"float32": 1, "float64": 2, "int8": 3, "uint8": 4, "int16": 5, "uint16": 6, "int32": 7, "float16": 11}
MODES = ["default", "reflect", "mirror", "nearest", "constant", "wrap"]


class Array(ctypes.Structure):
    _fields_ = [("dtype", ctypes.c_int), ("ndim", ctypes.c_int32), ("shape", ctypes.c_int64 * 8), ("strides", ctypes.c_int64 * 8),
                ("data", ctypes.c_void_p), ("mem", ctypes.c_void_p), ("offset", ctypes.c_int64)]


class Params(ctypes.Structure):
    _fields_ = [("axes", ctypes.c_int32 * 4), ("axis_count", ctypes.c_int32), ("each", ctypes.c_int32), ("sigma", ctypes.c_double * 4),
                ("order", ctypes.c_int32 * 4), ("mode", ctypes.c_int * 4), ("radius", ctypes.c_int64 * 4), ("truncate", ctypes.c_double),
                ("constant", ctypes.c_double), ("exact", ctypes.c_int32), ("sampling", ctypes.c_int), ("like", ctypes.c_char_p), ("precision", ctypes.c_int),
                ("progress", ctypes.c_void_p), ("progress_user", ctypes.c_void_p), ("nan", ctypes.c_int), ("fill", ctypes.c_double),
                ("fills_nothing", ctypes.c_int32), ("mask", Array), ("memory", ctypes.c_int64)]


class DerivedParams(ctypes.Structure):
    _fields_ = [("filter", Params), ("sigma2", ctypes.c_double * 4), ("amount", ctypes.c_double), ("inner", ctypes.c_double)]


POLICIES = ["default", "propagate", "ignore", "preserve", "fill"]
DERIVED = ["laplacian", "gradient-magnitude", "difference", "unsharp", "structure-tensor"]


class Limits(ctypes.Structure):
    _fields_ = [("fill", ctypes.c_double), ("copy", ctypes.c_double), ("madds", ctypes.c_double)]


class Isogram:
    """The library's filter on NumPy arrays."""

    def __init__(self, path):
        self.library = ctypes.CDLL(path)
        self.library.isg_context_error.restype = ctypes.c_void_p
        self.library.isg_filter.argtypes = [ctypes.c_void_p, Array, Array, ctypes.POINTER(Params)]
        self.library.isg_filter_derived.argtypes = [ctypes.c_void_p, ctypes.c_int, Array, ctypes.POINTER(Array), ctypes.c_int32,
                                                    ctypes.POINTER(DerivedParams)]
        self.context = ctypes.c_void_p()
        if self.library.isg_context_create(ctypes.byref(self.context), None):
            sys.exit("isogram finds no device")

    @staticmethod
    def view(array):
        v = Array(dtype=DTYPES[array.dtype.name], ndim=array.ndim, data=array.ctypes.data)
        for axis in range(array.ndim):
            v.shape[axis] = array.shape[axis]
            v.strides[axis] = array.strides[axis] // array.itemsize
        return v

    def params(self, array, sigma, **others):
        """others: axes, order, mode, radius (one or one for each axis), truncate, cval, precision, sampling, like, exact, mask, nan."""
        p = Params(each=1, truncate=others.get("truncate", 0), constant=others.get("cval", 0), precision=others.get("precision", 0),
                   sampling=others.get("sampling", 0), like=others.get("like"), exact=others.get("exact", 0), nan=POLICIES.index(others.get("nan", "default")),
                   fill=others.get("fill", 0), fills_nothing=others.get("fills_nothing", 0), memory=others.get("memory", 0))
        if "mask" in others:
            p.mask = self.view(others["mask"])
        axes = others.get("axes")
        count = len(axes) if axes else array.ndim
        p.axis_count = len(axes) if axes else 0
        for i in range(count):
            p.axes[i] = axes[i] if axes else 0
            for field, value in [("sigma", sigma), ("order", others.get("order", 0)), ("radius", others.get("radius", 0)),
                                 ("mode", others.get("mode", "reflect"))]:
                value = value[i] if isinstance(value, (list, tuple)) else value
                getattr(p, field)[i] = self.library.isg_mode_named(value.encode()) if field == "mode" else value
        return p

    def check(self, status):
        if status:
            message = ctypes.cast(self.library.isg_context_error(self.context) + 4, ctypes.c_char_p).value.decode()
            raise ValueError(message)

    def filter(self, array, out, sigma, **others):
        """others: axes, order, mode, radius (one or one for each axis), truncate, cval, precision, sampling, like, nan, fill,
        fills_nothing, mask, memory."""
        p = self.params(array, sigma, **others)
        self.check(self.library.isg_filter(self.context, self.view(array), self.view(out), ctypes.byref(p)))
        return out

    def derived(self, name, array, outs, sigma, sigma2=0, amount=0, inner=0, **others):
        """outs: a list of arrays."""
        p = DerivedParams(filter=self.params(array, sigma, **others), amount=amount, inner=inner)
        for i in range(4):
            p.sigma2[i] = sigma2[i] if isinstance(sigma2, (list, tuple)) and i < len(sigma2) else 0 if isinstance(sigma2, (list, tuple)) else sigma2
        views = (Array * len(outs))(*map(self.view, outs))
        self.check(self.library.isg_filter_derived(self.context, DERIVED.index(name), self.view(array), views, len(outs), ctypes.byref(p)))
        return outs

    def limits(self):
        found = Limits()
        self.library.isg_context_measure(self.context, 1, ctypes.byref(found))
        return found


def seconds(call):
    """Of the clock, and of all processors together."""
    start, busy = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - start, time.process_time() - busy


def take_turns(calls, rounds):
    """Seconds of every call in every round; the first round, which warms up, is left out. A slow call has fewer rounds."""
    times = {name: [] for name in calls}
    for turn in range(rounds + 1):
        for name, call in calls.items():
            if turn > 3 and times[name][0][0] > 1:
                continue
            spent = seconds(call)
            if turn:
                times[name].append(spent)
    return times


def peers(image, out, sigma):
    found = {}
    try:
        import scipy.ndimage
        found["SciPy"] = lambda: scipy.ndimage.gaussian_filter(image, sigma, output=out)
    except ImportError:
        print("skipped: SciPy is not installed")
    if image.ndim == 2:
        try:
            import cv2
            size = 2 * int(4 * sigma + 0.5) + 1
            found["OpenCV"] = lambda: cv2.GaussianBlur(image, (size, size), sigma, dst=out, borderType=cv2.BORDER_REFLECT)
        except ImportError:
            print("skipped: OpenCV is not installed")
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("library")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, no SciPy at large sigma")
    options = parser.parse_args()
    isogram = Isogram(options.library)
    random = np.random.default_rng(1)
    for shape, sigmas in [((4096, 4096), (1, 3, 10, 30)), ((256, 256, 256), (3,))]:
        image = random.random(shape, dtype=np.float32)
        out, other = np.zeros_like(image), np.zeros_like(image)
        for sigma in sigmas:
            limits = isogram.limits()
            calls = {"isogram": lambda s=sigma: isogram.filter(image, out, s), **peers(image, other, sigma)}
            if options.quick and sigma > 3:
                calls.pop("SciPy", None)
            times = take_turns(calls, 5 if options.quick else 11)
            taps, passes = 2 * int(4 * sigma + 0.5) + 1, image.ndim - 1
            limit = max(2 * passes * image.nbytes / limits.copy, image.ndim * taps * image.size / limits.madds)
            own, busy = (statistics.median(t[i] for t in times["isogram"]) for i in range(2))
            text = f"{'x'.join(map(str, shape))} sigma {sigma}: {1e3 * own:.1f} ms ({1e3 * busy:.1f} of processors), {own / limit:.2f} of the limit"
            for name in times:
                if name != "isogram":
                    ratios = [[b[i] / a[i] for a, b in zip(times["isogram"], times[name])] for i in range(2)]
                    text += f"; {name} {1e3 * statistics.median(t[0] for t in times[name]):.0f} ms, {statistics.median(ratios[0]):.2f} times"
                    text += f" ({statistics.median(ratios[1]):.2f} of processors)"
            print(text, flush=True)


if __name__ == "__main__":
    main()
