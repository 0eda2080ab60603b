"""A map of where points are: a kernel density estimate, without a matrix.

80 000 places times 4000 points are 320 million values of the kernel, which are summed as they are computed. In logarithms, so that the map
goes on where the density itself is too small to be a number.
"""
import isogram
import matplotlib.pyplot as plt
import numpy as np

random = np.random.default_rng(7)
angle = random.uniform(0, np.pi, 4000)
side = random.integers(0, 2, 4000)
X = np.column_stack([np.cos(angle) + side - 0.5, np.where(side, 0.25 - np.sin(angle), np.sin(angle) - 0.25)])
X += random.normal(0, 0.12, X.shape)

SIGMA = 0.08
x, y = np.linspace(-2.2, 2.2, 320), np.linspace(-1.5, 1.5, 250)
places = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
log_density = isogram.Gram(places, X, sigma=SIGMA).logsumexp() - np.log(len(X) * 2 * np.pi * SIGMA**2)
density = np.exp(log_density).reshape(250, 320)
print(f"adds up to {density.sum() * (x[1] - x[0]) * (y[1] - y[0]):.5f}")
print(f"the least of the logarithms is {log_density.min():.0f}: exp of that is {np.exp(log_density.min()):.1e}")

figure, axes = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
axes.contourf(x, y, np.log10(np.maximum(density, 1e-6)), levels=24, cmap="viridis")
axes.plot(*X[::16].T, ".", color="white", markersize=1)
axes.set_aspect("equal")
