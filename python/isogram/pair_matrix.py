"""From points, as scikit-learn's functions take them, to the matrix of a kernel."""
from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from isogram import arrays
from isogram.errors import DtypeError, NonfiniteError, ShapeError
from isogram.gram import Gram
from isogram.kernels import Kernel, kernel as find_kernel
from isogram.progress import Progress

#: In which ways a scale is given, by its kind.
SCALES = {"gamma": ("gamma", "sigma", "lengthscale"), "rate": ("gamma",), "lengthscale": ("gamma", "sigma", "lengthscale"), "none": ()}


def scale_and_parameters(row: Kernel) -> tuple[str, ...]:
    return SCALES[row.scale] + tuple(p.name for p in row.parameters)


# ---- points


def is_sparse(points: Any) -> bool:
    return hasattr(points, "toarray") and hasattr(points, "nnz")


def dense(points: Any) -> Any:
    return points.toarray() if is_sparse(points) else points


class SparseError(DtypeError, ValueError):
    """A sparse matrix where dense points are needed; scikit-learn raises the one or the other."""


def refuse_sparse(X: Any, Y: Any, kernel: str) -> None:
    """As scikit-learn's, kernels of histograms take no sparse matrices."""
    row = find_kernel(kernel)
    for name, points in (("X", X), ("Y", Y)):
        if row is not None and row.pair == "chi2" and is_sparse(points):
            raise SparseError(f"Sparse data was passed for {name}, but dense data is required. Use '.toarray()' to convert to a dense "
                              "numpy array.")


def both_sets(X: Any, Y: Any) -> tuple[Any, Any]:
    """Dense points; Y is None for K(X, X)."""
    return dense(X), None if Y is None or Y is X else dense(Y)


def checked(points: Any, name: str, dtype: Any = None) -> NDArray[Any]:
    """Points as an array of numbers that are finite, where no operator looks at them."""
    found = np.asarray(arrays.as_points(points, name))
    if found.dtype.kind == "f":
        bad = np.argwhere(~np.isfinite(found))
        if len(bad):
            row, column = bad[0]
            raise NonfiniteError(f"Input {name} contains NaN or infinity: {found[row, column]} in row {row}, column {column}")
    return found.astype(dtype or arrays.result_dtype(found), copy=False)


# ---- from a kernel to its matrix


def matrix(X: Any, Y: Any, kernel: str, out: Any, progress: Progress, **scale_and_parameters: Any) -> Any:
    refuse_sparse(X, Y, kernel)
    X, Y = both_sets(X, Y)
    given = {name: value for name, value in scale_and_parameters.items() if value is not None}
    with Gram(X, Y, kernel, progress=progress, **given) as K:
        return K.dense(out)


def flat_or_matrix(X: Any, Y: Any, kernel: str, gamma: Any, out: Any, progress: Progress, **others: Any) -> Any:
    """As matrix; gamma may be 0, where all pairs have the value of two points at the origin."""
    if gamma is None or arrays.number(gamma, "gamma") != 0:
        return matrix(X, Y, kernel, out, progress, gamma=gamma, **others)
    X, Y = both_sets(X, Y)
    x = checked(X, "X")
    y = x if Y is None else checked(Y, "Y")
    if x.shape[1] != y.shape[1]:
        raise ShapeError(f"X has {x.shape[1]} columns and Y {y.shape[1]}")
    dtype = arrays.result_dtype(x, y)
    to = arrays.output(out, (len(x), len(y)), dtype)
    with Gram(np.zeros((1, 1), dtype), kernel=kernel, gamma=1.0, **others) as origin:
        to[...] = origin[0, 0]
    return to


def maybe_sparse(X: Any, Y: Any, kernel: str, dense_output: bool, out: Any, progress: Progress) -> Any:
    """dense_output=False: sparse where both sets of points are."""
    K = matrix(X, Y, kernel, out, progress)
    if dense_output or not is_sparse(X) or not (Y is None or is_sparse(Y)):
        return K
    from scipy import sparse

    as_array = isinstance(X, getattr(sparse, "sparray", ()))
    return (sparse.csr_array if as_array else sparse.csr_matrix)(K)
