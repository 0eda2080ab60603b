#!/usr/bin/env python3
"""The filter on a photograph beside OpenCV's and scikit-image's, by the defaults that carry their names: test_filter_photo.py LIBRARY PHOTO.png

OpenCV: cv2.GaussianBlur with its own choice of size. Of float32 within 1e-6 of the range; of uint8, where its weights are of 8 bits after
the point, within 1. scikit-image: skimage.filters.gaussian, channels last. In double precision within 4e-15 of the range, in single within
1e-6. Exits with 77 (skipped) without NumPy or without both of them; one of them missing is named.
"""
import sys
from pathlib import Path

SKIPPED = 77
try:
    import numpy as np
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(SKIPPED)

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bench"))
import image_util  # noqa: E402
from filter import Isogram  # noqa: E402

F32, F64 = 1, 2
SIGMAS = [0.8, 1, 1.5, 3, 7.3]
lines = []


def check(what, got, want, tolerance, scale=1.0):
    off = np.abs(got.astype(np.float64) - want.astype(np.float64)).max() / scale
    lines.append(f"{what}: {off:.1e}")
    if not off <= tolerance:
        sys.exit(f"{what}: {off:.2e} away, more than {tolerance}")


def filtered(isogram, photo, sigma, like, precision):
    return isogram.filter(photo, np.zeros_like(photo), sigma, axes=(0, 1), mode="", like=like, precision=precision)


def beside_opencv(isogram, photo, cv2):
    single = photo.astype(np.float32)
    for sigma in SIGMAS:
        check(f"OpenCV, float32, sigma {sigma}", filtered(isogram, single, sigma, b"opencv", F32), cv2.GaussianBlur(single, (0, 0), sigma), 1e-6, 255)
        check(f"OpenCV, uint8, sigma {sigma}", filtered(isogram, photo, sigma, b"opencv", F32), cv2.GaussianBlur(photo, (0, 0), sigma), 1)


def beside_skimage(isogram, photo, gaussian):
    for precision, dtype, tolerance in [(F64, np.float64, 4e-15), (F32, np.float32, 1e-6)]:
        for sigma in SIGMAS:
            values = photo.astype(dtype)
            want = gaussian(values.astype(np.float64), sigma, channel_axis=-1, preserve_range=True)
            check(f"scikit-image, {np.dtype(dtype).name}, sigma {sigma}", filtered(isogram, values, sigma, b"skimage", precision), want, tolerance, 255)


def main(library, path):
    (height, width, channels, samples), _ = image_util.read_png(Path(path).read_bytes())
    photo = np.array(samples, np.uint8).reshape(height, width, channels)
    isogram, missing = Isogram(library), []
    try:
        import cv2
        beside_opencv(isogram, photo, cv2)
    except ImportError as error:
        missing.append(str(error))
    try:
        from skimage.filters import gaussian
        beside_skimage(isogram, photo, gaussian)
    except ImportError as error:
        missing.append(str(error))
    print("\n".join(lines))
    if missing:
        print(f"skipped{'' if not lines else ' in part'}: {'; '.join(missing)}")
    return 0 if lines else SKIPPED


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
