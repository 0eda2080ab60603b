"""The Gram operator, K[i, j] = k(x_i, y_j): never a matrix until asked for one."""
from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isogram import arrays
from isogram._native import ffi, lib, text
from isogram.base_operator import SKIPS, Operator, Transpose, choose
from isogram.devices import Context, current, precision_of
from isogram.errors import ArgumentError, DtypeError, ShapeError, check
from isogram.gradients import Gradients
from isogram.kernels import Kernel, kernel as find_kernel
from isogram.matrix import Matrix
from isogram.progress import Progress, Watch
from isogram.reductions import Reductions
from isogram.stores import Stores

_METHODS = {"contract": lib.ISG_METHOD_CONTRACT, "fast": lib.ISG_METHOD_FAST}


class Gram(Matrix, Reductions, Gradients, Stores):
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
        self._arguments = (x, y, name, gamma, sigma, lengthscale, include, factors, precision, method, tolerance, allow_nonfinite,
                           parameters)
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
        params.method = choose(_METHODS, method, "method")
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
        n = x.shape[0] if include is None else int(np.count_nonzero(chosen))
        self.shape = (n, n if y is None else y.shape[0])
        self.d: int = x.shape[1]
        self.dtype = arrays.FLOAT32 if params.precision == lib.ISG_PRECISION_F32 else arrays.FLOAT64

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
        row, names = _row(name)
        if row:
            self._params.kernel = row
            if parameters:
                self._set_parameters(name, names, parameters)
            return
        error = ffi.new("isg_error *")
        composite = ffi.gc(ffi.new("isg_composite **"), lib.isg_composite_destroy)
        check(lib.isg_kernel_parse(composite, name.encode(), error), error)
        if parameters:
            raise ArgumentError(f"parameters of kernels that are put together stand in the text: {name!r} beside "
                                f"{', '.join(parameters)}")
        self._alive.append(composite)
        self._params.composite = composite[0]

    def _set_parameters(self, name: str, names: tuple[str, ...], parameters: dict[str, Any]) -> None:
        for key in parameters:
            if key not in names:
                has = f"its parameters are {', '.join(names)}" if names else "it has no parameters but its scale"
                raise ArgumentError(f"kernel {name} has no parameter {key!r}; {has}")
        settings = ffi.new("isg_setting[]", len(parameters))
        for setting, (key, value) in zip(settings, parameters.items()):
            letters = ffi.new("char[]", key.encode())
            self._alive.append(letters)
            setting.name, setting.value = letters, arrays.number(value, key)
        self._alive.append(settings)
        self._params.settings, self._params.setting_count = settings, len(parameters)

    @property
    def handle(self) -> Any:
        """The ``isg_gram *``; raises where the operator is closed."""
        self._context.handle  # noqa: B018  # raises where the context is closed or of another process
        if not self._out[0]:
            raise ArgumentError("this Gram is closed")
        return self._out[0]

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
        for points in self._arguments[:2]:
            if arrays.is_opencl(points):
                raise DtypeError("a Gram of points in a device's memory cannot be pickled; get() them first")
        return _restore, self._arguments

    def __repr__(self) -> str:
        n, m = self.shape
        if not self._out[0]:
            return "<isogram.Gram, closed>"
        return f"<isogram.Gram {n} x {m}, {self.kernel}, {self.dtype}, {self.contract}>"

    @property
    def T(self) -> Operator:
        """The transpose; nothing is computed."""
        return Transpose(self)

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
        params.skip = choose(SKIPS, skip, "skip")
        params.tolerance = arrays.number(tolerance, "tolerance")
        out = arrays.output(out, (n, *v.shape[1:]), self._sums(params.accumulate))
        if params.alpha == 0:  # which is C's word for 1
            out *= params.beta
            return out
        self._call(lib.isg_gram_apply, arrays.view(v, "V"), arrays.view(out, "out"), params, progress=progress, what="apply")
        return out


@lru_cache(maxsize=256)
def _row(name: str) -> tuple[Any, tuple[str, ...]]:
    """A kernel's row, which lives for ever, and its parameters' names; NULL: none is called so."""
    row = lib.isg_kernel_find(name.encode())
    known = find_kernel(name)
    return row, tuple(p.name for p in known.parameters) if known is not None else ()


def _restore(X: Any, Y: Any, kernel: str, gamma: Any, sigma: Any, lengthscale: Any, include: Any, factors: Any,
             precision: str | None, method: str, tolerance: Any, allow_nonfinite: bool, parameters: dict[str, Any]) -> Gram:
    return Gram(X, Y, kernel, gamma=gamma, sigma=sigma, lengthscale=lengthscale, include=include, factors=factors,
                precision=precision, method=method, tolerance=tolerance, allow_nonfinite=allow_nonfinite, **parameters)
