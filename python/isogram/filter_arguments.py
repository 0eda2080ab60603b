"""What is given to a filter, by SciPy's rules, and what is meant by it. Nothing is computed here."""
from __future__ import annotations

import math
import numbers
import operator
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isogram import arrays
from isogram._native import lib
from isogram.errors import ArgumentError, DtypeError
from isogram.progress import Progress, Watch


class FilterError(ArgumentError, RuntimeError):
    """What SciPy raises a RuntimeError for: modes that do not exist, sequences of a wrong length, outputs that do not fit."""


@dataclass(frozen=True)
class Axis:
    """How one axis is filtered. radius 0: one weight."""

    axis: int
    sigma: float
    order: int
    mode: str
    radius: int


@dataclass(frozen=True)
class Options:
    """What is the same for all axes."""

    cval: Any
    mask: NDArray[Any] | None = None
    nan: str | None = None
    fill: float | None = None
    exact: bool = False
    sampling: str = "point"
    precision: str | None = None
    memory: int = 0
    progress: Progress = None
    watch: Watch = field(default_factory=Watch, compare=False)



def _spread(value: Any, count: int) -> list[Any]:
    """One value for each axis."""
    if not isinstance(value, str) and np.iterable(value):
        values = list(value)
        if len(values) != count:
            raise FilterError("sequence argument must have length equal to input rank")
        return values
    return [value] * count


def _axes(axes: Any, ndim: int) -> list[int]:
    if axes is None:
        return list(range(ndim))
    given = []
    for a in axes if np.iterable(axes) else (axes,):
        try:
            given.append(operator.index(a))
        except TypeError:
            raise DtypeError(f"axes: {a!r} cannot be interpreted as an integer") from None
    for a in given:
        if not -ndim <= a < ndim:
            raise ArgumentError(f"specified axis: {a} is out of range")
    given = [a % ndim for a in given]
    if len(set(given)) < len(given):
        raise ArgumentError("axes must be unique")
    return given


def resolve(ndim: int, sigma: Any, order: Any, mode: Any, truncate: Any, radius: Any, axes: Any) -> list[Axis]:
    """The filtered axes, in the order in which they were named."""
    places = _axes(axes, ndim)
    sigmas, orders, modes, radii = (_spread(value, len(places)) for value in (sigma, order, mode, radius))
    reach = arrays.number(truncate, "truncate")
    found = []
    for axis, s, o, m, r in zip(places, sigmas, orders, modes, radii):
        s = arrays.number(s, "sigma")
        if not (s >= 0 and math.isfinite(s)):
            raise ArgumentError(f"sigma must be finite and not negative, not {s!r}")
        if not isinstance(m, str) or lib.isg_mode_named(m.encode()) == lib.ISG_MODE_DEFAULT:
            raise FilterError(f"boundary mode not supported: {m!r}")
        if r is None:
            r = reach * s + 0.5
            if not math.isfinite(r):
                raise ArgumentError(f"truncate must be a finite number, not {reach!r}")
            r = int(r)
        if not isinstance(r, numbers.Integral) or isinstance(r, bool) or r < 0:
            raise ArgumentError("Radius must be a nonnegative integer.")
        found.append(Axis(axis, s, arrays.whole(o, "order"), m, min(int(r), 1 << 40)))
    return found


def output_of(output: Any, array: NDArray[Any]) -> NDArray[Any]:
    """SciPy's rules for `output`: an array, a type, a name of one, or None."""
    is_complex = array.dtype.kind == "c"
    if output is None:
        return np.zeros(array.shape, np.promote_types(array.dtype, np.complex64) if is_complex else array.dtype.newbyteorder("="))
    if isinstance(output, (type, np.dtype)):
        dtype = np.dtype(output)
        if is_complex and dtype.kind != "c":
            warnings.warn("promoting specified output dtype to complex", stacklevel=3)
            dtype = np.promote_types(dtype, np.complex64)
        return np.zeros(array.shape, _numeric(dtype))
    if isinstance(output, str):
        dtype = np.dtype(output)
        if is_complex and dtype.kind != "c":
            raise FilterError("output must have complex dtype")
        return np.zeros(array.shape, _numeric(dtype))
    out = np.asarray(output)
    if out.shape != array.shape:
        raise FilterError(f"output shape not correct: {out.shape} for an input of shape {array.shape}")
    if is_complex and out.dtype.kind != "c":
        raise FilterError("output must have complex dtype")
    _numeric(out.dtype)
    if not out.flags.writeable:
        raise ArgumentError("output is read-only")
    return out


class _OutputDtypeError(FilterError, TypeError):
    """An element type that a result cannot have."""


def _numeric(dtype: np.dtype[Any]) -> np.dtype[Any]:
    if dtype.kind not in "biufc":
        raise _OutputDtypeError(f"output must have numeric dtype, not {dtype}")
    return dtype


def input_of(input: ArrayLike) -> NDArray[Any]:
    array = np.asarray(input)
    if array.dtype.kind not in "biufc":
        if array.dtype.kind != "O":
            raise DtypeError(f"input has elements of {array.dtype}, which are no numbers")
        array = arrays.as_array(array, "input")  # objects that are numbers
    return array


def options_of(cval: Any, mask: ArrayLike | None, nan: str | None, fill: Any, exact: bool, sampling: str, precision: str | None,
             memory: Any, progress: Progress) -> Options:
    return Options(
        cval, None if mask is None else np.asarray(arrays.as_array(mask, "mask")), nan,
        None if fill is None else arrays.number(fill, "fill"), bool(exact), sampling, precision,
        0 if memory is None else arrays.whole(memory, "memory"), progress)
