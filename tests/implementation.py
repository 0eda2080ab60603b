#!/usr/bin/env python3
"""`isogram verify --quick`, or another program, on one OpenCL implementation: implementation.py NAME PROGRAM [WHEELS]

NAME is a row of IMPLEMENTATIONS. Drivers of the system are found through the ICD loader; those from the package index of Python lie
in the folder WHEELS, unpacked by tools/wheels. One that is not here skips the test by name (exit status 77). PoCL keeps what it
compiled in the caller's POCL_CACHE_DIR, where there is one.
"""
import glob
import os
import subprocess
import sys
import tempfile
from pathlib import Path

SKIPPED = 77
VENDORS = Path("/etc/OpenCL/vendors")

# name: (what it is, its ICD, environment)
IMPLEMENTATIONS = {
    "pocl": ("PoCL", VENDORS / "pocl.icd", {}),
    "pocl-flushing": ("PoCL, subnormal numbers flushed", VENDORS / "pocl.icd",
                      {"POCL_EXTRA_BUILD_FLAGS": "-cl-denorms-are-zero"}),
    "pocl-one-thread": ("PoCL with one thread", VENDORS / "pocl.icd", {"POCL_MAX_PTHREAD_COUNT": "1"}),
    "rusticl": ("Mesa's rusticl on llvmpipe", VENDORS / "rusticl.icd", {"RUSTICL_ENABLE": "llvmpipe"}),
    "clover": ("Mesa's Clover on llvmpipe", VENDORS / "mesa.icd", {"LP_CL": "1"}),
    "oclgrind": ("Oclgrind", "/usr/lib/oclgrind/liboclgrind-rt-icd.so", {}),
    "intel": ("Intel's CPU runtime (intel-opencl-rt)", "intel/libintelocl.so", {}),
    "pocl-wheel": ("PoCL of pocl-binary-distribution", "pocl/pyopencl/.libs/libpocl*.so", {}),
}


# Drivers that abort the process on processors with an instruction set, as /proc/cpuinfo has it: this one, of which no newer one is
# to be had, has no fma for vectors of AVX-512.
BROKEN = {"pocl-wheel": "avx512f"}


def find(icd, wheels):
    """The file to name to the loader, and the folder of its libraries."""
    if str(icd).startswith("/"):
        return (Path(icd), None) if Path(icd).exists() else (None, None)
    found = sorted(glob.glob(os.path.join(wheels, icd))) if wheels else []
    return (Path(found[0]), Path(found[0]).parent) if found else (None, None)


def main(name, program, wheels=None):
    what, icd, settings = IMPLEMENTATIONS[name]
    driver, libraries = find(icd, wheels)
    if not driver:
        print(f"skipped: {what} is not here ({icd})")
        return SKIPPED
    flag = BROKEN.get(name)
    if flag and flag in Path("/proc/cpuinfo").read_text().split():
        print(f"skipped: {what} aborts on this processor, which has {flag}")
        return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        # The loader opens a library that it is named; a file of the vendors' folder it finds by its name alone.
        environment = dict(os.environ, **settings, OCL_ICD_VENDORS=str(driver), ISOGRAM_CACHE_DIR="off",
                           POCL_CACHE_DIR=os.environ.get("POCL_CACHE_DIR", folder))
        environment.pop("ISOGRAM_DEVICE", None)
        if libraries:
            environment["LD_LIBRARY_PATH"] = str(libraries)
        print(f"{what}: {driver}", flush=True)
        arguments = ["verify", "--quick"] if Path(program).name == "isogram" else []
        return subprocess.run([program, *arguments], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
