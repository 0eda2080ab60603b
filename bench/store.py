#!/usr/bin/env python3
"""A Gram matrix larger than its buffers, on disk: store.py BUILD_DIR [--n 40000] [--d 16] [--memory 256M] [--rounds 1] [--folder .]

Needs tests/file_faults and bench/write_tiles built there. In each round, one after the other:
- computing alone: the store with all writes to its file swallowed (tests/file_faults), checksums and mirrors included, less what it waited
  for the writer all the same;
- writing alone: the same writes with nothing computed, and a plain write in order, both until the bytes are on the disk;
- the store, with its own fsyncs; its peak of resident memory; and whether it is what it should be, by `isogram store check`.
The share is the time of the slower of the first two over the store's. Medians over rounds. The files are removed.
"""
import argparse
import array
import json
import os
import random
import statistics
import struct
import subprocess
import tempfile
from pathlib import Path


def points(path, n, d):
    """Uniform in [-1, 1)."""
    noise = random.Random(1)
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({n}, {d}), }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    values = array.array("f", (noise.uniform(-1, 1) for _ in range(n * d)))
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + values.tobytes())


def store(command, folder, args, env=None):
    """The report's last line, and the peak of resident memory in MiB."""
    script = "import resource, subprocess, sys\n" \
             "done = subprocess.run(sys.argv[1:], check=True, capture_output=True, text=True)\n" \
             "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); print(done.stdout.splitlines()[-1])"
    out = subprocess.run(["python3", "-c", script, command, "gram", "x.npy", "--store", "-o", "k.npy", "--json", *args], cwd=folder, check=True,
                         capture_output=True, text=True, env={**os.environ, **(env or {})}).stdout.splitlines()
    return json.loads(out[1]), int(out[0]) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--n", type=int, default=40000)
    parser.add_argument("--d", type=int, default=16)
    parser.add_argument("--memory", default="256M")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--folder", default=".")
    a = parser.parse_args()
    build = Path(a.build).resolve()
    command, layer, writer = (str(build / name) for name in ("tools/isogram", "tests/file_faults.so", "bench/write_tiles"))
    void = {"LD_PRELOAD": layer, "ISOGRAM_FAULT": "write:0:void", "ISOGRAM_FAULT_FILE": "k.npy"}
    rows = []
    with tempfile.TemporaryDirectory(dir=a.folder, prefix="isogram-store-") as folder:
        points(Path(folder) / "x.npy", a.n, a.d)
        for turn in range(a.rounds + 1):  # the first one only compiles
            for name in ("k.npy", "k.npy.journal"):
                Path(folder, name).unlink(missing_ok=True)
            alone, _ = store(command, folder, ["--memory", a.memory], void)
            side = alone["side"]
            Path(folder, "k.npy").unlink()
            Path(folder, "k.npy.journal").unlink()
            if turn == 0:
                continue
            tiles, order = (float(subprocess.run([writer, "w", str(a.n), str(side), *more], cwd=folder, check=True, capture_output=True, text=True).stdout)
                            for more in ([], ["in-order"]))
            report, peak = store(command, folder, ["--memory", a.memory])
            check = subprocess.run([command, "store", "check", "k.npy"], cwd=folder, check=True, capture_output=True, text=True).stdout
            s = report["seconds"]
            rows.append({"computing alone": alone["seconds"]["all"] - alone["seconds"]["wait"], "the device alone": alone["seconds"]["compute"], "writing alone": tiles,
                         "writing in order": order, "the store": s["all"], "its device": s["compute"], "its writer": s["write"], "it waited": s["wait"],
                         "peak MiB": peak})
            print(f"{check.strip()}; side {side}, {report['computed_bytes'] / 1e9:.2f} GB", flush=True)
    for name in rows[0]:
        values = [row[name] for row in rows]
        print(f"{name:18} {statistics.median(values):8.2f}  ({min(values):.2f} to {max(values):.2f})")
    for name, slower in (("share", "writing alone"), ("share, in order", "writing in order")):
        shares = [max(row["computing alone"], row[slower]) / row["the store"] for row in rows]
        print(f"{name:18} {statistics.median(shares):8.2f}  ({min(shares):.2f} to {max(shares):.2f})")


if __name__ == "__main__":
    main()
