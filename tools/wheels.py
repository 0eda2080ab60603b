#!/usr/bin/env python3
"""Fetches OpenCL implementations for the tests from the package index of Python: wheels.py FOLDER

intel/ gets Intel's CPU runtime with the libraries it needs, pocl/ a PoCL with an LLVM of its own. Nothing is installed; what
is there already is kept. What cannot be had is named, and is no failure: the tests skip it by name. Needs pip.
"""
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

# folder: wheels, and what ends the part of a path that is dropped
WHEELS = {
    "intel": (["intel-opencl-rt", "intel-cmplr-lib-rt", "tbb", "tcmlib"], "/data/lib/"),
    "pocl": (["pocl-binary-distribution"], ""),  # its parts find each other by their places
}
UNWANTED = ("libOpenCL.so", "libtbbmalloc_proxy", "libiomp", "libtcm_debug", "libpstl")  # the loader is the system's


def fetch(folder, names, inside):
    with tempfile.TemporaryDirectory() as temporary:
        done = subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                               "--only-binary", ":all:", "--dest", temporary, *names],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=600)
        if done.returncode != 0:
            return (done.stderr.strip().splitlines() or ["pip failed"])[-1]
        unpacked = Path(temporary) / "unpacked"
        for wheel in Path(temporary).glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                for member in archive.namelist():
                    tail = member.partition(inside)[2] if inside else member
                    if not tail or member.endswith("/") or tail.startswith(UNWANTED):
                        continue
                    to = unpacked / tail
                    to.parent.mkdir(parents=True, exist_ok=True)
                    with archive.open(member) as source, open(to, "wb") as target:
                        shutil.copyfileobj(source, target)
        shutil.copytree(unpacked, folder.with_suffix(".new"), dirs_exist_ok=True)
    folder.with_suffix(".new").rename(folder)  # complete, or not there at all
    return None


def main(root):
    for name, (wheels, inside) in WHEELS.items():
        folder = Path(root) / name
        if folder.exists():
            continue
        try:
            reason = fetch(folder, wheels, inside)
        except (OSError, subprocess.TimeoutExpired, zipfile.BadZipFile) as error:
            reason = str(error)
        print(f"wheels: {name}: " + (f"not here: {reason}" if reason else "unpacked"), file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1])
