"""The Gram operator, K[i, j] = k(x_i, y_j): never a matrix until asked for one."""
from __future__ import annotations

import operator
import os
from dataclasses import dataclass
from typing import Any, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isogram import arrays
from isogram._native import ffi, lib, text
from isogram.devices import Context, current, precision_of
from isogram.errors import ArgumentError, DtypeError, ShapeError, check
from isogram.kernels import Kernel, kernel as find_kernel
from isogram.progress import Progress, Watch

_SKIPS = {"auto": lib.ISG_SKIP_AUTO, "always": lib.ISG_SKIP_ALWAYS, "never": lib.ISG_SKIP_NEVER}
_METHODS = {"contract": lib.ISG_METHOD_CONTRACT, "fast": lib.ISG_METHOD_FAST}
_LAYOUTS = {"full": lib.ISG_STORE_FULL, "tiles": lib.ISG_STORE_TILES}
#: Bytes of what is computed and not wanted, at a time, where K is indexed in steps.
_STRIP_BYTES = 1 << 26

Index = Union[int, slice]


def _word(words: dict[str, int], value: Any, name: str) -> int:
    try:
        return words[value]
    except (KeyError, TypeError):
        raise ArgumentError(f"{name} must be one of {', '.join(map(repr, words))}, not {value!r}") from None


def _bytes(size: int | str) -> int:
    """Bytes of a number, or of a text such as "256M"; K, M, G and T are powers of 1024."""
    if isinstance(size, str):
        digits = size.rstrip("KMGTkmgt")
        unit = size[len(digits):].upper()
        if digits.isdecimal() and len(unit) <= 1:
            return int(digits) << (" KMGT".index(unit or " ") * 10)
        raise ArgumentError(f"memory must be a number of bytes such as '256M', not {size!r}")
    return arrays.whole(size, "memory")


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


@dataclass(frozen=True)
class GradientParameter:
    """A number of the covariance function, and the derivative by it.

    ``name`` is "sigma", "gamma" or "lengthscale", a kernel's own parameter, or "factor" of a multiple; ``row`` counts
    kernels in the operator's text, -1 for none; ``coordinate`` is that of a lengthscale of its own, -1 for others.
    """

    name: str
    value: float
    row: int
    kernel: str
    coordinate: int
    derivative: float


@dataclass(frozen=True)
class Gradient:
    """Derivatives of sum_ij (v_i . w_j) K[i, j]; None for what was not asked for."""

    x: NDArray[Any] | None  #: n x d
    y: NDArray[Any] | None  #: m x d
    parameters: tuple[GradientParameter, ...] | None

    def __getitem__(self, name: str) -> float:
        """The derivative by the parameter of this name, where there is one such."""
        found = [p for p in self.parameters or () if p.name == name]
        if len(found) != 1:
            raise KeyError(f"{len(found)} parameters are called {name!r}")
        return found[0].derivative


class _Operator:
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
    def T(self) -> _Operator:
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

    def transpose(self) -> _Operator:
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


class Gram(_Operator):
    """The Gram operator K[i, j] = k(x_i, y_j) of a covariance function on two sets of points.

    Memory grows with the points; the matrix is there only where it is asked for, whole (``np.asarray(K)``, ``dense``), by
    parts (``K[a:b, c:d]``) or on disk (``save``). Results have the same bits on every device.

    Parameters
    ----------
    X : (n, d) array_like
        As of `isogram.arrays.as_points`: float32 for single precision, everything else counts as float64. Not copied
        where C can read it, and not to be written to as long as the operator lives. Or a ``pyopencl.array.Array`` of the
        context's, which is read once, now.
    Y : (m, d) array_like, optional
        Left out: K(X, X).
    kernel : str or Kernel
        A name or alias of ``isogram.kernels()``, or several put together: "2*rbf(sigma=0.5) + linear*periodic(period=3)".
    gamma, sigma, lengthscale : float, optional
        The scale, in one of three ways: gamma = 1/(2 sigma^2) = 1/(2 lengthscale^2), in units of X. All left out: the
        kernel's default. ``lengthscale`` may be d numbers, one for each coordinate.
    include : (n,) array_like of bool, optional
        Which rows of X are points of the operator.
    factors : (n,) array_like, optional
        K[i, j] = factors[i] k(x_i, y_j).
    precision : {"f32", "f64"}, optional
        None: "f32" where all points are float32, else "f64".
    method : {"contract", "fast"}
        "fast" computes distances by products, within ``tolerance``; of dense, tiles and packed alone.
    tolerance : float, optional
        Of method fast, in (0, 1).
    allow_nonfinite : bool
        NaN in a point gives NaN in its row or column, instead of an error.
    progress : callable or bool, optional
        Of calls that take long: see `isogram.progress.Progress`.
    context : Context, optional
        None: the calling thread's, ``isogram.devices.current()``.
    **parameters : float
        The kernel's own, such as ``alpha`` or ``degree``: ``isogram.kernels()`` lists them.

    Raises
    ------
    ArgumentError, ShapeError, DtypeError, NonfiniteError, RangeError
        NonfiniteError names the first row and column.
    NoDevice, Unsupported, ForkError

    Notes
    -----
    Any thread may use an operator; calls on one context wait for each other. Ctrl-C stops every call between two
    launches, within half a second, and leaves the operator usable.

    Examples
    --------
    >>> import numpy as np, isogram
    >>> K = isogram.Gram(np.eye(3), sigma=1.0)
    >>> np.round(K @ np.ones(3), 4)
    array([1.7358, 1.7358, 1.7358])
    """

    __slots__ = ("_arguments", "_context", "_out", "_gram", "_params", "_alive", "_watch", "progress", "shape", "dtype", "d")

    def __init__(self, X: Any, Y: Any = None, kernel: str | Kernel = "rbf", *, gamma: Any = None, sigma: Any = None,
                 lengthscale: Any = None, include: Any = None, factors: Any = None, precision: str | None = None,
                 method: str = "contract", tolerance: Any = None, allow_nonfinite: bool = False, progress: Progress = None,
                 context: Context | None = None, **parameters: Any) -> None:
        x = arrays.as_points(X, "X")
        y = None if Y is None else arrays.as_points(Y, "Y")
        name = kernel.name if isinstance(kernel, Kernel) else kernel
        if not isinstance(name, str):
            raise DtypeError(f"kernel must be a str, not {type(name).__name__}")
        self._arguments = {"X": x, "Y": y, "kernel": name, "gamma": gamma, "sigma": sigma, "lengthscale": lengthscale,
                           "include": include, "factors": factors, "precision": precision, "method": method,
                           "tolerance": tolerance, "allow_nonfinite": allow_nonfinite, **parameters}
        params = ffi.new("isg_gram_params *")
        self._watch = Watch()
        self._alive: list[Any] = [x, y, self._watch]
        self._params = params
        self.progress = progress
        params.x = arrays.view(x, "X")
        if y is not None:
            params.y = arrays.view(y, "Y")
        if precision is None:
            single = x.dtype == arrays.FLOAT32 and (y is None or y.dtype == arrays.FLOAT32)
            params.precision = lib.ISG_PRECISION_F32 if single else lib.ISG_PRECISION_F64
        else:
            params.precision = precision_of(precision)
        self._set_function(name, parameters)
        if gamma is not None:
            params.gamma = arrays.positive(gamma, "gamma")
        if sigma is not None:
            params.sigma = arrays.positive(sigma, "sigma")
        if lengthscale is not None:
            self._set_lengthscale(lengthscale, x.shape[1])
        if factors is not None:
            params.factors = ffi.from_buffer("double[]", self._vector(factors, x.shape[0], "factors", "row of X"))
        if include is not None:
            chosen = self._vector(include, x.shape[0], "include", "row of X") != 0
            self._alive.append(chosen)
            params.include = ffi.cast("uint8_t *", chosen.__array_interface__["data"][0])
        params.method = _word(_METHODS, method, "method")
        if tolerance is not None:
            params.tolerance = arrays.positive(tolerance, "tolerance")
        params.allow_nonfinite = bool(allow_nonfinite)
        params.progress, params.progress_user = lib.isg_watch_progress, self._watch.struct
        self._context = current() if context is None else context
        out = ffi.new("isg_gram **")
        self._context.keep(out, lib.isg_gram_destroy, (params, self._alive))
        self._out = out
        self._context.call(lib.isg_gram_create, self._context.handle, out, params)
        self._gram = out[0]
        sizes = ffi.new("int64_t[3]")
        lib.isg_gram_shape(self._gram, sizes, sizes + 1, sizes + 2)
        self.shape = (sizes[0], sizes[1])
        self.d: int = sizes[2]
        self.dtype = arrays.FLOAT32 if lib.isg_gram_dtype(self._gram) == lib.ISG_F32 else arrays.FLOAT64

    def _vector(self, values: ArrayLike, count: int, name: str, each: str) -> NDArray[np.float64]:
        """Doubles that live as long as the operator."""
        vector: NDArray[np.float64] = np.array(arrays.as_array(values, name), dtype=np.float64, order="C")
        if vector.shape != (count,):
            raise ShapeError(f"{name} must have shape {(count,)}, one for each {each}, not {vector.shape}")
        self._alive.append(vector)
        return vector

    def _set_lengthscale(self, lengthscale: Any, d: int) -> None:
        if not getattr(lengthscale, "ndim", 0) and not isinstance(lengthscale, (list, tuple)):
            self._params.lengthscale = arrays.positive(lengthscale, "lengthscale")
            return
        scales = self._vector(lengthscale, d, "lengthscale", "coordinate of X")
        if not (np.isfinite(scales) & (scales > 0)).all():
            raise ArgumentError("lengthscale must be positive and finite")
        self._params.lengthscales = ffi.from_buffer("double[]", scales)

    def _set_function(self, name: str, parameters: dict[str, Any]) -> None:
        words = ffi.new("char[]", name.encode())
        row = lib.isg_kernel_find(words)
        if row:
            self._params.kernel = row
            known = find_kernel(name)
            assert known is not None
            names = [p.name for p in known.parameters]
            for key in parameters:
                if key not in names:
                    has = f"its parameters are {', '.join(names)}" if names else "it has no parameters but its scale"
                    raise ArgumentError(f"kernel {known.name} has no parameter {key!r}; {has}")
            settings = ffi.new("isg_setting[]", max(1, len(parameters)))
            for setting, (key, value) in zip(settings, parameters.items()):
                owner = ffi.new("char[]", key.encode())
                setting.name, setting.value = owner, arrays.number(value, key)
                self._alive.append(owner)
            self._alive.append(settings)
            self._params.settings, self._params.setting_count = settings, len(parameters)
            return
        error = ffi.new("isg_error *")
        composite = ffi.gc(ffi.new("isg_composite **"), lib.isg_composite_destroy)
        check(lib.isg_kernel_parse(composite, words, error), error)
        if parameters:
            raise ArgumentError(f"parameters of kernels that are put together stand in the text: {name!r} beside "
                                f"{', '.join(parameters)}")
        self._alive.append(composite)
        self._params.composite = composite[0]

    @property
    def handle(self) -> Any:
        """The ``isg_gram *``; raises where the operator is closed."""
        self._context.handle  # noqa: B018  # raises where the context is closed or of another process
        if not self._out[0]:
            raise ArgumentError("this Gram is closed")
        return self._out[0]

    def _call(self, function: Any, *arguments: Any, progress: Progress = None, what: str = "isogram") -> None:
        self._context.call(function, self.handle, *arguments, watch=self._watch,
                           progress=self.progress if progress is None else progress, what=what)

    def close(self) -> None:
        """Gives the device's memory back now; nothing can be computed afterwards. Again: nothing."""
        out = getattr(self, "_out", None)
        if out is not None:
            self._context.drop(out)

    def __del__(self) -> None:
        self.close()

    def __enter__(self) -> Gram:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        # The device and the progress function are the receiver's.
        for points in (self._arguments["X"], self._arguments["Y"]):
            if arrays.is_opencl(points):
                raise DtypeError("a Gram of points in a device's memory cannot be pickled; get() them first")
        return _restore, (self._arguments,)

    def __repr__(self) -> str:
        n, m = self.shape
        return f"<isogram.Gram {n} x {m}, {self.kernel}, {self.dtype}, {self.contract}>" if self._out[0] else "<isogram.Gram, closed>"

    @property
    def T(self) -> _Operator:
        """The transpose; nothing is computed."""
        return _Transpose(self)

    @property
    def context(self) -> Context:
        """What it computes in."""
        return self._context

    @property
    def contract(self) -> str:
        """What its results obey, such as "isogram-2/f32/fused": equal names mean equal bits."""
        return text(lib.isg_gram_contract(self.handle))

    @property
    def kernel(self) -> str:
        """The covariance function as text, with all that was given; ``Gram(X, kernel=K.kernel)`` takes it."""
        composite = lib.isg_gram_composite(self.handle)
        size = lib.isg_composite_text(composite, ffi.NULL, 0) + 1
        buffer = ffi.new("char[]", size)
        lib.isg_composite_text(composite, buffer, size)
        return text(buffer)

    @property
    def gamma(self) -> float:
        """gamma in use, of a single kernel with a scale; 0.0 for others."""
        return float(lib.isg_gram_gamma(self.handle))

    # ---- the matrix, or parts of it

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

    @property
    def _dtypes(self) -> tuple[np.dtype[Any], ...]:
        return (self.dtype, np.dtype(np.float16)) if self.dtype == arrays.FLOAT32 else (self.dtype,)

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

    # ---- products

    def apply(self, V: ArrayLike, out: Any = None, *, alpha: float = 1.0, beta: float = 0.0, accumulate: str | None = None,
              skip: str = "auto", tolerance: float = 0.0, progress: Progress = None) -> Any:
        """alpha K V + beta OUT, and K is never stored. ``K @ V`` is K V.

        Parameters
        ----------
        V : (m,) or (m, r) array_like
            Of any real numbers; rounded to the operator's dtype. ``K.T.apply`` takes n rows.
        out : (n,) or (n, r) ndarray, optional
            Of the operator's dtype; float64 beside ``accumulate="f64"``, where float32 will do as well.
        alpha, beta : float
            beta other than 0 takes an ``out`` to be read.
        accumulate : {"f32", "f64"}, optional
            Precision of the sums. None: the operator's.
        skip : {"auto", "always", "never"}
            Of blocks of pairs that are so far apart that nothing of them counts; the bits are the same.
        tolerance : float
            In [0, 1): blocks may be skipped in which no value of K is larger.
        progress : callable or bool, optional

        Returns
        -------
        ndarray
        """
        return self._apply(V, out, alpha, beta, accumulate, skip, tolerance, progress, False)

    def _apply(self, V: ArrayLike, out: Any, alpha: float, beta: float, accumulate: str | None, skip: str, tolerance: float,
               progress: Progress, transpose: bool) -> Any:
        v = arrays.as_array(V, "V")
        if v.ndim not in (1, 2):
            raise ShapeError(f"V must have one or two dimensions, not {v.ndim}")
        n, m = self.shape[::-1] if transpose else self.shape
        if v.shape[0] != m:
            raise ShapeError(f"V must have {m} rows, not {v.shape[0]}")
        params = ffi.new("isg_apply_params *")
        params.transpose = transpose
        params.alpha, params.beta = arrays.number(alpha, "alpha"), arrays.number(beta, "beta")
        if params.beta != 0 and out is None:
            raise ArgumentError("beta takes an array to be read: out")
        params.accumulate = precision_of(accumulate)
        params.skip = _word(_SKIPS, skip, "skip")
        params.tolerance = arrays.number(tolerance, "tolerance")
        out = arrays.output(out, (n, *v.shape[1:]), self._sums(params.accumulate))
        if params.alpha == 0:  # which is C's word for 1
            out *= params.beta
            return out
        self._call(lib.isg_gram_apply, arrays.view(v, "V"), arrays.view(out, "out"), params, progress=progress, what="apply")
        return out

    def _sums(self, accumulate: int) -> tuple[np.dtype[Any], ...]:
        return (arrays.FLOAT64, arrays.FLOAT32) if accumulate == lib.ISG_PRECISION_F64 and self.dtype == arrays.FLOAT32 else (self.dtype,)

    # ---- reductions

    def sum(self, axis: int = 1, out: Any = None, *, skip: str = "auto", tolerance: float = 0.0, progress: Progress = None) -> Any:
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
        """sum_j weights[j] K[i, j] V[j] / sum_j weights[j] K[i, j]: Nadaraya-Watson regression of V, (m,) or (m, r)."""
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
        params.skip = _word(_SKIPS, skip, "skip")
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

    # ---- derivatives

    def gradient(self, V: ArrayLike, W: ArrayLike, *, x: Any = True, y: Any = False, parameters: bool = True,
                 accumulate: str | None = None, progress: Progress = None) -> Gradient:
        """Derivatives of f = sum_ij (v_i . w_j) K[i, j]. With V W' = dL/dK these are the derivatives of L.

        Parameters
        ----------
        V : (n,) or (n, r) array_like
        W : (m,) or (m, r) array_like
        x, y : bool or ndarray
            Whether df/dX and df/dY are wanted; an array is where to. Of K(X, X) x is the sum of both sides, and there is
            no y.
        parameters : bool
            Whether derivatives by the scale, the kernel's parameters and factors are.
        accumulate : {"f32", "f64"}, optional
            Precision of the sums. None: the operator's.
        progress : callable or bool, optional

        Returns
        -------
        Gradient
        """
        v, w = arrays.as_array(V, "V"), arrays.as_array(W, "W")
        params = ffi.new("isg_gradient_params *")
        params.v, params.w = arrays.view(v, "V"), arrays.view(w, "W")
        params.accumulate = precision_of(accumulate)
        dtypes = self._sums(params.accumulate)
        by_x = by_y = numbers = None
        if x is not False and x is not None:
            by_x = arrays.output(None if x is True else x, (self.shape[0], self.d), dtypes, "x")
            params.x = arrays.view(by_x, "x")
        if y is not False and y is not None:
            by_y = arrays.output(None if y is True else y, (self.shape[1], self.d), dtypes, "y")
            params.y = arrays.view(by_y, "y")
        if parameters:
            numbers = ffi.new("double[]", max(1, lib.isg_gram_parameter_count(self.handle)))
            params.parameters = numbers
        self._call(lib.isg_gram_gradient, params, progress=progress, what="gradient")
        return Gradient(by_x, by_y, None if numbers is None else self._parameters(numbers))

    def _parameters(self, derivatives: Any) -> tuple[GradientParameter, ...]:
        found = []
        p = ffi.new("isg_gradient_parameter *")
        for index in range(lib.isg_gram_parameter_count(self.handle)):
            self._context.call(lib.isg_gram_parameter, self.handle, index, p)
            found.append(GradientParameter(text(p.name), p.value, p.row, text(p.kernel.name) if p.kernel else "", p.coordinate,
                                           derivatives[index]))
        return tuple(found)

    # ---- on disk

    def save(self, path: str | os.PathLike[str], *, resume: bool = False, repair: bool = False, memory: int | str = "256M",
             layout: str = "full", dtype: Any = None, side: int = 0, progress: Progress = None) -> None:
        """Computes K into a .npy file, larger than memory if need be, tile by tile; what is computed is never lost.

        Parameters
        ----------
        path : str or path
            Beside it lies a journal, PATH.journal, with a checksum of each tile (docs/store.md).
        resume : bool
            Goes on with a file that is there: whatever ended the work, the finished file is the same byte for byte. False:
            a file that is there is an error.
        repair : bool
            As resume, of files that are cut short or damaged, too.
        memory : int or str
            Bytes for buffers in host memory, as a number or as "256M".
        layout : {"full", "tiles"}
            A matrix for ``numpy.load``, or the lower triangle by tiles.
        dtype : dtype, optional
            The operator's, or float16 beside float32.
        side : int
            Of a tile, a multiple of 64. 0: as memory allows.
        progress : callable or bool, optional

        Raises
        ------
        ArgumentError
            The file is there, or is of something else.
        FileError, FormatError
        """
        params = ffi.new("isg_store_params *")
        words = ffi.new("char[]", os.fsencode(path))
        params.path, params.gram = words, self._params
        params.layout = _word(_LAYOUTS, layout, "layout")
        if dtype is not None:
            params.dtype = arrays.DTYPES.get(np.dtype(dtype), lib.ISG_DTYPE_COUNT)
        params.side = arrays.whole(side, "side")
        params.memory_bytes = _bytes(memory)
        params.resume, params.repair = bool(resume), bool(repair)
        params.progress, params.progress_user = lib.isg_watch_store, self._watch.struct
        store = ffi.new("isg_store **")
        self._context.keep(store, lib.isg_store_close, (params, words, self._alive))
        try:
            self.handle
            chosen = self.progress if progress is None else progress
            self._context.call(lib.isg_store_create, self._context.handle, store, params, watch=self._watch, progress=chosen,
                               what="checking")
            self._context.call(lib.isg_store_compute, store[0], ffi.NULL, watch=self._watch, progress=chosen, what="saving")
        finally:
            self._context.drop(store)


def _restore(arguments: dict[str, Any]) -> Gram:
    return Gram(**arguments)


class _Transpose(_Operator):
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
