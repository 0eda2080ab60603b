"""Kernels for scikit-learn's Gaussian processes: a class for every row of ``isogram.kernels()`` that has derivatives.

``Rbf``, ``Matern12``, ``Matern32``, ``Matern52``, ``RationalQuadratic``, ``Periodic``, ``Laplacian``, ``Polynomial`` and so on: the
rows' names in capitals. They are ``sklearn.gaussian_process.kernels.Kernel``s: hyperparameters with bounds, ``theta``, ``clone``,
sums, products and powers, also with scikit-learn's own. Values and derivatives are the library's, in double precision.

Importing this module imports scikit-learn; ``import isogram`` does not.

Examples
--------
>>> import numpy as np
>>> from sklearn.gaussian_process import GaussianProcessRegressor
>>> from sklearn.gaussian_process.kernels import WhiteKernel
>>> from isogram.gaussian_process import Matern52
>>> X = np.linspace(0, 6, 40).reshape(-1, 1)
>>> kernel = 1.0 * Matern52(length_scale=0.5) + WhiteKernel(1e-3)
>>> model = GaussianProcessRegressor(kernel).fit(X, np.sin(X[:, 0]))
>>> bool(abs(model.predict([[1.5]])[0] - np.sin(1.5)) < 0.01)
True
"""
from __future__ import annotations

import inspect
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.gaussian_process.kernels import Hyperparameter, Kernel as _SklearnKernel

from isogram import arrays
from isogram._native import ffi, lib, text
from isogram.errors import ArgumentError, ShapeError
from isogram.gram import Gram
from isogram.kernels import Kernel, Parameter, kernel as find_kernel, kernels

#: Bytes of pairs' coordinates at a time.
_PAIR_BYTES = 1 << 26
_BOUNDS = (1e-5, 1e5)  # scikit-learn's default


def _pair_derivatives(x: NDArray[Any], y: NDArray[Any], row: Kernel, given: dict[str, Any]) -> tuple[list[tuple[str, int]], NDArray[Any]]:
    """dk(x_i, y)/dp of all i and one y: names of numbers with their coordinate (or -1), and n x numbers."""
    with Gram(x, y, row.name, precision="f64", **given) as K:
        count = lib.isg_gram_parameter_count(K.handle)
        number = ffi.new("isg_gradient_parameter *")
        names = []
        for index in range(count):
            K.context.call(lib.isg_gram_parameter, K.handle, index, number)
            names.append((text(number.name), int(number.coordinate)))
        rows: NDArray[Any] = np.empty((len(x), count))
        params = ffi.new("isg_gradient_params *")
        ones, one = np.ones(len(x)), np.ones(1)
        params.v, params.w, params.rows = arrays.view(ones), arrays.view(one), arrays.view(rows)
        K.context.call(lib.isg_gram_gradient, K.handle, params, watch=K._watch, what="gradient")
    return names, rows


class RegistryKernel(_SklearnKernel):  # type: ignore[misc, unused-ignore]
    """What the kernels have in common; not to be used itself.

    Parameters of a kernel are its scale, ``length_scale`` (one, or one for each coordinate) or ``gamma``, and the row's own;
    each that is a positive real number has bounds beside it, ``length_scale_bounds`` and so on: a pair, or "fixed".
    """

    row: Kernel  #: the registry's

    @property
    def anisotropic(self) -> bool:
        """Whether each coordinate has a length scale of its own."""
        return np.size(getattr(self, "length_scale", 1.0)) > 1

    def _given(self, d: int) -> dict[str, Any]:
        """Scale and parameters, as Gram takes them."""
        given: dict[str, Any] = {p.name: getattr(self, p.name) for p in self.row.parameters}
        if self.row.scale == "rate":
            given["gamma"] = self.gamma
        elif self.row.scale != "none":
            scale: Any = np.squeeze(np.asarray(self.length_scale, dtype=np.float64))
            if scale.ndim > 1:
                raise ShapeError("length_scale cannot be of dimension greater than 1")
            if scale.ndim == 1 and len(scale) != d:
                raise ShapeError(f"Anisotropic kernel must have the same number of dimensions as data ({len(scale)}!={d})")
            given["lengthscale"] = float(scale) if scale.ndim == 0 else scale
        return given

    def __call__(self, X: Any, Y: Any = None, eval_gradient: bool = False) -> Any:
        """k(X, Y), and its derivatives by the logarithms of the hyperparameters.

        Parameters
        ----------
        X : (n, d) array_like
        Y : (m, d) array_like, optional
            None: X.
        eval_gradient : bool
            Only where Y is None.

        Returns
        -------
        K : (n, m) ndarray
        K_gradient : (n, n, n_dims) ndarray
            In the order of ``theta``; only with eval_gradient.
        """
        X = np.atleast_2d(X)
        if Y is not None and eval_gradient:
            raise ArgumentError("Gradient can only be evaluated when Y is None.")
        given = self._given(X.shape[1])
        with Gram(X, None if Y is None else np.atleast_2d(Y), self.row.name, precision="f64", **given) as gram:
            K = gram.dense()
        if not eval_gradient:
            return K
        return K, self._gradient(np.asarray(X, dtype=np.float64), given)

    def _gradient(self, x: NDArray[Any], given: dict[str, Any]) -> NDArray[Any]:
        wanted = self._wanted()
        n, d = x.shape
        gradient: NDArray[Any] = np.zeros((n, n, len(wanted)))
        if not wanted:
            return gradient
        # The pairs of some rows at a time, of the triangle.
        first = 0
        while first < n:
            last = first + 1
            while last < n and (last - first + 1) * (last + 1) * d * 8 <= _PAIR_BYTES:
                last += 1
            if self.row.pair == "chi2":
                for r in range(first, last):
                    names, rows = _pair_derivatives(x[:r + 1], x[r:r + 1], self.row, given)
                    self._put(gradient, np.full(r + 1, r), np.arange(r + 1), names, rows, wanted)
            else:
                i = np.concatenate([np.full(r + 1, r) for r in range(first, last)])
                j = np.concatenate([np.arange(r + 1) for r in range(first, last)])
                # What depends on x - y, or on x y, has the same value beside the origin, or beside ones.
                if self.row.pair == "dot":
                    names, rows = _pair_derivatives(x[i] * x[j], np.ones((1, d)), self.row, given)
                else:
                    names, rows = _pair_derivatives(x[i] - x[j], np.zeros((1, d)), self.row, given)
                self._put(gradient, i, j, names, rows, wanted)
            first = last
        return gradient

    def _wanted(self) -> list[tuple[str, int, float]]:
        """Numbers of the function, as the library names them, in the order of theta: name, coordinate, value."""
        wanted: list[tuple[str, int, float]] = []
        for hyperparameter in self.hyperparameters:
            if not hyperparameter.fixed:
                name = "lengthscale" if hyperparameter.name == "length_scale" else hyperparameter.name
                values = np.atleast_1d(getattr(self, hyperparameter.name))
                wanted += [(name, at if len(values) > 1 else -1, float(value)) for at, value in enumerate(values)]
        return wanted

    @staticmethod
    def _put(gradient: NDArray[Any], i: NDArray[Any], j: NDArray[Any], names: list[tuple[str, int]], rows: NDArray[Any],
             wanted: list[tuple[str, int, float]]) -> None:
        for at, (name, coordinate, value) in enumerate(wanted):
            column = rows[:, names.index((name, coordinate))] * value  # by the logarithm
            gradient[i, j, at] = column
            gradient[j, i, at] = column

    def diag(self, X: Any) -> NDArray[Any]:
        """k(x, x) of each row of X."""
        X = np.atleast_2d(X)
        if np.isfinite(self.row.on_diagonal):
            return np.full(len(X), self.row.on_diagonal)
        with Gram(X, kernel=self.row.name, precision="f64", **self._given(X.shape[1])) as gram:
            return np.asarray(gram.diagonal())

    def is_stationary(self) -> bool:
        """Whether k(x, y) depends on x - y alone."""
        return self.row.pair in ("sqdist", "l1")

    def __repr__(self) -> str:
        def said(value: Any) -> str:
            return f"[{', '.join(f'{v:.3g}' for v in value)}]" if np.iterable(value) else f"{float(value):.3g}"

        names = [name for name in inspect.signature(type(self)).parameters if not name.endswith("_bounds")]
        return f"{type(self).__name__}({', '.join(f'{name}={said(getattr(self, name))}' for name in names)})"


def _hyperparameter(name: str) -> property:
    def get(self: RegistryKernel) -> Any:
        return Hyperparameter(name, "numeric", getattr(self, f"{name}_bounds"), int(np.size(getattr(self, name))))

    return property(get)


def _class(row: Kernel) -> type[RegistryKernel]:
    """The class of a row, whose constructor takes what the row has, as scikit-learn's convention wants it."""
    defaults: dict[str, Any] = {}
    tuned = []

    def add(name: str, default: float, bounds: Any) -> None:
        defaults[name] = default
        if bounds is not None:
            defaults[f"{name}_bounds"] = bounds
            tuned.append(name)

    if row.scale == "rate":
        add("gamma", 1.0, _BOUNDS)
    elif row.scale != "none":
        add("length_scale", 1.0, _BOUNDS)
    for p in row.parameters:
        # theta is logarithms: a number that may be negative, or 0, is fixed unless it is given bounds.
        add(p.name, int(p.default) if p.whole else p.default, None if p.whole else _BOUNDS if p.least > 0 else "fixed")

    def __init__(self: RegistryKernel, *args: Any, **kwds: Any) -> None:
        bound = signature.bind(self, *args, **kwds)
        bound.apply_defaults()
        for name, value in list(bound.arguments.items())[1:]:
            setattr(self, name, value)

    either = inspect.Parameter.POSITIONAL_OR_KEYWORD
    signature = inspect.Signature([inspect.Parameter("self", either),
                                   *(inspect.Parameter(name, either, default=value) for name, value in defaults.items())])
    __init__.__signature__ = signature  # type: ignore[attr-defined]
    name = "".join(word.capitalize() for word in row.name.split("_"))
    body: dict[str, Any] = {"__init__": __init__, "row": row, "__module__": __name__, "__doc__": _doc(row, defaults, tuned)}
    body |= {f"hyperparameter_{one}": _hyperparameter(one) for one in tuned}
    return type(name, (RegistryKernel,), body)


def _doc(row: Kernel, defaults: dict[str, Any], tuned: list[str]) -> str:
    own: dict[str, Parameter] = {p.name: p for p in row.parameters}
    lines = [f"{row.summary}, r being |x - y|/length_scale.", "", "    Parameters", "    ----------"]
    for name, value in defaults.items():
        if name.endswith("_bounds"):
            lines += [f"    {name} : pair of float or \"fixed\", default={value!r}"]
        elif name in own:
            lines += [f"    {name} : {'int' if own[name].whole else 'float'}, default={value!r}", f"        {own[name].summary}."]
        else:
            lines += [f"    {name} : float{' or (d,) array_like' if name == 'length_scale' else ''}, default={value!r}"]
    return "\n".join([*lines, "    "])


_CLASSES = {row.name: _class(row) for row in kernels() if row.has_gradient}
globals().update({one.__name__: one for one in _CLASSES.values()})
__all__ = ["RegistryKernel", "kernel_class", *(one.__name__ for one in _CLASSES.values())]


def kernel_class(name: str) -> type[RegistryKernel]:
    """The class of a kernel's name or alias.

    Examples
    --------
    >>> kernel_class("gaussian")(length_scale=2.0)
    Rbf(length_scale=2)
    """
    row = find_kernel(name)
    if row is None or row.name not in _CLASSES:
        raise ArgumentError(f"there is no kernel {name!r} with derivatives; there are {', '.join(_CLASSES)}")
    return _CLASSES[row.name]


def __getattr__(name: str) -> Any:
    raise AttributeError(f"module 'isogram.gaussian_process' has no attribute {name!r}")
