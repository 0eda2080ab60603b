"""The registry of covariance functions, as the library has it at run time."""
from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from isogram._native import ffi, lib, text

_SCALES = {
    lib.ISG_SCALE_GAMMA: "gamma",
    lib.ISG_SCALE_RATE: "rate",
    lib.ISG_SCALE_LENGTHSCALE: "lengthscale",
    lib.ISG_SCALE_NONE: "none",
}


@dataclass(frozen=True)
class Parameter:
    """A parameter of a kernel besides its scale, in [least, most]."""

    name: str
    default: float
    least: float
    most: float
    whole: bool  #: whether only whole numbers will do
    summary: str


@dataclass(frozen=True)
class Kernel:
    """A row of the registry.

    ``scale`` says how the scale may be given: "gamma" (as gamma, sigma or lengthscale: gamma = 1/(2 sigma^2) =
    1/(2 lengthscale^2)), "rate" (as gamma alone), "lengthscale" (likewise any of the three; 1 by default) or "none".
    ``gamma`` is the default of the first two kinds; 0 stands for 1/d. ``on_diagonal`` is k(x, x), NaN where that depends
    on x.
    """

    name: str
    aliases: tuple[str, ...]
    summary: str
    pair: str
    scale: str
    gamma: float
    parameters: tuple[Parameter, ...]
    on_diagonal: float
    has_gradient: bool


@lru_cache(maxsize=None)
def kernels() -> tuple[Kernel, ...]:
    """All kernels, in the order of docs/kernels.md.

    Examples
    --------
    >>> import isogram
    >>> isogram.kernels()[0].name
    'rbf'
    """
    rows = []
    listed = lib.isg_kernel_list()
    count = 0
    while listed[count] != ffi.NULL:
        row = listed[count]
        count += 1
        rows.append(Kernel(
            name=text(row.name),
            aliases=tuple(text(alias) for alias in row.aliases if alias),
            summary=text(row.summary),
            pair=text(lib.isg_pair_name(row.pair)),
            scale=_SCALES[row.scale],
            gamma=row.gamma,
            parameters=tuple(Parameter(text(p.name), p.fallback, p.least, p.most, bool(p.whole), text(p.summary))
                             for p in row.params if p.name),
            on_diagonal=row.on_diagonal,
            has_gradient=bool(lib.isg_kernel_has_gradient(row)),
        ))
    return tuple(rows)


def kernel(name: str) -> Kernel | None:
    """The kernel of a name or alias; None when there is none."""
    for row in kernels():
        if name == row.name or name in row.aliases:
            return row
    return None
