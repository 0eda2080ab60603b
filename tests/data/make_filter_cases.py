#!/usr/bin/env python3
"""Writes SciPy's results of gaussian_filter in float64 to tests/data/filter.

Each case is NAME.npy and a line in cases.tsv: name, input, and for each axis sigma, order, mode, radius (0: SciPy's own), then cval.
Run with a Python that has numpy and scipy:
    python3 make_filter_cases.py OUTDIR
"""
import sys
from pathlib import Path

import numpy as np
from scipy import ndimage

MODES = ["reflect", "mirror", "nearest", "constant", "wrap"]


def cases():
    for i, mode in enumerate(MODES):
        yield "line", (1.7,), (i % 4,), (mode,), (0,), 0.5
        yield "even", (1.1, 2.3), ((0, 0), (1, 0), (0, 2), (3, 1), (2, 2))[i], (mode, MODES[(i + 1) % 5]), (0, 0), -1.25
        yield "odd", (3.0, 0.6), (0, 0), (mode, mode), (0, 3), 0.0
        yield "small", (2.0, 5.0), (0, 1), (mode, mode), (0, 0), 2.0
        yield "volume", (1.0, 0.8, 1.5), ((0, 0, 0), (0, 1, 0), (0, 0, 2), (1, 1, 1), (0, 0, 0))[i], (mode,) * 3, (0, 4, 0), 0.75
    yield "odd", (0.0, 2.0), (0, 0), ("reflect", "reflect"), (0, 0), 0.0
    yield "line", (1.0,), (0,), ("grid-wrap",), (0,), 0.0
    yield "line", (1.0,), (2,), ("grid-constant",), (6,), 3.0


def main(out):
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(20261127)
    inputs = {"line": (29,), "even": (16, 12), "odd": (11, 17), "small": (3, 2), "volume": (6, 7, 8)}
    inputs = {name: random.uniform(-1, 1, shape) for name, shape in inputs.items()}
    rows = []
    for name, array in inputs.items():
        np.save(out / f"{name}.npy", array)
    for i, (source, sigma, order, mode, radius, cval) in enumerate(cases()):
        array = inputs[source]
        for axis, s in enumerate(sigma):
            if s > 1e-15:
                array = ndimage.gaussian_filter1d(array, s, axis, order[axis], mode=mode[axis], cval=cval,
                                                  **({"radius": radius[axis]} if radius[axis] else {}))
        name = f"{source}_{i}"
        np.save(out / f"{name}.npy", array)
        fields = [",".join(map(str, values)) for values in (sigma, order, mode, radius)]
        rows.append("\t".join([name, source, *fields, str(cval)]) + "\n")
    (out / "cases.tsv").write_text("".join(rows))


if __name__ == "__main__":
    main(sys.argv[1])
