"""The C library as cffi binds it: ``ffi`` and ``lib``. Knows how the OpenCL loader is told of a PoCL from a wheel."""
from __future__ import annotations

import glob
import importlib.util
import os
from collections.abc import Mapping
from typing import Any

LOADER_ADVICE = (
    "isogram needs the OpenCL loader, libOpenCL.so.1. On Debian and Ubuntu: apt install ocl-icd-libopencl1 pocl-opencl-icd; "
    "with conda: conda install -c conda-forge ocl-icd pocl. Drivers of GPUs bring one, too."
)

DEVICE_ADVICE = (
    "An OpenCL device needs a driver: the one of your GPU, or PoCL for the CPU. On Debian and Ubuntu: apt install "
    "pocl-opencl-icd; from Python's package index: pip install 'isogram[pocl]' (not for processors with AVX-512); with conda: "
    "conda install -c conda-forge pocl. "
    "isogram.devices() lists what is found."
)


def has_avx512(cpuinfo: str = "/proc/cpuinfo") -> bool:
    """Whether the processor has AVX-512."""
    try:
        with open(cpuinfo, encoding="utf-8", errors="replace") as file:
            return any(line.startswith("flags") and "avx512f" in line.split() for line in file)
    except OSError:
        return False


def wheel_of_pocl(environment: Mapping[str, str], vendors: str = "/etc/OpenCL/vendors",
                  avx512: bool | None = None) -> str | None:
    """PoCL's driver from the wheel pocl-binary-distribution, where no other driver is installed.

    None where the system has drivers of its own, or the environment says which to take: the loader finds those by itself. Nor
    on processors with AVX-512, where the PoCL 3.0 of that wheel ends the process: it has no fma for vectors of 16 numbers.
    """
    if any(environment.get(name) for name in ("OCL_ICD_VENDORS", "OCL_ICD_FILENAMES", "OPENCL_VENDOR_PATH")):
        return None
    if glob.glob(os.path.join(vendors, "*.icd")):
        return None
    found = importlib.util.find_spec("pocl_binary_distribution")
    if found is None or not found.origin:
        return None
    if has_avx512() if avx512 is None else avx512:
        return None
    site = os.path.dirname(os.path.dirname(found.origin))
    drivers = glob.glob(os.path.join(glob.escape(site), "pyopencl", ".libs", "libpocl*.so*"))
    return drivers[0] if drivers else None


def _load() -> tuple[Any, Any]:
    driver = wheel_of_pocl(os.environ)
    if driver is not None:
        os.environ["OCL_ICD_VENDORS"] = driver  # read by the loader at its first call
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
