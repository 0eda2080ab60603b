"""Gaussian kernels on any OpenCL device, with the same bits on every one.

``Gram`` is the operator K[i, j] = k(x_i, y_j); ``kernels()`` lists the covariance functions, ``devices()`` what computes
here, and ``use`` chooses. docs/python.md is the tour.
"""
from typing import Any

from isogram._native import lib as _lib, text as _text
from isogram.devices import Context, Device, devices, use
from isogram.errors import Error
from isogram.gradients import Gradient, GradientParameter
from isogram.gram import Gram
from isogram.kernels import Kernel, Parameter, kernel, kernels

from isogram import pairwise
from isogram.filters import gaussian_filter, gaussian_filter1d, gaussian_gradient_magnitude, gaussian_laplace
from isogram.grids import Recipe, RecipeWarning, gaussian_grid, gaussian_profiles, grid_recipes
from isogram.pairwise import (
    additive_chi2_kernel, chi2_kernel, cosine_similarity, euclidean_distances, laplacian_kernel, linear_kernel, manhattan_distances,
    pairwise_kernels, pairwise_kernels_chunked, polynomial_kernel, rbf_kernel, sigmoid_kernel,
)

__version__ = _text(_lib.isg_version())

__all__ = [
    "Context", "Device", "Error", "Gradient", "GradientParameter", "Gram", "Kernel", "Parameter", "devices", "kernel", "kernels", "use",
    "gaussian_filter", "gaussian_filter1d", "gaussian_gradient_magnitude", "gaussian_laplace",
    "Recipe", "RecipeWarning", "gaussian_grid", "gaussian_profiles", "grid_recipes",
    "additive_chi2_kernel", "chi2_kernel", "cosine_similarity", "euclidean_distances", "laplacian_kernel", "linear_kernel",
    "manhattan_distances", "pairwise_kernels", "pairwise_kernels_chunked", "polynomial_kernel", "rbf_kernel", "sigmoid_kernel",
]


def __getattr__(name: str) -> Any:
    # Functions of further rows of the registry, such as matern52_kernel.
    if name.endswith("_kernel") and hasattr(pairwise, name):
        return getattr(pairwise, name)
    raise AttributeError(f"module 'isogram' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *(name for name in dir(pairwise) if name.endswith("_kernel"))})
