#!/usr/bin/env python3
"""The command as a whole process, from start to exit: process.py [--runs 7] PATH_TO_ISOGRAM

- a grid with every cache empty, and with them warm: seconds;
- peak memory of a Gram matrix, n = 8192, d = 64, fp32, caches warm, beyond K itself: MiB.
Medians. Caches live in a temporary folder.
"""
import argparse
import array
import os
import shutil
import statistics
import struct
import subprocess
import tempfile
import time
from pathlib import Path


def write_points(path, n, d):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({n}, {d}), }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    values = array.array("f", ((i * 2654435761 % 65536) / 65536 for i in range(n * d)))
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + values.tobytes())


def seconds_of(command, env, cwd):
    start = time.perf_counter()
    subprocess.run(command, check=True, env=env, cwd=cwd, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def peak_mib(command, env, cwd):
    """The peak of one child. A fresh interpreter waits for it, whose children it is the only one of."""
    code = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); " \
           "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    out = subprocess.run(["python3", "-c", code, *command], check=True, env=env, cwd=cwd, capture_output=True, text=True).stdout
    return int(out) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command")
    parser.add_argument("--runs", type=int, default=7)
    a = parser.parse_args()
    command = str(Path(a.command).resolve())
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        env = dict(os.environ, HOME=folder, XDG_CACHE_HOME=str(root / "cache"), POCL_CACHE_DIR=str(root / "cache" / "pocl"))
        env.pop("ISOGRAM_CACHE_DIR", None)
        grid = [command, "grid", "--size", "21", "--sigma", "3", "-o", "g.npy"]
        cold = []
        for _ in range(a.runs):
            shutil.rmtree(root / "cache", ignore_errors=True)
            (root / "cache" / "pocl").mkdir(parents=True)
            cold.append(seconds_of(grid, env, folder))
        warm = [seconds_of(grid, env, folder) for _ in range(a.runs)]
        print(f"grid, caches empty  {statistics.median(cold):.3f} s  ({min(cold):.3f} to {max(cold):.3f})")
        print(f"grid, caches warm   {statistics.median(warm):.3f} s  ({min(warm):.3f} to {max(warm):.3f})")

        n, d = 8192, 64
        write_points(root / "x.npy", n, d)
        k_mib = n * n * 4 / 2**20
        for output in ("k.npy", "/dev/null"):
            gram = [command, "gram", "x.npy", "-o", output, "--quiet"]
            seconds_of(gram, env, folder)
            peaks = [peak_mib(gram, env, folder) - k_mib for _ in range(3)]
            print(f"gram to {output:10}  K + {statistics.median(peaks):.0f} MiB at the peak (K {k_mib:.0f} MiB)")


if __name__ == "__main__":
    main()
