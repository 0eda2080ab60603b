"""SciPy's Gaussian filters with isogram beneath: functions of scipy.ndimage's names and parameters for SciPy's own tests.

Filters go to isg_filter. What is composed of filters, gaussian_laplace and gaussian_gradient_magnitude, is composed in Derived, as
SciPy composes it; correlate1d is reached where its weights are a Gaussian's, or a derivative's, times a number.
"""
import ctypes
import math
import numbers
import sys
from pathlib import Path

import numpy as np
from scipy import ndimage
from scipy.ndimage import _filters, _ni_support

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bench"))
from filter import Isogram, Params  # noqa: E402

F64 = 2  # ISG_PRECISION_F64
DIRECT = {"uint8", "uint16", "int16", "int32", "float16", "float32", "float64"}  # what isg_filter takes


class Unreachable(Exception):
    """What isg_filter cannot be asked for; none of the errors that SciPy's tests wait for."""


class Filters:
    """calls: how many filters isogram has computed."""

    def __init__(self, library):
        self.isogram = Isogram(library)
        self.weights_of = self.isogram.library.isg_filter_weights
        self.calls = 0

    def has_f64(self):
        try:
            one = np.ones(1)
            return self.isogram.filter(one, np.zeros(1), 1.0, precision=F64)[0] == 1
        except ValueError:
            return False

    def run(self, array, output, sigma, axes, **others):
        """Into output, through double precision where SciPy has a type that isogram has not, and part by part where the type is
        complex. Whole numbers are rounded, where SciPy cuts their fractions off."""
        if array.size == 0:  # isogram refuses what has no elements
            return output
        if array.ndim == 0:
            output[...] = array
            return output
        if array.dtype.kind == "c" or output.dtype.kind == "c":
            cval = others.pop("cval", 0)
            parts = [np.zeros(array.shape) for _ in range(2)]
            self.run(np.ascontiguousarray(array.real), parts[0], sigma, axes, cval=np.real(cval), **others)
            self.run(np.ascontiguousarray(array.imag), parts[1], sigma, axes, cval=np.imag(cval), **others)
            output[...] = parts[0] + 1j * parts[1]
            return output
        given = array if array.dtype.name in DIRECT and array.dtype.isnative else array.astype(np.float64)
        fits = output.dtype.name in DIRECT and output.dtype.isnative and not np.may_share_memory(array, output)
        made = output if fits else np.zeros(array.shape, output.dtype if output.dtype.name in DIRECT else np.float64)
        self.isogram.filter(given, made, sigma, axes=axes, **others)
        self.calls += 1
        if made is not output:
            output[...] = np.rint(made) if output.dtype.kind in "iu" and made.dtype.kind == "f" else made
        return output

    # ---- scipy.ndimage's names ----

    def gaussian_filter(self, input, sigma, order=0, output=None, mode="reflect", cval=0.0, truncate=4.0, *, radius=None, axes=None):
        input = np.asarray(input)
        output = _ni_support._get_output(output, input, complex_output=input.dtype.kind == "c")
        axes = list(range(input.ndim)) if axes is None else sorted_axes(axes, input.ndim)
        sigma, order, mode, radius = (spread(value, len(axes)) for value in (sigma, order, mode, radius))
        for r in radius:
            if r is not None and (not isinstance(r, numbers.Integral) or r < 0):
                raise ValueError("radius must be a nonnegative integer")
            if r == 0:
                raise Unreachable("a radius of 0, which means the default to isogram")
        for word in mode:
            if not self.isogram.library.isg_mode_named(str(word).encode()):
                raise RuntimeError("boundary mode not supported")
        return self.run(input, output, sigma, axes, order=[int(o) for o in order], mode=mode, cval=cval, truncate=truncate,
                        radius=[0 if r is None else int(r) for r in radius])

    def gaussian_filter1d(self, input, sigma, axis=-1, order=0, output=None, mode="reflect", cval=0.0, truncate=4.0, *, radius=None):
        return self.gaussian_filter(input, float(sigma), order, output, mode, cval, truncate, radius=radius, axes=(axis,))

    def correlate1d(self, input, weights, axis=-1, output=None, mode="reflect", cval=0.0, origin=0):
        input, weights = np.asarray(input), np.asarray(weights)
        if origin != 0:
            raise Unreachable("an origin")
        if weights.dtype.kind == "c":
            raise Unreachable("complex weights")
        params, factor = self.gaussian_of(weights.astype(np.float64))
        output = _ni_support._get_output(output, input, complex_output=input.dtype.kind == "c")
        made = np.zeros(input.shape, np.complex128 if output.dtype.kind == "c" else np.float64)
        exact = input.astype(np.complex128 if input.dtype.kind == "c" else np.float64)
        self.run(exact, made, params["sigma"], sorted_axes((axis,), input.ndim), order=params["order"], radius=params["radius"],
                 exact=params["exact"], mode=mode, cval=cval, precision=F64)
        made *= factor
        output[...] = np.rint(made) if output.dtype.kind in "iu" else made
        return output

    def gaussian_of(self, weights):
        """Parameters of isg_filter that give these weights times a number, and that number."""
        if weights.ndim != 1 or len(weights) % 2 == 0:
            raise Unreachable("an even number of weights, which have no middle")
        radius = len(weights) // 2
        candidates = []
        if radius == 0:
            candidates.append({"sigma": 0.1, "order": 0, "radius": 0, "exact": 0})
        else:
            ratio = weights[radius + 1] / weights[radius] if weights[radius] else 0
            if 0 < ratio <= 1:
                sigma = math.sqrt(-0.5 / math.log(ratio)) if ratio < 1 else 1e9  # so wide that it is flat
                candidates.append({"sigma": sigma, "order": 0, "radius": radius, "exact": 0})
            for order in (1, 2):
                candidates.append({"sigma": 1.0, "order": order, "radius": radius, "exact": 1})
        for params in candidates:
            own = self.weights(len(weights), **params)
            at = int(np.argmax(np.abs(own)))
            factor = weights[at] / own[at]
            if np.abs(own * factor - weights).max() <= 1e-14 * np.abs(weights).max():
                return params, factor
        raise Unreachable("weights that no sigma and order give")

    def weights(self, count, sigma, order, radius, exact):
        p = Params(each=0, exact=exact)
        p.sigma[0], p.order[0], p.radius[0] = sigma, order, radius
        own, found = np.zeros(count), ctypes.c_int64()
        status = self.weights_of(ctypes.byref(p), 1, 0, own.ctypes.data_as(ctypes.c_void_p), ctypes.c_int64(count), ctypes.byref(found), None)
        if status or found.value != count:
            raise Unreachable(f"{found.value} weights for {count}")
        return own


def spread(value, count):
    value = _ni_support._normalize_sequence(value, count)
    return [v.item() if isinstance(v, np.generic) else v for v in value]


def sorted_axes(axes, ndim):
    axes = [int(a) for a in (axes if np.iterable(axes) else (axes,))]
    if any(not -ndim <= a < ndim for a in axes):
        raise np.exceptions.AxisError(axes[0], ndim) if hasattr(np, "exceptions") else np.AxisError(axes[0], ndim)
    axes = [a % ndim for a in axes]
    if len(set(axes)) < len(axes):
        raise ValueError("axes must be unique")
    return axes


class Derived:
    """Filters composed of filters, and the one place that knows how. As in SciPy, each part is of the output's type."""

    def __init__(self, filters):
        self.filters = filters

    def parts(self, input, sigma, order, output, mode, cval, axes, options):
        """The derivative of one order along each axis in turn, smoothed along the others."""
        axes = list(range(input.ndim)) if axes is None else sorted_axes(axes, input.ndim)
        sigma, mode = spread(sigma, len(axes)), spread(mode, len(axes))
        options = {name: spread(v, len(axes)) if name == "radius" else v for name, v in options.items()}
        for at in range(len(axes)):
            orders = [order if i == at else 0 for i in range(len(axes))]
            made = np.zeros(input.shape, output.dtype)
            # SciPy hands the whole part the mode of its axis.
            yield self.filters.gaussian_filter(input, sigma, orders, made, mode[at], cval, axes=axes, **options)

    def gaussian_laplace(self, input, sigma, output=None, mode="reflect", cval=0.0, *, axes=None, **options):
        input = np.asarray(input)
        output = _ni_support._get_output(output, input, complex_output=input.dtype.kind == "c")
        total = np.zeros(input.shape, output.dtype)
        for part in self.parts(input, sigma, 2, output, mode, cval, axes, options):
            total += part
        output[...] = total
        return output

    def gaussian_gradient_magnitude(self, input, sigma, output=None, mode="reflect", cval=0.0, *, axes=None, **options):
        input = np.asarray(input)
        output = _ni_support._get_output(output, input, complex_output=input.dtype.kind == "c")
        total = np.zeros(input.shape, output.dtype)
        for part in self.parts(input, sigma, 1, output, mode, cval, axes, options):
            total += part * part
        np.sqrt(total, output, casting="unsafe")
        return output


def install(library):
    """Puts isogram in the place of SciPy's functions, for everything in this process. Returns the Filters."""
    filters = Filters(library)
    derived = Derived(filters)
    places = [ndimage, _filters, sys.modules.get("scipy.ndimage._ndimage_api")]
    for function in (filters.gaussian_filter, filters.gaussian_filter1d, filters.correlate1d, derived.gaussian_laplace,
                     derived.gaussian_gradient_magnitude):
        for place in places:
            if place is not None and hasattr(place, function.__name__):
                setattr(place, function.__name__, replacement(function, getattr(place, function.__name__)))
    return filters


def replacement(function, original):
    def call(*args, **options):
        return function(*args, **options)

    call.__name__ = call.__qualname__ = original.__name__
    call.__wrapped__ = original
    return call
