"""scikit-learn's functions of pairs of points, with its names, arguments, defaults and types.

``rbf_kernel``, ``laplacian_kernel``, ``polynomial_kernel``, ``sigmoid_kernel``, ``linear_kernel``, ``cosine_similarity``,
``chi2_kernel``, ``additive_chi2_kernel``, ``euclidean_distances``, ``manhattan_distances``, ``pairwise_kernels``, and a
function ``NAME_kernel`` for every further row of ``isogram.kernels()``. What is different from ``sklearn.metrics.pairwise``:

- Distances are sums of squared differences, so they keep their digits far from the origin; K(X, X) is exactly symmetric, and
  its diagonal is exact. Norms that were computed beforehand are not used.
- The result has the same bits on every device.
- Sparse matrices are made dense first.
- Whole powers only: ``degree`` is 1 to 100.

float32 points give float32 results (scikit-learn's Manhattan distances, and what is made of them, are float64), all else
float64. NaN and infinity are refused, and the message names row and column.
"""
from __future__ import annotations

import inspect
import sys
import warnings
from collections.abc import Callable, Generator
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isogram import arrays
from isogram.errors import ArgumentError, DtypeError, NonfiniteError, ShapeError
from isogram.gram import Gram
from isogram.kernels import Kernel, kernel as find_kernel, kernels
from isogram.progress import Progress

_SCALES = {"gamma": ("gamma", "sigma", "lengthscale"), "rate": ("gamma",), "lengthscale": ("gamma", "sigma", "lengthscale"), "none": ()}
_WORKING_MEMORY_MIB = 1024.0  # scikit-learn's default


# ---- points


def _is_sparse(points: Any) -> bool:
    return hasattr(points, "toarray") and hasattr(points, "nnz")


def _dense(points: Any) -> Any:
    return points.toarray() if _is_sparse(points) else points


class SparseError(DtypeError, ValueError):
    """A sparse matrix where dense points are needed; scikit-learn raises the one or the other."""


def _refuse_sparse(X: Any, Y: Any, kernel: str) -> None:
    """As scikit-learn's, kernels of histograms take no sparse matrices."""
    row = find_kernel(kernel)
    for name, points in (("X", X), ("Y", Y)):
        if row is not None and row.pair == "chi2" and _is_sparse(points):
            raise SparseError(f"Sparse data was passed for {name}, but dense data is required. Use '.toarray()' to convert to a dense "
                              "numpy array.")


def _points(X: Any, Y: Any) -> tuple[Any, Any]:
    """Dense points; Y is None for K(X, X)."""
    return _dense(X), None if Y is None or Y is X else _dense(Y)


def _checked(points: Any, name: str, dtype: Any = None) -> NDArray[Any]:
    """Points as an array of numbers that are finite, where no operator looks at them."""
    found = np.asarray(arrays.as_points(points, name))
    if found.dtype.kind == "f":
        bad = np.argwhere(~np.isfinite(found))
        if len(bad):
            row, column = bad[0]
            raise NonfiniteError(f"Input {name} contains NaN or infinity: {found[row, column]} in row {row}, column {column}")
    return found.astype(dtype or arrays.result_dtype(found), copy=False)


# ---- from a kernel to its matrix


def _matrix(X: Any, Y: Any, kernel: str, out: Any, progress: Progress, **scale_and_parameters: Any) -> Any:
    _refuse_sparse(X, Y, kernel)
    X, Y = _points(X, Y)
    given = {name: value for name, value in scale_and_parameters.items() if value is not None}
    with Gram(X, Y, kernel, progress=progress, **given) as K:
        return K.dense(out)


def _flat_or_matrix(X: Any, Y: Any, kernel: str, gamma: Any, out: Any, progress: Progress, **others: Any) -> Any:
    """As _matrix; gamma may be 0, where all pairs have the value of two points at the origin."""
    if gamma is None or arrays.number(gamma, "gamma") != 0:
        return _matrix(X, Y, kernel, out, progress, gamma=gamma, **others)
    X, Y = _points(X, Y)
    x = _checked(X, "X")
    y = x if Y is None else _checked(Y, "Y")
    if x.shape[1] != y.shape[1]:
        raise ShapeError(f"X has {x.shape[1]} columns and Y {y.shape[1]}")
    dtype = arrays.result_dtype(x, y)
    to = arrays.output(out, (len(x), len(y)), dtype)
    with Gram(np.zeros((1, 1), dtype), kernel=kernel, gamma=1.0, **others) as origin:
        to[...] = origin[0, 0]
    return to


def _maybe_sparse(X: Any, Y: Any, kernel: str, dense_output: bool, out: Any, progress: Progress) -> Any:
    """dense_output=False: sparse where both sets of points are."""
    K = _matrix(X, Y, kernel, out, progress)
    if dense_output or not _is_sparse(X) or not (Y is None or _is_sparse(Y)):
        return K
    from scipy import sparse

    as_array = isinstance(X, getattr(sparse, "sparray", ()))
    return (sparse.csr_array if as_array else sparse.csr_matrix)(K)


# ---- scikit-learn's names


def rbf_kernel(X: Any, Y: Any = None, gamma: Any = None, *, sigma: Any = None, lengthscale: Any = None, out: Any = None,
               progress: Progress = None) -> Any:
    """The Gaussian kernel exp(-gamma |x - y|^2): ``sklearn.metrics.pairwise.rbf_kernel``.

    Parameters
    ----------
    X : (n, d) array_like or sparse matrix
        Points. float32 makes for single precision; everything else counts as float64.
    Y : (m, d) array_like or sparse matrix, optional
        None: X.
    gamma : float, optional
        In 1/units of X squared, not negative. None: 1/d.
    sigma, lengthscale : float, optional
        In place of gamma = 1/(2 sigma^2) = 1/(2 lengthscale^2); ``lengthscale`` also one for each coordinate.
    out : (n, m) ndarray, optional
        Where K goes, of its dtype.
    progress : callable or bool, optional
        See `isogram.progress.Progress`.

    Returns
    -------
    (n, m) ndarray
        float32 where all points are, else float64.

    Raises
    ------
    ArgumentError, ShapeError, DtypeError, NonfiniteError, RangeError
    NoDevice, Unsupported, ForkError

    Examples
    --------
    >>> import isogram
    >>> isogram.rbf_kernel([[0, 0, 0], [1, 1, 1]], [[1, 0, 0], [1, 1, 0]]).round(2)
    array([[0.72, 0.51],
           [0.51, 0.72]])
    """
    return _flat_or_matrix(X, Y, "rbf", gamma, out, progress, sigma=sigma, lengthscale=lengthscale)


def laplacian_kernel(X: Any, Y: Any = None, gamma: Any = None, *, out: Any = None, progress: Progress = None) -> Any:
    """The Laplacian kernel exp(-gamma sum |x - y|): ``sklearn.metrics.pairwise.laplacian_kernel``.

    Parameters
    ----------
    X : (n, d) array_like or sparse matrix
    Y : (m, d) array_like or sparse matrix, optional
        None: X.
    gamma : float, optional
        Positive. None: 1/d.
    out, progress
        As of `rbf_kernel`.

    Returns
    -------
    (n, m) ndarray

    Examples
    --------
    >>> import isogram
    >>> isogram.laplacian_kernel([[0, 0, 0], [1, 1, 1]], [[1, 0, 0], [1, 1, 0]]).round(2)
    array([[0.72, 0.51],
           [0.51, 0.72]])
    """
    return _matrix(X, Y, "laplacian", out, progress, gamma=gamma)


def polynomial_kernel(X: Any, Y: Any = None, degree: Any = 3, gamma: Any = None, coef0: Any = 1, *, out: Any = None,
                      progress: Progress = None) -> Any:
    """The polynomial kernel (gamma x.y + coef0)^degree: ``sklearn.metrics.pairwise.polynomial_kernel``.

    Parameters
    ----------
    X : (n, d) array_like or sparse matrix
    Y : (m, d) array_like or sparse matrix, optional
        None: X.
    degree : int
        1 to 100.
    gamma : float, optional
        Not negative. None: 1/d.
    coef0 : float
    out, progress
        As of `rbf_kernel`.

    Returns
    -------
    (n, m) ndarray

    Examples
    --------
    >>> import isogram
    >>> isogram.polynomial_kernel([[0, 0, 0], [1, 1, 1]], [[1, 0, 0], [1, 1, 0]], degree=2).round(2)
    array([[1.  , 1.  ],
           [1.78, 2.78]])
    """
    return _flat_or_matrix(X, Y, "polynomial", gamma, out, progress, degree=degree, coef0=coef0)


def sigmoid_kernel(X: Any, Y: Any = None, gamma: Any = None, coef0: Any = 1, *, out: Any = None, progress: Progress = None) -> Any:
    """The sigmoid kernel tanh(gamma x.y + coef0): ``sklearn.metrics.pairwise.sigmoid_kernel``.

    Parameters
    ----------
    X : (n, d) array_like or sparse matrix
    Y : (m, d) array_like or sparse matrix, optional
        None: X.
    gamma : float, optional
        Not negative. None: 1/d.
    coef0 : float
    out, progress
        As of `rbf_kernel`.

    Returns
    -------
    (n, m) ndarray

    Examples
    --------
    >>> import isogram
    >>> isogram.sigmoid_kernel([[0, 0, 0], [1, 1, 1]], [[1, 0, 0], [1, 1, 0]]).round(2)
    array([[0.76, 0.76],
           [0.87, 0.93]])
    """
    return _flat_or_matrix(X, Y, "sigmoid", gamma, out, progress, coef0=coef0)


def linear_kernel(X: Any, Y: Any = None, dense_output: bool = True, *, out: Any = None, progress: Progress = None) -> Any:
    """The products x.y: ``sklearn.metrics.pairwise.linear_kernel``.

    Parameters
    ----------
    X : (n, d) array_like or sparse matrix
    Y : (m, d) array_like or sparse matrix, optional
        None: X.
    dense_output : bool
        False: a sparse matrix where both X and Y are; it is made of a dense one.
    out, progress
        As of `rbf_kernel`.

    Returns
    -------
    (n, m) ndarray or sparse matrix

    Examples
    --------
    >>> import isogram
    >>> isogram.linear_kernel([[0, 0, 0], [1, 1, 1]], [[1, 0, 0], [1, 1, 0]])
    array([[0., 0.],
           [1., 2.]])
    """
    return _maybe_sparse(X, Y, "linear", dense_output, out, progress)


def cosine_similarity(X: Any, Y: Any = None, dense_output: bool = True, *, out: Any = None, progress: Progress = None) -> Any:
    """The cosines x.y/(|x| |y|), 0 where a point is 0: ``sklearn.metrics.pairwise.cosine_similarity``.

    Parameters
    ----------
    X : (n, d) array_like or sparse matrix
    Y : (m, d) array_like or sparse matrix, optional
        None: X.
    dense_output : bool
        False: a sparse matrix where both X and Y are; it is made of a dense one.
    out, progress
        As of `rbf_kernel`.

    Returns
    -------
    (n, m) ndarray or sparse matrix

    Examples
    --------
    >>> import isogram
    >>> isogram.cosine_similarity([[0, 0, 0], [1, 1, 1]], [[1, 0, 0], [1, 1, 0]]).round(3)
    array([[0.   , 0.   ],
           [0.577, 0.816]])
    """
    return _maybe_sparse(X, Y, "cosine", dense_output, out, progress)


def additive_chi2_kernel(X: Any, Y: Any = None, *, out: Any = None, progress: Progress = None) -> Any:
    """-sum (x - y)^2/(x + y), 0/0 being 0: ``sklearn.metrics.pairwise.additive_chi2_kernel``.

    Parameters
    ----------
    X : (n, d) array_like
        Not negative.
    Y : (m, d) array_like, optional
        None: X.
    out, progress
        As of `rbf_kernel`.

    Returns
    -------
    (n, m) ndarray

    Examples
    --------
    >>> import isogram
    >>> isogram.additive_chi2_kernel([[0, 0, 0], [1, 1, 1]], [[1, 0, 0], [1, 1, 0]])
    array([[-1., -2.],
           [-2., -1.]])
    """
    return _matrix(X, Y, "additive_chi2", out, progress)


def chi2_kernel(X: Any, Y: Any = None, gamma: Any = 1.0, *, out: Any = None, progress: Progress = None) -> Any:
    """exp(-gamma sum (x - y)^2/(x + y)), 0/0 being 0: ``sklearn.metrics.pairwise.chi2_kernel``.

    Parameters
    ----------
    X : (n, d) array_like
        Not negative.
    Y : (m, d) array_like, optional
        None: X.
    gamma : float
        Positive.
    out, progress
        As of `rbf_kernel`.

    Returns
    -------
    (n, m) ndarray

    Examples
    --------
    >>> import isogram
    >>> isogram.chi2_kernel([[0, 0, 0], [1, 1, 1]], [[1, 0, 0], [1, 1, 0]]).round(3)
    array([[0.368, 0.135],
           [0.135, 0.368]])
    """
    return _matrix(X, Y, "chi2", out, progress, gamma=gamma)


def euclidean_distances(X: Any, Y: Any = None, *, Y_norm_squared: Any = None, squared: bool = False, X_norm_squared: Any = None,
                        out: Any = None, progress: Progress = None) -> Any:
    """The distances |x - y|, or their squares: ``sklearn.metrics.pairwise.euclidean_distances``.

    Parameters
    ----------
    X : (n, d) array_like or sparse matrix
    Y : (m, d) array_like or sparse matrix, optional
        None: X.
    squared : bool
    X_norm_squared, Y_norm_squared : array_like, optional
        Not used: distances are of differences. Their sizes are checked.
    out, progress
        As of `rbf_kernel`.

    Returns
    -------
    (n, m) ndarray

    Examples
    --------
    >>> import isogram
    >>> isogram.euclidean_distances([[0, 1], [1, 1]])
    array([[0., 1.],
           [1., 0.]])
    """
    for name, points, norms in (("X", X, X_norm_squared), ("Y", X if Y is None else Y, Y_norm_squared)):
        if norms is not None:
            shape, rows = np.shape(norms), points.shape[0] if hasattr(points, "shape") else len(points)
            if shape not in ((rows,), (rows, 1), (1, rows)):
                raise ShapeError(f"Incompatible dimensions for {name} of {rows} rows and {name}_norm_squared of shape {shape}.")
    return _matrix(X, Y, "sqeuclidean" if squared else "euclidean", out, progress)


def manhattan_distances(X: Any, Y: Any = None, *, out: Any = None, progress: Progress = None) -> Any:
    """The distances sum |x - y|: ``sklearn.metrics.pairwise.manhattan_distances``.

    Parameters
    ----------
    X : (n, d) array_like or sparse matrix
    Y : (m, d) array_like or sparse matrix, optional
        None: X.
    out, progress
        As of `rbf_kernel`.

    Returns
    -------
    (n, m) ndarray

    Examples
    --------
    >>> import isogram
    >>> isogram.manhattan_distances([[3]], [[2], [5]])
    array([[1., 2.]])
    """
    return _matrix(X, Y, "cityblock", out, progress)


# ---- any kernel by its name


def _scale_and_parameters(row: Kernel) -> tuple[str, ...]:
    return _SCALES[row.scale] + tuple(p.name for p in row.parameters)


def _keywords(metric: str, filter_params: bool, kwds: dict[str, Any]) -> dict[str, Any]:
    """What of kwds the kernel takes. A TypeError, as of any function, where there is more."""
    row = find_kernel(metric)
    names = () if row is None else _scale_and_parameters(row)
    if filter_params:
        return {name: value for name, value in kwds.items() if name in names}
    for name in kwds:
        if name not in names:
            takes = f"it takes {', '.join(names)}" if names else "it takes none"
            raise TypeError(f"kernel {metric!r} got an unexpected keyword argument {name!r}; {takes}")
    return kwds


def _is_gp_kernel(metric: Any) -> bool:
    """Whether it is a kernel of scikit-learn's Gaussian processes, which takes whole sets of points."""
    module = sys.modules.get("sklearn.gaussian_process.kernels")
    return module is not None and isinstance(metric, module.Kernel)


def _pair_by_pair(x: NDArray[Any], y: NDArray[Any] | None, metric: Callable[..., float], out: Any, kwds: dict[str, Any]) -> Any:
    if y is None:
        to = arrays.output(out, (len(x), len(x)), arrays.FLOAT64)
        for i, j in combinations_with_replacement(range(len(x)), 2):
            to[i, j] = to[j, i] = metric(x[i], x[j], **kwds)
        return to
    to = arrays.output(out, (len(x), len(y)), arrays.FLOAT64)
    for i, a in enumerate(x):
        for j, b in enumerate(y):
            to[i, j] = metric(a, b, **kwds)
    return to


def _n_jobs(n_jobs: Any) -> None:
    if n_jobs is not None:
        arrays.whole(n_jobs, "n_jobs")


def pairwise_kernels(X: Any, Y: Any = None, metric: str | Callable[..., Any] = "linear", *, filter_params: bool = False,
                     n_jobs: int | None = None, out: Any = None, progress: Progress = None, **kwds: Any) -> Any:
    """The matrix of any kernel: ``sklearn.metrics.pairwise.pairwise_kernels``.

    Parameters
    ----------
    X : (n, d) array_like or sparse matrix
        Points; with ``"precomputed"`` the (n, m) matrix itself, which is checked and returned.
    Y : (m, d) array_like or sparse matrix, optional
        None: X.
    metric : str or callable
        A name or alias of ``isogram.kernels()``, scikit-learn's among them; several put together, such as
        "2*rbf(sigma=0.5) + linear"; "precomputed"; a kernel of ``sklearn.gaussian_process``; or a function of two points.
    filter_params : bool
        Leaves out of ``kwds`` what the kernel does not take, instead of raising a TypeError.
    n_jobs : int, optional
        Not needed: the device computes in parallel.
    out, progress
        As of `rbf_kernel`.
    **kwds
        The kernel's scale (gamma, sigma or lengthscale) and parameters.

    Returns
    -------
    (n, m) ndarray

    Examples
    --------
    >>> import isogram
    >>> isogram.pairwise_kernels([[0.0], [1.0]], metric="matern32", lengthscale=2.0).round(3)
    array([[1.   , 0.785],
           [0.785, 1.   ]])
    """
    _n_jobs(n_jobs)
    if isinstance(metric, str):
        if metric == "precomputed":
            return _precomputed(X, Y)
        if metric in ("linear", "cosine"):  # the names of functions that take gamma = 0 are below
            return _matrix(X, Y, metric, out, progress, **_keywords(metric, filter_params, kwds))
        given = _keywords(metric, filter_params, kwds)
        row = find_kernel(metric)
        if row is not None and row.name in _FLAT:
            return _flat_or_matrix(X, Y, row.name, given.pop("gamma", None), out, progress, **given)
        return _matrix(X, Y, metric, out, progress, **given)
    if not callable(metric):
        raise DtypeError(f"metric must be a str or callable, not {type(metric).__name__}")
    X, Y = _points(X, Y)
    if _is_gp_kernel(metric):
        K = metric(_checked(X, "X"), None if Y is None else _checked(Y, "Y"), **kwds)
        if out is None:
            return K
        to = arrays.output(out, K.shape, (K.dtype, arrays.FLOAT64))
        to[...] = K
        return to
    return _pair_by_pair(_checked(X, "X"), None if Y is None else _checked(Y, "Y"), metric, out, kwds)


#: Kernels of which scikit-learn takes gamma = 0.
_FLAT = ("rbf", "polynomial", "sigmoid")


def _precomputed(X: Any, Y: Any) -> NDArray[Any]:
    K = _checked(_dense(X), "X")
    indexed = K.shape[0] if Y is None or Y is X else _checked(_dense(Y), "Y").shape[0]
    if K.shape[1] != indexed:
        raise ShapeError(f"Precomputed metric requires shape (n_queries, n_indexed). Got ({K.shape[0]}, {K.shape[1]}) for {indexed} "
                         "indexed.")
    return K


# ---- row by row


def _chunk_rows(row_bytes: int, most: int, working_memory: Any) -> int:
    """How many rows fit working_memory MiB; at least 1."""
    if working_memory is None:
        sklearn = sys.modules.get("sklearn")
        working_memory = sklearn.get_config()["working_memory"] if sklearn is not None else _WORKING_MEMORY_MIB
    memory = arrays.number(working_memory, "working_memory")
    if not memory >= 0:
        raise ArgumentError(f"working_memory must not be negative, not {memory!r}")
    rows = min(memory * 2**20 // row_bytes, most)
    if rows < 1:
        warnings.warn(f"Could not adhere to working_memory config. Currently {memory:.0f}MiB, {row_bytes * 2**-20:.0f}MiB required.",
                      stacklevel=3)
    return max(1, int(rows))


def _check_reduced(reduced: Any, rows: int) -> None:
    """What reduce_func gave: None, something as long as the chunk, or a tuple of such."""
    if reduced is None:
        return
    parts = reduced if isinstance(reduced, tuple) else (reduced,)
    if any(not hasattr(part, "__iter__") or isinstance(part, tuple) for part in parts):
        raise TypeError(f"reduce_func returned {reduced!r}. Expected sequence(s) of length {rows}.")
    lengths = tuple(int(part.shape[0]) if hasattr(part, "shape") else len(part) for part in parts)
    if any(length != rows for length in lengths):
        said = lengths if isinstance(reduced, tuple) else lengths[0]
        raise ArgumentError(f"reduce_func returned object of length {said}. Expected same length as input: {rows}.")


def pairwise_kernels_chunked(X: Any, Y: Any = None, *, reduce_func: Callable[[Any, int], Any] | None = None,
                             metric: str | Callable[..., Any] = "linear", filter_params: bool = False, n_jobs: int | None = None,
                             working_memory: float | None = None, **kwds: Any) -> Generator[Any, None, None]:
    """The matrix of any kernel, some rows after others: as ``sklearn.metrics.pairwise_distances_chunked``.

    Parameters
    ----------
    X, Y, metric, filter_params, n_jobs, **kwds
        As of `pairwise_kernels`.
    reduce_func : callable, optional
        ``reduce_func(chunk, start)`` makes of rows from ``start`` on what is yielded: None, something as long as the chunk, or a
        tuple of such.
    working_memory : float, optional
        MiB for a chunk of rows; at least one row. None: ``sklearn.get_config()["working_memory"]``, 1024 without scikit-learn.

    Yields
    ------
    ndarray, or what reduce_func gives
        Rows of K, with the same bits as those of the whole.

    Examples
    --------
    >>> import numpy as np, isogram
    >>> X = np.arange(6.0).reshape(-1, 1)
    >>> nearest = isogram.pairwise_kernels_chunked(X, X + 0.4, metric="rbf", working_memory=1e-4,
    ...                                            reduce_func=lambda K, start: K.argmax(axis=1))
    >>> [int(j) for chunk in nearest for j in chunk]
    [0, 1, 2, 3, 4, 5]
    """
    _n_jobs(n_jobs)
    if isinstance(metric, str) and metric != "precomputed":
        _refuse_sparse(X, Y, metric)
        X, Y = _points(X, Y)
        given = _keywords(metric, filter_params, kwds)
        with Gram(X, Y, metric, **{name: value for name, value in given.items() if value is not None}) as K:
            n, m = K.shape
            rows = _chunk_rows(8 * m, n, working_memory)
            for start in range(0, n, rows):
                yield _reduced(K.tile(start, 0, np.empty((min(rows, n - start), m), K.dtype)), start, reduce_func)
        return
    if metric == "precomputed":
        K = pairwise_kernels(X, Y, metric)
        yield _reduced(K, 0, reduce_func)
        return
    X, Y = _points(X, Y)
    x = _checked(X, "X")
    y = x if Y is None else _checked(Y, "Y")
    rows = _chunk_rows(8 * len(y), len(x), working_memory)
    for start in range(0, len(x), rows):
        yield _reduced(pairwise_kernels(x[start:start + rows], y, metric, **kwds), start, reduce_func)


def _reduced(chunk: Any, start: int, reduce_func: Callable[[Any, int], Any] | None) -> Any:
    if reduce_func is None:
        return chunk
    rows = chunk.shape[0]
    reduced = reduce_func(chunk, start)
    _check_reduced(reduced, rows)
    return reduced


# ---- a function for every row that has none yet


def _function(row: Kernel) -> Callable[..., Any]:
    names = _scale_and_parameters(row)
    fallbacks: dict[str, Any] = {p.name: p.default for p in row.parameters}

    def function(X: Any, Y: Any = None, **kwds: Any) -> Any:
        out, progress = kwds.pop("out", None), kwds.pop("progress", None)
        for name in kwds:
            if name not in names:
                raise TypeError(f"{function.__name__}() got an unexpected keyword argument {name!r}")
        return _matrix(X, Y, row.name, out, progress, **kwds)

    both, alone = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    listed = [inspect.Parameter("X", both), inspect.Parameter("Y", both, default=None)]
    listed += [inspect.Parameter(name, alone, default=fallbacks.get(name)) for name in (*names, "out", "progress")]
    function.__signature__ = inspect.Signature(listed)  # type: ignore[attr-defined]
    function.__name__ = function.__qualname__ = f"{row.name}_kernel"
    said = "\n".join(f"    {p.name} : {'int' if p.whole else 'float'}\n        {p.summary}; {p.least:g} to {p.most:g}." for p in row.parameters)
    scale = f"    {', '.join(_SCALES[row.scale])} : float, optional\n        The scale, in one way.\n" if _SCALES[row.scale] else ""
    function.__doc__ = (
        f"{row.summary}, r being |x - y|/lengthscale.\n\n    Parameters\n    ----------\n    X : (n, d) array_like or sparse matrix\n"
        "    Y : (m, d) array_like or sparse matrix, optional\n        None: X.\n"
        f"{scale}{said + chr(10) if said else ''}    out, progress\n        As of `rbf_kernel`.\n\n    Returns\n    -------\n    (n, m) ndarray\n    ")
    return function


_NAMED = ("rbf", "laplacian", "polynomial", "sigmoid", "linear", "cosine", "chi2", "additive_chi2", "sqeuclidean", "euclidean", "cityblock")
_MADE = {f"{row.name}_kernel": _function(row) for row in kernels() if row.name not in _NAMED}
globals().update(_MADE)

if TYPE_CHECKING:
    def __getattr__(name: str) -> Callable[..., Any]: ...
