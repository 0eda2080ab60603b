"""What operators have in common: products, the transpose, what SciPy takes for a linear operator."""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isogram import arrays
from isogram._native import lib
from isogram.devices import Context
from isogram.errors import ArgumentError, ShapeError
from isogram.progress import Progress, Watch

if TYPE_CHECKING:
    from isogram.gram import Gram
    from isogram.matrix import Index


SKIPS = {"auto": lib.ISG_SKIP_AUTO, "always": lib.ISG_SKIP_ALWAYS, "never": lib.ISG_SKIP_NEVER}


def choose(words: dict[str, int], value: Any, name: str) -> int:
    try:
        return words[value]
    except (KeyError, TypeError):
        raise ArgumentError(f"{name} must be one of {', '.join(map(repr, words))}, not {value!r}") from None


class Operator:
    """What an operator and its transpose have in common."""

    __slots__ = ("__weakref__",)
    __array_ufunc__ = None  # V @ K is ours
    ndim = 2

    shape: tuple[int, int]
    dtype: np.dtype[Any]

    def apply(self, V: ArrayLike, out: Any = None, *, alpha: float = 1.0, beta: float = 0.0, accumulate: str | None = None,
              skip: str = "auto", tolerance: float = 0.0, progress: Progress = None) -> Any:
        raise NotImplementedError

    @property
    def T(self) -> Operator:
        """The transpose; nothing is computed."""
        raise NotImplementedError

    @property
    def size(self) -> int:
        return self.shape[0] * self.shape[1]

    def __len__(self) -> int:
        return self.shape[0]

    def __matmul__(self, V: ArrayLike) -> Any:
        return self.apply(V)

    def __rmatmul__(self, V: ArrayLike) -> Any:
        values = arrays.as_array(V, "V")
        if values.ndim not in (1, 2):
            raise ShapeError(f"V must have one or two dimensions, not {values.ndim}")
        product = self.T.apply(values.T)
        return product.T

    def transpose(self) -> Operator:
        """The transpose, as ``T``."""
        return self.T

    # What scipy.sparse.linalg takes for a linear operator.
    def matvec(self, V: ArrayLike) -> Any:
        """K V."""
        return self.apply(V)

    def rmatvec(self, V: ArrayLike) -> Any:
        """K' V."""
        return self.T.apply(V)

    def matmat(self, V: ArrayLike) -> Any:
        """K V."""
        return self.apply(V)

    def rmatmat(self, V: ArrayLike) -> Any:
        """K' V."""
        return self.T.apply(V)

    def linear_operator(self) -> Any:
        """A ``scipy.sparse.linalg.LinearOperator`` of it, for SciPy's solvers; these also take the Gram itself."""
        from scipy.sparse.linalg import LinearOperator

        return LinearOperator(self.shape, matvec=self.matvec, rmatvec=self.rmatvec, matmat=self.matmat, rmatmat=self.rmatmat,
                              dtype=self.dtype)


class Bound(Operator):
    """An operator of the C library's; Gram is one, put together from classes that each know some of C's functions."""

    __slots__ = ()

    d: int
    progress: Progress
    _context: Context
    _out: Any
    _params: Any
    _alive: list[Any]
    _watch: Watch

    @property
    def handle(self) -> Any:
        """The ``isg_gram *``; raises where the operator is closed."""
        raise NotImplementedError

    def _call(self, function: Callable[..., int], *arguments: Any, progress: Progress = None, what: str = "isogram") -> None:
        """Calls a C function of the operator: see `Context.call`."""
        self._context.call(function, *arguments, made=self._out, watch=self._watch,
                           progress=self.progress if progress is None else progress, what=what)

    @property
    def _dtypes(self) -> tuple[np.dtype[Any], ...]:
        return (self.dtype, np.dtype(np.float16)) if self.dtype == arrays.FLOAT32 else (self.dtype,)

    def _sums(self, accumulate: int) -> tuple[np.dtype[Any], ...]:
        wider = accumulate == lib.ISG_PRECISION_F64 and self.dtype == arrays.FLOAT32
        return (arrays.FLOAT64, arrays.FLOAT32) if wider else (self.dtype,)



class Transpose(Operator):
    """K' of an operator, for products, reductions and parts."""

    __slots__ = ("_gram", "shape", "dtype")

    def __init__(self, gram: Gram) -> None:
        self._gram = gram
        self.shape = (gram.shape[1], gram.shape[0])
        self.dtype = gram.dtype

    @property
    def T(self) -> Gram:
        """The operator itself."""
        return self._gram

    def apply(self, V: ArrayLike, out: Any = None, *, alpha: float = 1.0, beta: float = 0.0, accumulate: str | None = None,
              skip: str = "auto", tolerance: float = 0.0, progress: Progress = None) -> Any:
        """alpha K' V + beta OUT, as `Gram.apply`."""
        return self._gram._apply(V, out, alpha, beta, accumulate, skip, tolerance, progress, True)

    def dense(self, out: Any = None, *, progress: Progress = None) -> Any:
        """All of K', as `Gram.dense`."""
        out = arrays.output(out, self.shape, self._gram._dtypes)
        self._gram.dense(out.T, progress=progress)
        return out

    def __getitem__(self, key: Index | tuple[Index, ...]) -> Any:
        """As of the operator."""
        keys = key if isinstance(key, tuple) else (key,)
        if len(keys) > 2 or any(k is Ellipsis for k in keys):
            raise IndexError("a transposed Gram takes up to two integers or slices")
        part = self._gram[(keys[1] if len(keys) > 1 else slice(None), keys[0])]
        return part.T

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self._gram.__array__(dtype, copy).T

    def __repr__(self) -> str:
        return f"<transpose of {self._gram!r}>"
