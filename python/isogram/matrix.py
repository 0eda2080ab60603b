"""K as a matrix: whole, by parts, packed."""
from __future__ import annotations

import operator
from types import EllipsisType
from typing import Any, Union

import numpy as np
from numpy.typing import NDArray

from isogram import arrays
from isogram._native import lib
from isogram.base_operator import Bound
from isogram.progress import Progress

#: Bytes of what is computed and not wanted, at a time, where K is indexed in steps.
_STRIP_BYTES = 1 << 26

Index = Union[int, slice, EllipsisType]


def _extent(index: Any, length: int, axis: int) -> tuple[range, bool]:
    """The places of an index along an axis, and whether it keeps the axis."""
    if isinstance(index, slice):
        return range(length)[index], True
    if isinstance(index, (bool, np.bool_)):
        raise IndexError("a Gram takes integers and slices as indices, not booleans")
    try:
        place = operator.index(index)
    except TypeError:
        raise IndexError("a Gram takes integers and slices as indices; for a choice of rows, choose rows of X") from None
    if not -length <= place < length:
        raise IndexError(f"index {place} is out of bounds for axis {axis} with size {length}")
    place += length if place < 0 else 0
    return range(place, place + 1), False


class Matrix(Bound):
    """What gives K's elements."""

    __slots__ = ()

    def dense(self, out: Any = None, *, progress: Progress = None) -> Any:
        """All of K.

        Parameters
        ----------
        out : (n, m) ndarray or pyopencl.array.Array, optional
            Of the operator's dtype, or float16 beside float32 (each value rounded once more); any strides that keep
            elements apart.
        progress : callable or bool, optional
            None: as the operator has it.

        Returns
        -------
        ndarray
            ``out``, or a new array.
        """
        out = arrays.output(out, self.shape, self._dtypes)
        self._call(lib.isg_gram_dense, arrays.view(out, "out"), progress=progress, what="dense")
        return out

    def tile(self, row: int, column: int, out: Any, *, progress: Progress = None) -> Any:
        """K[row + a, column + b] for every (a, b) of the shape of ``out``, which is written and returned.

        The same bits as the same block of the whole.
        """
        out = arrays.output(out, getattr(out, "shape", ()), self._dtypes)
        self._call(lib.isg_gram_tile, arrays.whole(row, "row"), arrays.whole(column, "column"), arrays.view(out, "out"),
                   progress=progress, what="tile")
        return out

    def __getitem__(self, key: Index | tuple[Index, ...]) -> Any:
        """K[i], K[i, j], K[a:b, c:d]: integers and slices, the same bits as those of the whole matrix.

        Steps other than 1 and -1 take the work of what they leap over.
        """
        keys = list(key) if isinstance(key, tuple) else [key]
        if Ellipsis in [k for k in keys if k is Ellipsis]:
            at = next(i for i, k in enumerate(keys) if k is Ellipsis)
            keys[at:at + 1] = [slice(None)] * (3 - len(keys))
        if len(keys) > 2 or any(k is Ellipsis for k in keys):
            raise IndexError("too many indices: a Gram has 2 dimensions")
        keys += [slice(None)] * (2 - len(keys))
        (rows, keep_rows), (columns, keep_columns) = (_extent(k, n, axis) for axis, (k, n) in enumerate(zip(keys, self.shape)))
        block: NDArray[Any] = np.empty((len(rows), len(columns)), self.dtype)
        if block.size:
            self._fill(rows, columns, block)
        if not keep_rows and not keep_columns:
            return block[0, 0]
        return block[0] if not keep_rows else block[:, 0] if not keep_columns else block

    def _fill(self, rows: range, columns: range, block: NDArray[Any]) -> None:
        if rows.step < 0:
            rows, block = rows[::-1], block[::-1]
        if columns.step < 0:
            columns, block = columns[::-1], block[:, ::-1]
        if len(rows) == 1:
            rows = range(rows[0], rows[0] + 1)
        if len(columns) == 1:
            columns = range(columns[0], columns[0] + 1)
        if rows.step == 1 and columns.step == 1:
            self.tile(rows[0], columns[0], block)
            return
        width = columns[-1] - columns[0] + 1
        at_once = max(1, _STRIP_BYTES // (width * rows.step * self.dtype.itemsize))
        for first in range(0, len(rows), at_once):
            some = rows[first:first + at_once]
            strip = self.tile(some[0], columns[0], np.empty((some[-1] - some[0] + 1, width), self.dtype))
            block[first:first + at_once] = strip[::rows.step, ::columns.step]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("a Gram is no array in memory: np.asarray(K) computes one")
        whole: NDArray[Any] = self.dense()
        return whole if dtype is None else whole.astype(dtype, copy=False)

    def packed(self, out: Any = None, *, progress: Progress = None) -> Any:
        """The lower triangle of K(X, X), row by row: (i, j), j <= i, is element i (i + 1)/2 + j of a vector."""
        n = self.shape[0]
        out = arrays.output(out, (n * (n + 1) // 2,), self._dtypes)
        self._call(lib.isg_gram_packed, arrays.view(out, "out"), progress=progress, what="packed")
        return out

    def diagonal(self, out: Any = None) -> Any:
        """K[i, i] for i < min(n, m)."""
        out = arrays.output(out, (min(self.shape),), self.dtype)
        self._call(lib.isg_gram_diagonal, arrays.view(out, "out"))
        return out
