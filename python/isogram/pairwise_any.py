"""Any kernel by its name: its matrix, and the matrix row by row."""
from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Generator
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isogram import arrays
from isogram.errors import ArgumentError, DtypeError, ShapeError
from isogram.gram import Gram
from isogram.kernels import kernel as find_kernel
from isogram.pair_matrix import both_sets, checked, dense, flat_or_matrix, matrix, refuse_sparse, scale_and_parameters
from isogram.progress import Progress

_WORKING_MEMORY_MIB = 1024.0  # scikit-learn's default


def _keywords(metric: str, filter_params: bool, kwds: dict[str, Any]) -> dict[str, Any]:
    """What of kwds the kernel takes. A TypeError, as of any function, where there is more."""
    row = find_kernel(metric)
    names = () if row is None else scale_and_parameters(row)
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
            return matrix(X, Y, metric, out, progress, **_keywords(metric, filter_params, kwds))
        given = _keywords(metric, filter_params, kwds)
        row = find_kernel(metric)
        if row is not None and row.name in _FLAT:
            return flat_or_matrix(X, Y, row.name, given.pop("gamma", None), out, progress, **given)
        return matrix(X, Y, metric, out, progress, **given)
    if not callable(metric):
        raise DtypeError(f"metric must be a str or callable, not {type(metric).__name__}")
    X, Y = both_sets(X, Y)
    if _is_gp_kernel(metric):
        K = metric(checked(X, "X"), None if Y is None else checked(Y, "Y"), **kwds)
        if out is None:
            return K
        to = arrays.output(out, K.shape, (K.dtype, arrays.FLOAT64))
        to[...] = K
        return to
    return _pair_by_pair(checked(X, "X"), None if Y is None else checked(Y, "Y"), metric, out, kwds)


#: Kernels of which scikit-learn takes gamma = 0.
_FLAT = ("rbf", "polynomial", "sigmoid")


def _precomputed(X: Any, Y: Any) -> NDArray[Any]:
    K = checked(dense(X), "X")
    indexed = K.shape[0] if Y is None or Y is X else checked(dense(Y), "Y").shape[0]
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
        refuse_sparse(X, Y, metric)
        X, Y = both_sets(X, Y)
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
    X, Y = both_sets(X, Y)
    x = checked(X, "X")
    y = x if Y is None else checked(Y, "Y")
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
