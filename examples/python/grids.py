"""The ways in which people make a Gaussian grid, and what they get for a sigma of 1.5 in 9 samples.

Each is a recipe of the library: `gaussian_grid(like=name)` gives the bits of the code that goes around. They differ in where samples lie,
whether a sample is a point or a cell, and in what is 1 in the end. "spread" is the sigma that the grid really
has, in samples; linspace takes 50 of them, whatever it is told.
"""
import warnings

import isogram
import matplotlib.pyplot as plt
import numpy as np

figure, axes = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
print(f"{'recipe':12} {'samples':>7} {'sum':>8} {'largest':>8} {'spread':>7}")
for recipe in isogram.grid_recipes():
    if recipe.name.startswith("gabor"):
        continue
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", isogram.RecipeWarning)
        # gkern has its half-width in sigmas; the others take sigma.
        width = {"nsig": 3.0} if recipe.name in ("gkern", "gkern-sqrt") else {"sigma": 1.5}
        grid = isogram.gaussian_grid(9, like=recipe.name, **width)
    row = grid.sum(axis=0) / grid.sum()
    x = np.arange(len(row)) - np.arange(len(row)) @ row  # from the centre of mass
    print(f"{recipe.name:12} {len(row):7} {grid.sum():8.4f} {grid.max():8.4f} {np.sqrt(x**2 @ row):7.3f}")
    if len(row) == 9:
        axes.plot(x, row, "o-", markersize=3, linewidth=1, label=recipe.name)
axes.legend(fontsize=8)
axes.set(xlabel="samples from the centre", ylabel="share of the weight")
