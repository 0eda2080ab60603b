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
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from isogram.errors import ShapeError
from isogram.kernels import Kernel, kernels
from isogram.pair_matrix import SCALES, SparseError, flat_or_matrix, matrix, maybe_sparse, scale_and_parameters
from isogram.pairwise_any import pairwise_kernels, pairwise_kernels_chunked
from isogram.progress import Progress

__all__ = ["SparseError", "additive_chi2_kernel", "chi2_kernel", "cosine_similarity", "euclidean_distances", "laplacian_kernel",
           "linear_kernel", "manhattan_distances", "pairwise_kernels", "pairwise_kernels_chunked", "polynomial_kernel", "rbf_kernel",
           "sigmoid_kernel"]


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
    return flat_or_matrix(X, Y, "rbf", gamma, out, progress, sigma=sigma, lengthscale=lengthscale)


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
    return matrix(X, Y, "laplacian", out, progress, gamma=gamma)


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
    return flat_or_matrix(X, Y, "polynomial", gamma, out, progress, degree=degree, coef0=coef0)


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
    return flat_or_matrix(X, Y, "sigmoid", gamma, out, progress, coef0=coef0)


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
    return maybe_sparse(X, Y, "linear", dense_output, out, progress)


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
    return maybe_sparse(X, Y, "cosine", dense_output, out, progress)


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
    return matrix(X, Y, "additive_chi2", out, progress)


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
    return matrix(X, Y, "chi2", out, progress, gamma=gamma)


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
    return matrix(X, Y, "sqeuclidean" if squared else "euclidean", out, progress)


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
    return matrix(X, Y, "cityblock", out, progress)


# ---- a function for every row that has none yet


def _function(row: Kernel) -> Callable[..., Any]:
    names = scale_and_parameters(row)
    fallbacks: dict[str, Any] = {p.name: p.default for p in row.parameters}

    def function(X: Any, Y: Any = None, **kwds: Any) -> Any:
        out, progress = kwds.pop("out", None), kwds.pop("progress", None)
        for name in kwds:
            if name not in names:
                raise TypeError(f"{function.__name__}() got an unexpected keyword argument {name!r}")
        return matrix(X, Y, row.name, out, progress, **kwds)

    both, alone = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    listed = [inspect.Parameter("X", both), inspect.Parameter("Y", both, default=None)]
    listed += [inspect.Parameter(name, alone, default=fallbacks.get(name)) for name in (*names, "out", "progress")]
    function.__signature__ = inspect.Signature(listed)  # type: ignore[attr-defined]
    function.__name__ = function.__qualname__ = f"{row.name}_kernel"
    said = "\n".join(f"    {p.name} : {'int' if p.whole else 'float'}\n        {p.summary}; {p.least:g} to {p.most:g}." for p in row.parameters)
    scale = f"    {', '.join(SCALES[row.scale])} : float, optional\n        The scale, in one way.\n" if SCALES[row.scale] else ""
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
