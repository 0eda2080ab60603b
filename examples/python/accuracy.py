"""Digits that the usual formula loses: points that lie far from the origin.

|x|^2 + |y|^2 - 2 x.y, which scikit-learn's and most other code computes distances by, subtracts numbers of the size of |x|^2: where points
are far from the origin beside their distances (times, coordinates on a map), nothing is left. isogram takes differences first. (Of
float32 points scikit-learn computes in double; beyond 1e7 they are all equal.)
"""
import isogram
import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics.pairwise import rbf_kernel

random = np.random.default_rng(5)
shifts = 10.0 ** np.arange(0, 9)
figure, axes = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
print(f"{'':22} largest error at a distance of")
print(f"{'':22} " + " ".join(f"{shift:7.0e}" for shift in shifts))
for dtype, line in ((np.float32, "--"), (np.float64, "-")):
    for name, function in (("scikit-learn", rbf_kernel), ("isogram", isogram.rbf_kernel)):
        errors = []
        for shift in shifts:
            X = (random.normal(size=(100, 4)) + shift).astype(dtype)  # rounded here: what follows is exact
            exact = X.astype(np.longdouble)
            right = np.exp(-0.5 * ((exact[:, None] - exact) ** 2).sum(axis=2))
            errors.append(np.abs(function(X, gamma=0.5) - right).max())
        print(f"{name:12} {np.dtype(dtype).name:9} " + " ".join(f"{float(error):7.0e}" for error in errors))
        axes.loglog(shifts, errors, line, marker="o", markersize=3, label=f"{name}, {np.dtype(dtype).name}")
axes.legend(fontsize=8)
axes.set(xlabel="distance from the origin", ylabel="largest error in K")
