"""The C library as cffi binds it: ``ffi`` and ``lib``. Knows how the OpenCL loader is told of a PoCL from a wheel."""
from __future__ import annotations

import glob
import importlib.util
import os
from typing import Any

LOADER_ADVICE = (
    "isogram needs the OpenCL loader, libOpenCL.so.1. On Debian and Ubuntu: apt install ocl-icd-libopencl1 pocl-opencl-icd; "
    "with conda: conda install -c conda-forge ocl-icd pocl. Drivers of GPUs bring one, too."
)

DEVICE_ADVICE = (
    "An OpenCL device needs a driver: the one of your GPU, or PoCL for the CPU. On Debian and Ubuntu: apt install "
    "pocl-opencl-icd; from Python's package index: pip install 'isogram[pocl]'; with conda: conda install -c conda-forge pocl. "
    "isogram.devices() lists what is found."
)


def wheel_of_pocl(environment: dict[str, str] | os._Environ[str], vendors: str = "/etc/OpenCL/vendors") -> str | None:
    """The folder that names PoCL's driver from the wheel pocl-binary-distribution, where no other driver is installed.

    None where the system has drivers of its own, or the environment says which to take: the loader finds those by itself.
    """
    if any(environment.get(name) for name in ("OCL_ICD_VENDORS", "OCL_ICD_FILENAMES", "OPENCL_VENDOR_PATH")):
        return None
    if glob.glob(os.path.join(vendors, "*.icd")):
        return None
    found = importlib.util.find_spec("pocl_binary_distribution")
    if found is None or not found.origin:
        return None
    libs = os.path.join(os.path.dirname(os.path.dirname(found.origin)), "pocl_binary_distribution.libs")
    return libs if glob.glob(os.path.join(libs, "*.icd")) else None


def _load() -> tuple[Any, Any]:
    folder = wheel_of_pocl(os.environ)
    if folder is not None:
        os.environ["OCL_ICD_VENDORS"] = folder  # read by the loader at its first call
    try:
        from isogram._isogram import ffi, lib
    except ImportError as error:
        if "libOpenCL" in str(error):
            raise ImportError(f"{error}. {LOADER_ADVICE}") from None
        raise
    return ffi, lib


ffi, lib = _load()


def text(pointer: Any) -> str:
    """A C string; "" for NULL."""
    return ffi.string(pointer).decode("utf-8", "replace") if pointer else ""
