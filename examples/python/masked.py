"""Smoothing a picture in which pixels are missing.

What is not there may neither count as black nor spread as NaN: each result is the weighted mean of the pixels that are there.
"""
from pathlib import Path

import isogram
import matplotlib.pyplot as plt
import numpy as np

picture = plt.imread(Path(__file__).resolve().parent.parent / "coffee.png").mean(axis=2)
random = np.random.default_rng(3)
there = random.random(picture.shape) > 0.6
there[60:75, :] = there[:, 120:126] = False
whole = isogram.gaussian_filter(picture, 2.0)
ways = {
    "missing is NaN": isogram.gaussian_filter(np.where(there, picture, np.nan), 2.0),
    "missing is 0": isogram.gaussian_filter(np.where(there, picture, 0), 2.0),
    "masked": isogram.gaussian_filter(picture, 2.0, mask=there),
}
print(f"{1 - there.mean():.0%} of the pixels are missing; how far from smoothing them all (root mean square, and pixels without a number):")
for name, found in ways.items():
    error = found - whole
    rms = f"{np.sqrt(np.nanmean(error**2)):.4f}" if np.isfinite(error).any() else "-"
    print(f"{name:15} {rms:>7} {np.isnan(error).sum():6}")

figure, all_axes = plt.subplots(1, 3, figsize=(7.2, 2.6), layout="constrained")
shown = {"what is there": np.where(there, picture, np.nan), "missing is 0": ways["missing is 0"], "masked": ways["masked"]}
for axes, (name, image) in zip(all_axes, shown.items()):
    axes.imshow(image, cmap="gray", vmin=0, vmax=1)
    axes.set_title(name, fontsize=9)
    axes.axis("off")
