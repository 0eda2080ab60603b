#!/usr/bin/env python3
"""A support vector machine on a Gram matrix that lies on disk: svm.py PATH_TO_ISOGRAM [FOLDER]

Needs NumPy and scikit-learn. The matrix of all digits is written by isogram, in tiles of 16 MiB of buffers; what of it a
machine needs is read through a memory map. Run it again after an interruption: it goes on.
"""
import subprocess
import sys
from pathlib import Path

import numpy as np
from sklearn.svm import SVC

here = Path(__file__).resolve().parent
SIGMA = 22.0  # pixels are counts from 0 to 16


def main(command, folder="."):
    k_path = Path(folder) / "K.npy"
    subprocess.run([command, "gram", here / "digits.npy", "--precision", "f64", "--sigma", str(SIGMA), "--memory", "16M",
                    "--resume", "-o", k_path], check=True)
    subprocess.run([command, "store", "check", k_path], check=True)
    k, labels = np.load(k_path, mmap_mode="r"), np.load(here / "digits-labels.npy")
    train, test = slice(0, 1200), slice(1200, None)
    machine = SVC(kernel="precomputed", C=10).fit(k[train, train], labels[train])
    guesses = machine.predict(k[test, train])
    print(f"{np.mean(guesses == labels[test]):.4f} of {len(guesses)} digits right")
    x = np.load(here / "digits.npy").astype(float)
    own = SVC(kernel="rbf", gamma=1 / (2 * SIGMA**2), C=10).fit(x[train], labels[train])
    print(f"the same guesses as with scikit-learn's own kernel: {np.mean(guesses == own.predict(x[test])):.4f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
