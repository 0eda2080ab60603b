"""Reductions of K's rows and columns, where K is never stored."""
from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from isogram import arrays
from isogram._native import ffi, lib
from isogram.base_operator import SKIPS, Bound, choose
from isogram.errors import ArgumentError, ShapeError
from isogram.progress import Progress


class Reductions(Bound):
    """Sums, extremes and their places, logarithms of sums, weighted means."""

    __slots__ = ()

    def sum(self, axis: int = 1, out: Any = None, *, skip: str = "auto", tolerance: float = 0.0,
            progress: Progress = None) -> Any:
        """The sums of K's rows (axis 1, the default) or columns (axis 0)."""
        return self._reduce(lib.ISG_REDUCE_SUM, axis, out, skip=skip, tolerance=tolerance, progress=progress)

    def logsumexp(self, axis: int = 1, out: Any = None, *, weights: ArrayLike | None = None, skip: str = "auto",
                  progress: Progress = None) -> Any:
        """log(sum_j weights[j] K[i, j]) for each row i (axis 1), right where K itself is too small to be a number.

        Parameters
        ----------
        axis : {1, 0}
            0: for each column j, over i.
        out : ndarray, optional
        weights : array_like, optional
            Not negative; as many as the axis has places.
        """
        return self._reduce(lib.ISG_REDUCE_LOGSUMEXP, axis, out, weights=weights, skip=skip, progress=progress)

    def weighted_mean(self, V: ArrayLike, axis: int = 1, out: Any = None, *, weights: ArrayLike | None = None,
                      skip: str = "auto", progress: Progress = None) -> Any:
        """sum_j weights[j] K[i, j] V[j] / sum_j weights[j] K[i, j] for each row i (axis 1).

        Parameters
        ----------
        V : (m,) or (m, r) array_like
            Of any numbers; n rows for axis 0.
        axis : {1, 0}
        out : (n,) or (n, r) ndarray, optional
        weights : array_like, optional
            Not negative; as many as the axis has places.

        Notes
        -----
        Right where K itself is too small to be a number. NaN where all weights are 0.

        References
        ----------
        E. A. Nadaraya, On estimating regression, Theory of Probability and its Applications 9 (1964).
        G. S. Watson, Smooth regression analysis, Sankhya A 26 (1964).
        """
        v = arrays.as_array(V, "V")
        if v.ndim not in (1, 2):
            raise ShapeError(f"V must have one or two dimensions, not {v.ndim}")
        return self._reduce(lib.ISG_REDUCE_MEAN, axis, out, weights=weights, v=v, skip=skip, progress=progress)

    def min(self, axis: int = 1, out: Any = None, *, progress: Progress = None) -> Any:
        """The least value of each row (axis 1) or column (axis 0)."""
        return self._reduce(lib.ISG_REDUCE_LEAST, axis, out, progress=progress)

    def max(self, axis: int = 1, out: Any = None, *, progress: Progress = None) -> Any:
        """The largest value of each row (axis 1) or column (axis 0)."""
        return self._reduce(lib.ISG_REDUCE_LARGEST, axis, out, progress=progress)

    def argmin(self, axis: int = 1, out: Any = None, *, progress: Progress = None) -> Any:
        """Where each row (axis 1) or column (axis 0) is least; of equal ones the first. int64."""
        return self._places(lib.ISG_REDUCE_LEAST, axis, out, progress)

    def argmax(self, axis: int = 1, out: Any = None, *, progress: Progress = None) -> Any:
        """Where each row (axis 1) or column (axis 0) is largest; of equal ones the first. int64."""
        return self._places(lib.ISG_REDUCE_LARGEST, axis, out, progress)

    def topk(self, k: int, axis: int = 1, *, largest: bool = True, out: tuple[Any, Any] | None = None,
             progress: Progress = None) -> tuple[Any, Any]:
        """The k largest (or least) values of each row (axis 1) or column (axis 0), in order, and their places.

        Parameters
        ----------
        k : int
            1 to 256, and no more than the axis has places.
        axis : {1, 0}
        largest : bool
        out : (values, places), optional
            Two arrays, n x k, of the operator's dtype and of int64.

        Returns
        -------
        values, places : ndarray
            Of equal values the one of the lower place comes first.
        """
        k = arrays.whole(k, "k")
        reduction = lib.ISG_REDUCE_LARGEST if largest else lib.ISG_REDUCE_LEAST
        shape = (self._rows(axis), k)
        if not 1 <= k <= min(self.size // max(1, shape[0]), lib.ISG_MOST_EXTREMES):
            raise ArgumentError(f"k must be 1 to {min(self.size // max(1, shape[0]), lib.ISG_MOST_EXTREMES)}, not {k}")
        places = arrays.output(None if out is None else out[1], shape, np.dtype(np.int64), "the array of places")
        values = self._reduce(reduction, axis, None if out is None else out[0], count=k, indices=places, progress=progress)
        return values, places

    def _rows(self, axis: int) -> int:
        if axis not in (0, 1, -1, -2):
            raise ArgumentError(f"axis must be 1 (for each row) or 0 (for each column), not {axis!r}")
        return self.shape[0] if axis in (1, -1) else self.shape[1]

    def _places(self, reduction: int, axis: int, out: Any, progress: Progress) -> Any:
        out = arrays.output(out, (self._rows(axis),), np.dtype(np.int64))
        self._reduce(reduction, axis, None, count=1, indices=out, progress=progress)
        return out

    def _reduce(self, reduction: int, axis: int, out: Any, *, count: int = 0, indices: Any = None, weights: Any = None,
                v: Any = None, skip: str = "auto", tolerance: float = 0.0, progress: Progress = None) -> Any:
        rows = self._rows(axis)
        params = ffi.new("isg_reduce_params *")
        params.reduction = reduction
        params.transpose = axis in (0, -2)
        params.count = count
        params.skip = choose(SKIPS, skip, "skip")
        params.tolerance = arrays.number(tolerance, "tolerance")
        shape: tuple[int, ...] = (rows,) if indices is None else tuple(indices.shape)
        if v is not None:
            shape = (rows, *v.shape[1:])
            params.v = arrays.view(v, "V")
        out = arrays.output(out, shape, self.dtype)
        params.out = arrays.view(out, "out")
        if indices is not None:
            params.indices = arrays.view(indices, "the array of places")
        if weights is not None:
            weights = arrays.as_array(weights, "weights")
            params.weights = arrays.view(weights, "weights")
        self._call(lib.isg_gram_reduce, params, progress=progress, what="reduce")
        return out
