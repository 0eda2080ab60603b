"""Gaussian grids: stencils of weights in one to four dimensions, by sampling, integral or recipe."""
from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isogram import arrays
from isogram._native import ffi, lib, text
from isogram.base_operator import choose
from isogram.devices import Context, current, precision_of
from isogram.errors import ArgumentError, ShapeError

_MOST_AXES: int = lib.ISG_GRID_MAX_NDIM
_SAMPLINGS = {text(lib.isg_sampling_name(code)): code for code in
              (lib.ISG_SAMPLING_POINT, lib.ISG_SAMPLING_INTEGRATED, lib.ISG_SAMPLING_DELTA, lib.ISG_SAMPLING_BESSEL)}
_NORMALIZES = {text(lib.isg_normalize_name(code)): code for code in
               (lib.ISG_NORMALIZE_SUM, lib.ISG_NORMALIZE_NONE, lib.ISG_NORMALIZE_MAX, lib.ISG_NORMALIZE_DENSITY)}


@dataclass(frozen=True)
class Recipe:
    """A way of making a grid that people paste; ``gaussian_grid(like=name)`` makes the same."""

    name: str
    summary: str
    warning: str  #: why one should not use it; "" where there is no reason


class RecipeWarning(UserWarning):
    """A recipe does something else than those who use it think."""


@lru_cache(maxsize=None)
def grid_recipes() -> tuple[Recipe, ...]:
    """All recipes that ``gaussian_grid`` takes as ``like``.

    Examples
    --------
    >>> import isogram
    >>> "gkern" in [recipe.name for recipe in isogram.grid_recipes()]
    True
    """
    found = []
    listed = lib.isg_grid_recipes()
    while listed.name != ffi.NULL:
        found.append(Recipe(text(listed.name), text(listed.summary), text(listed.warning)))
        listed = listed + 1
    return tuple(found)


def _each(value: Any, name: str, count: int, whole: bool = False) -> list[Any]:
    """A number, for all axes, or one for each of them; a single one stands alone."""
    take = arrays.whole if whole else arrays.number
    if not isinstance(value, str) and np.iterable(value):
        values = [take(v, name) for v in value]
        if len(values) != count:
            raise ShapeError(f"{name} must be one number or one for each of {count} axes, not {len(values)}")
        return values
    return [take(value, name)] * count


def _axis_count(size: Any, sigma: Any, ndim: Any, covariance: Any, wave: Any) -> int:
    given = {len(list(v)) for v in (size, sigma, covariance, wave) if v is not None and not isinstance(v, str) and np.iterable(v)}
    if ndim is not None:
        given.add(arrays.whole(ndim, "ndim"))
    if len(given) > 1:
        raise ShapeError(f"ndim, and the lengths of size, sigma, covariance and wave, differ: {sorted(given)}")
    count = given.pop() if given else 2
    if not 1 <= count <= _MOST_AXES:
        raise ShapeError(f"a grid has 1 to {_MOST_AXES} axes, not {count}")
    return count


def _params(size: Any, sigma: Any, ndim: Any, extent: Any, sampling: str | None, normalize: str | None, like: str | None, nsig: Any,
            covariance: ArrayLike | None, angle: Any, order: Any, wavelength: Any, frequency: Any, wave: Any, phase: Any,
            quadrature: bool, bandwidth: Any, gamma: Any, precision: str | None) -> tuple[Any, Any]:
    """The library's parameters, and what must live as long."""
    params = ffi.new("isg_grid_params *")
    alive = None
    count = _axis_count(size, sigma, ndim, covariance, wave)
    params.ndim = count
    if like is not None:
        recipe = next((r for r in grid_recipes() if r.name == like), None)
        if recipe is None:
            raise ArgumentError(f"like must be one of {', '.join(repr(r.name) for r in grid_recipes())}, not {like!r}")
        if recipe.warning:
            warnings.warn(f"{recipe.name}: {recipe.warning}", RecipeWarning, stacklevel=3)
        params.like = alive = ffi.new("char[]", like.encode())
    for value, field, whole in ((size, "size", True), (sigma, "sigma", False), (order, "order", True)):
        if value is not None:
            for axis, one in enumerate(_each(value, field, count, whole)):
                if field != "order" and not one > 0:
                    raise ArgumentError(f"{field} must be positive, not {one!r}")
                getattr(params, field)[axis] = one
    if extent is not None:
        pairs = np.broadcast_to(np.asarray(arrays.as_array(extent, "extent"), np.float64), (count, 2))
        for axis in range(count):
            getattr(params, "from")[axis], params.to[axis] = pairs[axis]
    if sampling is not None:
        params.sampling = choose(_SAMPLINGS, sampling, "sampling")
    if normalize is not None:
        params.normalize = choose(_NORMALIZES, normalize, "normalize")
    if covariance is not None:
        matrix = np.asarray(arrays.as_array(covariance, "covariance"), np.float64)
        if matrix.shape != (count, count) or count > 3:
            raise ShapeError(f"covariance must be a square matrix of 1 to 3 rows, not of shape {matrix.shape}")
        for i, element in enumerate(matrix.flat):
            params.covariance[i] = element
    if wave is not None:
        for axis, one in enumerate(_each(wave, "wave", count)):
            if axis >= 3:
                raise ShapeError("a wave is a vector of 1 to 3 axes")
            params.wave[axis] = one
    for name, value in (("nsig", nsig), ("angle", angle), ("wavelength", wavelength), ("frequency", frequency), ("phase", phase),
                        ("bandwidth", bandwidth), ("gamma", gamma)):
        if value is not None:
            setattr(params, name, arrays.number(value, name))
    params.quadrature = bool(quadrature)
    params.precision = precision_of(precision)
    return params, alive


class _Grid:
    """An isg_grid, for as long as a call takes."""

    def __init__(self, params: Any) -> None:
        self.context: Context = current()
        self.out = ffi.new("isg_grid **")
        self.context.keep(self.out, lib.isg_grid_destroy)
        self.context.call(lib.isg_grid_create, self.context.handle, self.out, params)

    def __enter__(self) -> _Grid:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.drop(self.out)

    @property
    def shape(self) -> tuple[int, ...]:
        sizes = ffi.new("int64_t[]", _MOST_AXES)
        count = lib.isg_grid_shape(self.out[0], sizes)
        return tuple(sizes[axis] for axis in range(count))


def gaussian_grid(size: int | Sequence[int] | None = None, sigma: Any = None, *, ndim: int | None = None, extent: ArrayLike | None = None,
                  sampling: str | None = None, normalize: str | None = None, like: str | None = None, nsig: float | None = None,
                  covariance: ArrayLike | None = None, angle: float | None = None, order: int | Sequence[int] | None = None,
                  wavelength: float | None = None, frequency: float | None = None, wave: Sequence[float] | None = None,
                  phase: float | None = None, quadrature: bool = False, bandwidth: float | None = None, gamma: float | None = None,
                  precision: str | None = None, out: NDArray[Any] | None = None) -> NDArray[Any]:
    """A grid of Gaussian weights, of a rotated Gaussian, of derivatives of one, or a Gabor function.

    Parameters
    ----------
    size : int or sequence of int
        Samples along each axis; a single number for all of ``ndim`` axes. May be left out where a recipe has one.
    sigma : float or sequence of float
        In samples; with an angle, ``sigma[1]`` along the rotated columns and ``sigma[0]`` across.
    ndim : int, optional
        1 to 4. None: as many as size, sigma, covariance or wave have, else 2.
    extent : (2,) or (ndim, 2) array_like, optional
        Coordinates of the first and last sample, or with "integrated" of the outer edges. None: around 0, a step of 1.
    sampling : {"point", "integrated", "delta", "bessel"}, optional
        How the continuous Gaussian becomes weights: its value; its integral over a sample's cell; what a filter makes of a
        single 1; the discrete analogue of [1]_. None: "point", or the recipe's.
    normalize : {"sum", "none", "max", "density"}, optional
        What is 1: the sum, nothing, the largest weight, the integral. None: "sum", or the recipe's.
    like : str, optional
        One of ``grid_recipes()``. What is given beside it counts.
    nsig : float, optional
        Half the width in sigmas, of the recipes gkern and gkern-sqrt.
    covariance : (ndim, ndim) array_like, optional
        Of the samples' coordinates, in place of sigma; up to three axes.
    angle : float, optional
        In degrees, of two axes: from columns towards rows.
    order : int or sequence of int, optional
        Of the derivative along each axis, 0 to 4.
    wavelength, frequency : float, optional
        Of a Gabor function, in samples, or cycles per sample.
    wave : sequence of float, optional
        In place of these: cycles per sample along each axis.
    phase : float, optional
        In degrees.
    quadrature : bool
        The sine in place of the cosine.
    bandwidth : float, optional
        In octaves, in place of sigma.
    gamma : float, optional
        The sigma along the wave over that across it.
    precision : {"f32", "f64"}, optional
        Of the grid; weights are computed in double. None: "f64" where the device has it.
    out : ndarray, optional
        Where the grid goes; of its shape and dtype.

    Returns
    -------
    ndarray

    Raises
    ------
    ArgumentError, ShapeError, DtypeError
    NoDevice, Unsupported, ForkError

    Warns
    -----
    RecipeWarning
        The recipe does something else than those who use it think.

    References
    ----------
    .. [1] T. Lindeberg, "Scale-space for discrete signals", IEEE PAMI 12 (1990), 234-254.

    Examples
    --------
    >>> import isogram
    >>> isogram.gaussian_grid(3, 1.0).round(4)
    array([[0.0751, 0.1238, 0.0751],
           [0.1238, 0.2042, 0.1238],
           [0.0751, 0.1238, 0.0751]])
    """
    params, alive = _params(size, sigma, ndim, extent, sampling, normalize, like, nsig, covariance, angle, order, wavelength,
                            frequency, wave, phase, quadrature, bandwidth, gamma, precision)
    with _Grid(params) as grid:
        dtype = arrays.FLOAT32 if lib.isg_grid_dtype(grid.out[0]) == lib.ISG_F32 else arrays.FLOAT64
        to: NDArray[Any] = arrays.output(out, grid.shape, dtype)
        made = to if isinstance(to, np.ndarray) and to.flags.c_contiguous else np.empty(grid.shape, dtype)
        grid.context.call(lib.isg_grid_fill, grid.out[0], arrays.view(made, "out"))
    if made is not to:
        to[...] = made
    del alive
    return to


def gaussian_profiles(size: int | Sequence[int] | None = None, sigma: Any = None, *, ndim: int | None = None,
                      extent: ArrayLike | None = None, sampling: str | None = None, normalize: str | None = None,
                      like: str | None = None, nsig: float | None = None) -> tuple[NDArray[np.float64], ...]:
    """The weights along each axis whose outer product is ``gaussian_grid`` of the same arguments.

    Parameters
    ----------
    size, sigma, ndim, extent, sampling, normalize, like, nsig
        As of `gaussian_grid`.

    Returns
    -------
    tuple of ndarray
        A vector of doubles for each axis.

    Examples
    --------
    >>> import isogram
    >>> isogram.gaussian_profiles(3, 1.0)[0].round(4)
    array([0.2741, 0.4519, 0.2741])
    """
    params, alive = _params(size, sigma, ndim, extent, sampling, normalize, like, nsig, None, None, None, None, None, None, None, False,
                            None, None, None)
    with _Grid(params) as grid:
        lines = []
        for axis, length in enumerate(grid.shape):
            profile = lib.isg_grid_profile(grid.out[0], axis)
            assert profile != ffi.NULL  # it is a product
            lines.append(np.frombuffer(ffi.buffer(profile, 8 * length), np.float64).copy())
    del alive
    return tuple(lines)
