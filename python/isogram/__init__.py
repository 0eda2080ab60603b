"""Gaussian kernels on any OpenCL device, with the same bits on every one.

``Gram`` is the operator K[i, j] = k(x_i, y_j); ``kernels()`` lists the covariance functions, ``devices()`` what computes
here, and ``use`` chooses. docs/python.md is the tour.
"""
from isogram._native import lib as _lib, text as _text
from isogram.devices import Context, Device, devices, use
from isogram.errors import Error
from isogram.gradients import Gradient, GradientParameter
from isogram.gram import Gram
from isogram.kernels import Kernel, Parameter, kernel, kernels

__version__ = _text(_lib.isg_version())

__all__ = [
    "Context", "Device", "Error", "Gradient", "GradientParameter", "Gram", "Kernel", "Parameter", "devices", "kernel", "kernels", "use",
]
