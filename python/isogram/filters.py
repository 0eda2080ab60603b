"""Gaussian filters by SciPy's names, with SciPy's arguments and its rules for outputs.

``gaussian_filter``, ``gaussian_filter1d``, ``gaussian_laplace`` and ``gaussian_gradient_magnitude`` take what those of
``scipy.ndimage`` take. What is different is said here once:

- Results have the same bits on every device. float64 arrays, and integers of 32 bits and more, are computed in double
  precision, and so is everything that goes to a float64 output; all else in single precision.
- Whole numbers are rounded once, at the end, to the nearest and within their range, also where several filters make a
  result; SciPy cuts fractions off after every axis and every part.
- float16 is filtered, and orders of derivatives go up to 4. A negative sigma is refused.
- Masks and elements that are no number: ``mask``, ``nan`` and ``fill``.
"""
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isogram import arrays
from isogram._native import ffi, lib, text
from isogram.base_operator import choose
from isogram.devices import current, precision_of
from isogram.errors import ArgumentError, ShapeError
from isogram.filter_arguments import Axis, FilterError, Options, input_of, options_of, output_of, resolve
from isogram.progress import Progress

__all__ = ["FilterError", "gaussian_filter", "gaussian_filter1d", "gaussian_gradient_magnitude", "gaussian_laplace"]

#: What the library filters as it is.
_TAKEN = frozenset(np.dtype(t) for t in (np.uint8, np.uint16, np.int16, np.int32, np.float16, np.float32, np.float64))
#: What goes through another type that holds all its values; what is in neither goes through float64, as in SciPy.
_THROUGH: dict[np.dtype[Any], np.dtype[Any]] = {np.dtype(np.bool_): np.dtype(np.uint8), np.dtype(np.int8): np.dtype(np.int16)}
_MOST_AXES: int = lib.ISG_FILTER_MAX_NDIM
_LEAST_SIGMA = 1e-15  # an axis of this sigma or less is left as it is, by SciPy and the library alike
_SAMPLINGS = {text(lib.isg_sampling_name(code)): code
              for code in (lib.ISG_SAMPLING_POINT, lib.ISG_SAMPLING_INTEGRATED, lib.ISG_SAMPLING_BESSEL)}
_POLICIES = {text(lib.isg_nan_policy_name(code)): code
             for code in (lib.ISG_NAN_PROPAGATE, lib.ISG_NAN_IGNORE, lib.ISG_NAN_PRESERVE, lib.ISG_NAN_FILL)}


# ---- one real array into another


def _given(array: NDArray[Any]) -> NDArray[Any]:
    """The same numbers, as the library takes them; without a copy where it takes them as they are."""
    array = arrays.as_native(array)
    if array.dtype in _TAKEN:
        return array
    if array.dtype == np.bool_:
        return array.view(np.uint8)
    return array.astype(_THROUGH.get(array.dtype, arrays.FLOAT64))


def _same_view(a: NDArray[Any], b: NDArray[Any]) -> bool:
    return (a.dtype == b.dtype and a.shape == b.shape and a.strides == b.strides
            and a.__array_interface__["data"][0] == b.__array_interface__["data"][0])


def _store(made: NDArray[Any], out: NDArray[Any]) -> None:
    """Into an array of any real type: to the nearest whole number, within its range, NaN as 0, as the library does it."""
    if out.dtype == np.bool_:
        np.not_equal(made, 0, out=out)
    elif out.dtype.kind in "iu":
        if made.dtype.kind == "f":
            made = np.nan_to_num(np.rint(made), nan=0.0, posinf=np.inf, neginf=-np.inf)
        info = np.iinfo(out.dtype)
        low, high = made <= info.min, made >= info.max  # the bounds themselves need not be numbers of made's type
        with np.errstate(invalid="ignore"):
            np.copyto(out, made, casting="unsafe")
        out[low], out[high] = info.min, info.max
    else:
        np.copyto(out, made, casting="unsafe")


def _into(array: NDArray[Any], out: NDArray[Any], compute: Callable[[NDArray[Any], NDArray[Any], list[Axis], Options], None],
          axes: list[Axis], options: Options) -> None:
    """Real `array` through `compute` into real `out`, each of any type, which may share memory."""
    given = _given(array)
    dtype = out.dtype if out.dtype in _TAKEN else _THROUGH.get(out.dtype, arrays.FLOAT64)
    direct = out.dtype == dtype and arrays.as_native(out) is out
    made = out if direct else np.empty(out.shape, dtype)
    if direct and np.may_share_memory(given, made) and not _same_view(given, made):
        given = given.copy()
    mask = options.mask
    if mask is not None and np.may_share_memory(mask, made):
        mask = mask.copy()
    if options.precision is None:
        precision = "f64" if arrays.FLOAT64 in (given.dtype, made.dtype) or given.dtype == np.int32 else "f32"
    else:
        precision = options.precision
    options = replace(options, mask=mask, precision=precision)
    if given.ndim <= _MOST_AXES:
        compute(given, made, axes, options)
    else:
        _by_parts(given, made, compute, axes, options)
    if made is not out:
        _store(made, out)


def _by_parts(given: NDArray[Any], made: NDArray[Any], compute: Callable[..., None], axes: list[Axis], options: Options) -> None:
    """Arrays of more dimensions than the library takes: part by part along axes that are not filtered."""
    filtered = sorted(a.axis for a in axes)
    if len(filtered) > _MOST_AXES:
        raise ShapeError(f"{len(filtered)} axes to filter; there can be {_MOST_AXES} at once")
    others = [a for a in range(given.ndim) if a not in filtered]
    turn = others + filtered
    loop = given.ndim - _MOST_AXES
    moved = [replace(a, axis=turn.index(a.axis) - loop) for a in axes]
    given, made = given.transpose(turn), made.transpose(turn)
    mask = None if options.mask is None else np.broadcast_to(options.mask, [given.shape[turn.index(a)] for a in range(given.ndim)])
    mask = None if mask is None else mask.transpose(turn)
    for place in np.ndindex(given.shape[:loop]):
        part = options if mask is None else replace(options, mask=mask[place])
        compute(given[place], made[place], moved, part)


def _fill_params(to: Any, axes: list[Axis], options: Options) -> None:
    """The library's parameters; the mask and the watch of options must live as long as they do."""
    axes = [a for a in axes if a.sigma > _LEAST_SIGMA] or [Axis(0, 0.0, 0, "reflect", 0)]
    to.axis_count, to.each = len(axes), 1
    for i, a in enumerate(axes):
        to.axes[i], to.sigma[i], to.order[i], to.radius[i] = a.axis, a.sigma, a.order, a.radius
        to.mode[i] = lib.isg_mode_named(a.mode.encode())
    # Every radius is told, but to the library 0 means by sigma and truncate: with this one these are 0, too.
    to.truncate = math.ulp(0.0)
    to.constant = options.cval
    to.exact = bool(options.exact)
    to.sampling = choose(_SAMPLINGS, options.sampling, "sampling")
    to.precision = precision_of(options.precision)
    to.memory = options.memory
    to.progress, to.progress_user = lib.isg_watch_progress, options.watch.struct
    policy = options.nan
    if policy is not None:
        to.nan = choose(_POLICIES, policy, "nan")
    if options.fill is not None:
        if policy == "propagate" or (policy is None and options.mask is None):
            raise ArgumentError("fill says what takes the place of elements that are not valid: with a mask, or beside nan='fill', "
                                "'ignore' or 'preserve'")
        to.fill = options.fill
        to.fills_nothing = policy != "fill"
    elif policy == "fill":
        raise ArgumentError("nan='fill' needs fill, the number that takes the place")
    if options.mask is not None:
        to.mask = arrays.view(options.mask, "mask")


def _smooth(given: NDArray[Any], made: NDArray[Any], axes: list[Axis], options: Options) -> None:
    """isg_filter."""
    params = ffi.new("isg_filter_params *")
    _fill_params(params, axes, options)
    context = current()
    context.call(lib.isg_filter, context.handle, arrays.view(given, "input"), arrays.view(made, "output"), params,
                 watch=options.watch, progress=options.progress, what="filter")


def _derived(which: int) -> Callable[[NDArray[Any], NDArray[Any], list[Axis], Options], None]:
    """isg_filter_derived."""

    def compute(given: NDArray[Any], made: NDArray[Any], axes: list[Axis], options: Options) -> None:
        params = ffi.new("isg_derived_params *")
        _fill_params(ffi.addressof(params, "filter"), axes, options)
        out = ffi.new("isg_array *", arrays.view(made, "output"))
        context = current()
        context.call(lib.isg_filter_derived, context.handle, which, arrays.view(given, "input"), out, 1, params,
                     watch=options.watch, progress=options.progress, what="filter")

    return compute


def _run(array: NDArray[Any], out: NDArray[Any], compute: Callable[..., None], axes: list[Axis], options: Options) -> NDArray[Any]:
    """Real and imaginary parts each by themselves, as `compute` is linear where they are."""
    if array.size == 0:
        return out
    if array.ndim == 0 or not axes:
        _copy(array, out)
        return out
    cval = options.cval
    if array.dtype.kind == "c":
        _into(array.real, out.real, compute, axes, replace(options, cval=arrays.number(np.real(cval), "cval")))
        _into(array.imag, out.imag, compute, axes, replace(options, cval=arrays.number(np.imag(cval), "cval")))
    else:
        real = replace(options, cval=arrays.number(cval, "cval"))
        _into(array, out.real if out.dtype.kind == "c" else out, compute, axes, real)
        if out.dtype.kind == "c":
            out.imag = 0
    return out


def _copy(array: NDArray[Any], out: NDArray[Any]) -> None:
    if out.dtype.kind in "biu" and out.ndim:
        _store(array, out)
    else:
        out[...] = np.rint(array) if out.dtype.kind in "iu" and array.dtype.kind == "f" else array


# ---- scipy.ndimage's names


def gaussian_filter(input: ArrayLike, sigma: Any, order: Any = 0, output: Any = None, mode: str | Sequence[str] = "reflect",
                    cval: Any = 0.0, truncate: Any = 4.0, *, radius: Any = None, axes: Any = None, mask: ArrayLike | None = None,
                    nan: str | None = None, fill: Any = None, exact: bool = False, sampling: str = "point",
                    precision: str | None = None, memory: Any = None, progress: Progress = None) -> NDArray[Any]:
    """Gaussian smoothing, and derivatives, along the axes of an array: ``scipy.ndimage.gaussian_filter``.

    Parameters
    ----------
    input : array_like
        Numbers of any type and strides; complex ones part by part. Arrays that the library takes as they are (uint8,
        uint16, int16, int32, float16, float32, float64, bool) are not copied.
    sigma : float or sequence of float
        In samples, for all axes or one for each. An axis with sigma 0 is left as it is.
    order : int or sequence of int
        0 smooths; 1 to 4: that derivative of the Gaussian.
    output : array, dtype or str, optional
        Where the result goes, or its type; None: the input's type. May be the input itself.
    mode : {"reflect", "mirror", "nearest", "constant", "wrap", "grid-mirror", "grid-constant", "grid-wrap"} or sequence
        What stands beyond the border.
    cval : float
        What ``"constant"`` puts there.
    truncate : float
        Where the filter ends, in sigmas.
    radius : int or sequence of int, optional
        Where it ends, in samples; ``truncate`` does not count then.
    axes : int or tuple of int, optional
        The axes to filter, at most four; None: all of them. Sequences above have one element for each of these, in their
        order.
    mask : array_like, optional
        0 and NaN rule an element out. Its axes are the input's last ones, each as long or of length 1.
    nan : {"propagate", "ignore", "preserve", "fill"}, optional
        Of elements that are NaN or ruled out: they make NaN of what the filter reaches; they are left out of weighted means
        of the others; likewise, but they themselves stay; ``fill`` takes their place. None: "propagate", with a mask
        "ignore".
    fill : float, optional
        Beside ``"fill"`` what takes the place of elements, beside ``"ignore"`` and ``"preserve"`` what a result becomes that
        would be NaN.
    exact : bool
        Weights of derivatives give polynomials' derivatives exactly.
    sampling : {"point", "integrated", "bessel"}
        How the continuous Gaussian becomes weights; derivatives take "point".
    precision : {"f32", "f64"}, optional
        Of the arithmetic; None: as the module says.
    memory : int, optional
        Bytes of device memory to use at most; larger arrays are filtered in blocks, with the same bits.
    progress : callable or bool, optional
        See `isogram.progress.Progress`.

    Returns
    -------
    ndarray
        Of the input's shape.

    Raises
    ------
    ArgumentError, ShapeError, DtypeError
        A parameter out of its range; more than four axes; what is no number. FilterError, which is both a ValueError and a
        RuntimeError, where SciPy raises the latter: an unknown mode, a sequence of a wrong length, an output of a wrong
        shape.
    NoDevice, Unsupported, ForkError

    Notes
    -----
    Weights are those of [1]_, exp(-x^2/(2 sigma^2)) at whole x from -radius to radius, divided by their sum.

    References
    ----------
    .. [1] SciPy, ``scipy.ndimage.gaussian_filter``.

    Examples
    --------
    >>> import numpy as np, isogram
    >>> isogram.gaussian_filter(np.array([0.0, 0, 9, 0, 0]), 1).round(3)
    array([0.526, 2.181, 3.586, 2.181, 0.526])
    """
    array = input_of(input)
    out = output_of(output, array)
    resolved = resolve(array.ndim, sigma, order, mode, truncate, radius, axes)
    return _run(array, out, _smooth, resolved, options_of(cval, mask, nan, fill, exact, sampling, precision, memory, progress))


def gaussian_filter1d(input: ArrayLike, sigma: Any, axis: int = -1, order: int = 0, output: Any = None, mode: str = "reflect",
                      cval: Any = 0.0, truncate: Any = 4.0, *, radius: Any = None, **extras: Any) -> NDArray[Any]:
    """Gaussian smoothing, or a derivative, along one axis: ``scipy.ndimage.gaussian_filter1d``.

    Parameters
    ----------
    input : array_like
    sigma : float
        In samples.
    axis : int
        Along which.
    order, output, mode, cval, truncate, radius
        As of `gaussian_filter`.
    **extras
        mask, nan, fill, exact, sampling, precision, memory, progress: as of `gaussian_filter`.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> import numpy as np, isogram
    >>> isogram.gaussian_filter1d([1.0, 2.0, 3.0, 4.0, 5.0], 1).round(3)
    array([1.427, 2.068, 3.   , 3.932, 4.573])
    """
    return gaussian_filter(input, arrays.number(sigma, "sigma"), order, output, mode, cval, truncate, radius=radius, axes=(axis,),
                           **extras)


def gaussian_laplace(input: ArrayLike, sigma: Any, output: Any = None, mode: str | Sequence[str] = "reflect", cval: Any = 0.0, *,
                     axes: Any = None, truncate: Any = 4.0, radius: Any = None, **extras: Any) -> NDArray[Any]:
    """The sum of second derivatives of the smoothed array: ``scipy.ndimage.gaussian_laplace``.

    Parameters
    ----------
    input : array_like
    sigma : float or sequence of float
        In samples.
    output, mode, cval, axes, truncate, radius
        As of `gaussian_filter`.
    **extras
        mask, nan, fill, exact, sampling, precision, memory, progress: as of `gaussian_filter`; of ``nan`` "ignore" and
        "preserve" are refused, for a weighted mean has no derivative.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> import numpy as np, isogram
    >>> isogram.gaussian_laplace(np.arange(6.0) ** 2, 1.0, mode="nearest").round(3)[2:4]
    array([1.853, 1.743])
    """
    array = input_of(input)
    out = output_of(output, array)
    return _of_derivatives(array, out, lib.ISG_DERIVED_LAPLACIAN, sigma, mode, cval, axes, truncate, radius, extras)


def gaussian_gradient_magnitude(input: ArrayLike, sigma: Any, output: Any = None, mode: str | Sequence[str] = "reflect",
                                cval: Any = 0.0, *, axes: Any = None, truncate: Any = 4.0, radius: Any = None,
                                **extras: Any) -> NDArray[Any]:
    """The length of the smoothed array's gradient: ``scipy.ndimage.gaussian_gradient_magnitude``.

    Parameters
    ----------
    input : array_like
    sigma : float or sequence of float
        In samples.
    output, mode, cval, axes, truncate, radius
        As of `gaussian_filter`.
    **extras
        mask, nan, fill, exact, sampling, precision, memory, progress: as of `gaussian_filter`; of ``nan`` "ignore" and
        "preserve" are refused, for a weighted mean has no derivative.

    Returns
    -------
    ndarray

    Notes
    -----
    Of complex arrays it is the root of the sum of squares, a complex number, as in SciPy.

    Examples
    --------
    >>> import numpy as np, isogram
    >>> isogram.gaussian_gradient_magnitude(np.arange(9.0), 1.0).round(3)[4]
    1.0
    """
    array = input_of(input)
    out = output_of(output, array)
    return _of_derivatives(array, out, lib.ISG_DERIVED_GRADIENT_MAGNITUDE, sigma, mode, cval, axes, truncate, radius, extras)


def _of_derivatives(array: NDArray[Any], out: NDArray[Any], which: int, sigma: Any, mode: Any, cval: Any, axes: Any, truncate: Any,
                    radius: Any, extras: dict[str, Any]) -> NDArray[Any]:
    names = ("mask", "nan", "fill", "exact", "sampling", "precision", "memory", "progress")
    for name in extras:
        if name not in names:
            raise TypeError(f"got an unexpected keyword argument {name!r}")
    defaults: dict[str, Any] = dict.fromkeys(names) | {"exact": False, "sampling": "point"}
    options = options_of(cval, **(defaults | extras))
    resolved = resolve(array.ndim, sigma, 0, mode, truncate, radius, axes)
    squares = which == lib.ISG_DERIVED_GRADIENT_MAGNITUDE
    if len({a.mode for a in resolved}) < 2 and not (squares and array.dtype.kind == "c"):
        return _run(array, out, _derived(which), resolved, options)
    return _composed(array, out, squares, resolved, options)


def _composed(array: NDArray[Any], out: NDArray[Any], squares: bool, axes: list[Axis], options: Options) -> NDArray[Any]:
    """As SciPy composes it: with modes of different axes, each part has the mode of its derivative's axis throughout."""
    singles = (np.float16, np.float32, np.complex64)
    double = options.precision == "f64" or array.dtype not in singles or out.dtype not in singles
    dtype = np.promote_types(np.float64 if double else np.float32, np.complex64 if array.dtype.kind == "c" else np.float32)
    total: NDArray[Any] = np.zeros(array.shape, dtype)
    part: NDArray[Any] = np.empty(array.shape, dtype)
    for own in axes:
        orders = [replace(a, order=(1 if squares else 2) if a is own else 0, mode=own.mode) for a in axes]
        _run(array, part, _smooth, orders, options)
        total += part * part if squares else part
    if squares:
        np.sqrt(total, out=total)
    if out.dtype.kind == "c":
        out[...] = total
    else:
        _store(total, out)
    return out
