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


# Drivers that abort the process on some processors, the words they do it with, and what is asked for first, so that it comes
# soon: this one has no fma for vectors of AVX-512.
BROKEN = {"pocl-wheel": ("In function: _Z7_cl_fmaDv16_fS_S_", ["--precision", "f32", "--arithmetic", "fused"])}


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
    with tempfile.TemporaryDirectory() as folder:
        # The loader opens a library that it is named; a file of the vendors' folder it finds by its name alone.
        environment = dict(os.environ, **settings, OCL_ICD_VENDORS=str(driver), ISOGRAM_CACHE_DIR="off",
                           POCL_CACHE_DIR=os.environ.get("POCL_CACHE_DIR", folder))
        environment.pop("ISOGRAM_DEVICE", None)
        if libraries:
            environment["LD_LIBRARY_PATH"] = str(libraries)
        print(f"{what}: {driver}", flush=True)
        broken, first = BROKEN.get(name, (None, None))
        runs = [["verify", "--quick"]] if Path(program).name == "isogram" else [[]]
        for arguments in [runs[0] + first, *runs] if first else runs:
            done = subprocess.run([program, *arguments], env=environment, check=False, stderr=subprocess.PIPE, text=True)
            sys.stderr.write(done.stderr)
            if broken and done.returncode < 0 and broken in done.stderr:
                print(f"skipped: {what} aborts on this processor ({broken})")
                return SKIPPED
            if done.returncode:
                break
        return done.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
