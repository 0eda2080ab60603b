"""Derivatives by points and by the covariance function's numbers."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike, NDArray

from isogram import arrays
from isogram._native import ffi, lib, text
from isogram.base_operator import Bound
from isogram.devices import precision_of
from isogram.progress import Progress


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


class Gradients(Bound):
    """What has derivatives."""

    __slots__ = ()

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
            self._call(lib.isg_gram_parameter, index, p)
            found.append(GradientParameter(text(p.name), p.value, p.row, text(p.kernel.name) if p.kernel else "", p.coordinate,
                                           derivatives[index]))
        return tuple(found)
