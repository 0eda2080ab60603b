#!/usr/bin/env python3
"""What skipping gains: skipping.py ISOGRAM [--n N] [--sigma S] [--sample 1000] [--jobs NAME,...]

A product with one column, n = m, d = 3, single precision, points clustered by --cluster, of several sets of points:

- uniform: in the unit cube, sigma 0.01: the job with targets (10^6 points: 5 % of the predicted full time, 200 MiB at the peak);
- wider: the same with sigma 0.03;
- blobs: a hundred Gaussian blobs of very different sizes, sigma 0.01;
- far: sigma 1, where nothing can be skipped: what looking costs.

For each: the rate of the full sum, measured in the same run by `--skip never` on a sample of the rows, with all sources; the full time that this
predicts; the time of the whole product; what was skipped; whether the sample's rows have equal bits; the peak memory of the whole process. The rows of
the sample are clustered and its sources are in the very order of the whole product, so that the sums have one order.
"""
import argparse
import array
import json
import random
import struct
import subprocess
import tempfile
from pathlib import Path

SIGMA = {"uniform": 0.01, "wider": 0.03, "blobs": 0.01, "far": 1.0}


def save(path, values, *shape):
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({', '.join(map(str, shape))},), }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + values.tobytes())


def load(path):
    data = path.read_bytes()
    values = array.array("f")
    values.frombytes(data[10 + struct.unpack("<H", data[8:10])[0]:])
    return values


def points(rng, job, n):
    if job != "blobs":
        return array.array("f", (rng.random() for _ in range(3 * n)))
    centres = [([rng.random() for _ in range(3)], 0.2 * rng.random() ** 3) for _ in range(100)]
    values = array.array("f")
    for _ in range(n):
        centre, size = rng.choice(centres)
        values.extend(c + rng.gauss(0, size) for c in centre)
    return values


def isogram(folder, command, *args):
    """The report, and the peak memory in MiB. A fresh interpreter waits for the process, whose only child it is."""
    code = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); " \
           "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    out = subprocess.run(["python3", "-c", code, command, *map(str, args), "--json", "--quiet"], cwd=folder, check=True,
                         capture_output=True, text=True).stdout
    report, peak = out.rstrip().rsplit("\n", 1)
    return json.loads(report), int(peak) / 1024


def measure(folder, command, job, n, sigma, sample):
    rng = random.Random(1)
    x, y = points(rng, job, n), points(rng, job, n)
    save(folder / "x.npy", x, n, 3)
    save(folder / "y.npy", y, n, 3)
    save(folder / "v.npy", array.array("f", (rng.uniform(-1, 1) for _ in range(n))), n)
    rows = sorted(rng.sample(range(n), sample))
    taken = array.array("f")
    for i in rows:
        taken.extend(x[3 * i:3 * i + 3])
    save(folder / "some.npy", taken, sample, 3)
    rest = ("y.npy", "--weights", "v.npy", "--sigma", sigma, "--cluster")
    for skip in ("never", "always"):  # compiles
        isogram(folder, command, "apply", "some.npy", *rest, "--skip", skip, "-o", "out.npy")
    full, _ = isogram(folder, command, "apply", "some.npy", *rest, "--skip", "never", "--repeat", 3, "-o", "want.npy")
    report, peak = isogram(folder, command, "apply", "x.npy", *rest, "-o", "out.npy")
    got, want = load(folder / "out.npy"), load(folder / "want.npy")
    equal = sum(struct.pack("f", got[i]) == struct.pack("f", want[k]) for k, i in enumerate(rows))
    seconds, skipping = report["seconds"], report["skipping"]
    predicted = n * n / full["pairs_per_s"]
    print(f"{job}, n = m = {n}, sigma {sigma}: full sum at {full['pairs_per_s'] / 1e9:.2f} Gpairs/s, predicted {predicted:.1f} s; "
          f"{seconds['compute']:.2f} s and {seconds['cluster']:.2f} s to cluster, {100 * seconds['compute'] / predicted:.2f} % "
          f"(target: 5 % for uniform); {100 * skipping['computed'] / skipping['pairs']:.2f} % of the pairs computed; "
          f"{equal} of {sample} rows with equal bits; peak {peak:.0f} MiB (target: 200)", flush=True)
    assert equal == sample


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("isogram")
    parser.add_argument("--n", type=int, default=1000000)
    parser.add_argument("--sigma", type=float)
    parser.add_argument("--sample", type=int, default=1000)
    parser.add_argument("--jobs", default="uniform")
    options = parser.parse_args()
    command = str(Path(options.isogram).resolve())
    with tempfile.TemporaryDirectory() as name:
        for job in options.jobs.split(","):
            measure(Path(name), command, job, options.n, options.sigma or SIGMA[job], options.sample)


if __name__ == "__main__":
    main()
