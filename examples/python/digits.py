"""Which digits look alike: the Gram matrix of 1797 images, sorted by what they show.

Light squares along the diagonal are digits that resemble each other; light ones beside it, digits that are taken for one another.
"""
from pathlib import Path

import isogram
import matplotlib.pyplot as plt
import numpy as np

data = Path(__file__).resolve().parent.parent
X, labels = np.load(data / "digits.npy"), np.load(data / "digits-labels.npy")
order = np.argsort(labels, kind="stable")
X, labels = X[order], labels[order]

K = isogram.rbf_kernel(X, sigma=22.0)
same = labels[:, None] == labels
print(f"K is {K.shape[0]} x {K.shape[1]}, {K.dtype}; of pairs of one digit the mean is {K[same].mean():.3f}, of others {K[~same].mean():.3f}")

# The same without a matrix: the second largest of each row, the first being the digit itself.
values, places = isogram.Gram(X, sigma=22.0).topk(2)
print(f"of {np.mean(labels[places[:, 1]] == labels):.1%} the nearest other digit is the same one")

figure, axes = plt.subplots(figsize=(4.2, 4.2), layout="constrained")
axes.imshow(K[::4, ::4], cmap="magma", vmin=0, vmax=1)
ticks = [np.mean(np.flatnonzero(labels == digit)) / 4 for digit in range(10)]
axes.set_xticks(ticks, range(10))
axes.set_yticks(ticks, range(10))
