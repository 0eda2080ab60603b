"""Gaussian grids: values, recipes, and what is refused."""
import math
import warnings

import numpy as np
import pytest

import isogram


def gauss(size, sigma):
    x = np.arange(size) - (size - 1) / 2
    return np.exp(-0.5 * (x / sigma) ** 2)


def test_grids_are_products_of_profiles():
    for size, sigma, ndim in ((5, 1.5, 2), ((3, 6), (0.5, 2.0), 2), (7, 1.0, 1), ((3, 4, 5), 1.0, 3), (2, 0.8, 4)):
        grid = isogram.gaussian_grid(size, sigma, ndim=ndim)
        profiles = isogram.gaussian_profiles(size, sigma, ndim=ndim)
        product = profiles[0]
        for profile in profiles[1:]:
            product = np.multiply.outer(product, profile)
        assert grid.dtype == np.float64 and len(profiles) == ndim and np.allclose(grid, product, rtol=1e-15, atol=0)
        sizes = size if isinstance(size, tuple) else (size,) * ndim
        sigmas = sigma if isinstance(sigma, tuple) else (sigma,) * ndim
        for profile, one, width in zip(profiles, sizes, sigmas):
            assert np.allclose(profile, gauss(one, width) / gauss(one, width).sum(), rtol=1e-14)


def test_sampling_and_normalization():
    assert math.isclose(isogram.gaussian_grid(9, 1.5).sum(), 1, rel_tol=1e-14)
    assert isogram.gaussian_grid(9, 1.5, normalize="max").max() == 1
    assert np.allclose(isogram.gaussian_grid(9, 1.5, ndim=1, normalize="none"), gauss(9, 1.5), rtol=1e-15)
    assert np.allclose(isogram.gaussian_grid(9, 1.5, ndim=1, normalize="density"), gauss(9, 1.5) / (1.5 * math.sqrt(2 * math.pi)), rtol=1e-14)
    cells = isogram.gaussian_grid(5, 1.5, ndim=1, sampling="integrated", normalize="none")
    edges = [0.5 * math.erf(x / (1.5 * math.sqrt(2))) for x in np.arange(-2.5, 3)]
    assert np.allclose(cells, np.diff(edges), rtol=1e-14)
    twice = np.convolve(*[isogram.gaussian_grid(41, 1.0, ndim=1, sampling="bessel", normalize="none")] * 2)
    once = isogram.gaussian_grid(81, math.sqrt(2), ndim=1, sampling="bessel", normalize="none")
    assert np.allclose(twice, once, atol=1e-16)
    wide = isogram.gaussian_grid(5, 1.0, ndim=1, extent=(-1, 3), normalize="none")
    assert np.allclose(wide, np.exp(-0.5 * np.arange(-1, 4.0) ** 2), rtol=1e-15)
    both = isogram.gaussian_grid((5, 3), 1.0, extent=[(-1, 3), (0, 2)], normalize="none")
    assert np.allclose(both, np.outer(wide, np.exp(-0.5 * np.arange(3.0) ** 2)), rtol=1e-15)


def test_recipes():
    names = [recipe.name for recipe in isogram.grid_recipes()]
    assert "gkern" in names and all(recipe.summary for recipe in isogram.grid_recipes())
    for recipe in isogram.grid_recipes():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            grid = isogram.gaussian_grid(9, None if recipe.name == "gkern" else 2.0, like=recipe.name,
                                         **({"wavelength": 4.0} if recipe.name.startswith("gabor") else {}))
        assert grid.shape == ((50, 50) if recipe.name == "linspace" else (9, 9)) and np.isfinite(grid).all()
        assert [w.category for w in caught] == [isogram.RecipeWarning] * bool(recipe.warning)
    with pytest.raises(ValueError, match="like must be one of 'gkern'"):
        isogram.gaussian_grid(9, like="gkernel")


def test_rotated_derived_and_waves():
    y, x = np.mgrid[-4:5, -4:5]
    C = np.array([[2.0, 0.5], [0.5, 1.0]])
    inverse = np.linalg.inv(C)
    want = np.exp(-0.5 * (inverse[0, 0] * y * y + 2 * inverse[0, 1] * x * y + inverse[1, 1] * x * x))
    assert np.allclose(isogram.gaussian_grid(9, covariance=C, normalize="none"), want, rtol=1e-13)
    assert np.allclose(isogram.gaussian_grid(9, (1.0, 2.0), angle=90, normalize="none"), np.exp(-0.5 * (x * x + y * y / 4)), rtol=1e-12)
    g = np.exp(-0.5 * (x * x + y * y))
    assert np.allclose(isogram.gaussian_grid(9, 1.0, order=(0, 1), normalize="none"), -x * g, rtol=1e-13, atol=1e-300)
    assert np.allclose(isogram.gaussian_grid(9, 1.0, wavelength=4.0, phase=90, normalize="none"), -np.sin(np.pi / 2 * x) * g, atol=1e-15)
    even, odd = (isogram.gaussian_grid(9, 1.0, wave=(0.1, 0.2), normalize="none", quadrature=q) for q in (False, True))
    assert np.allclose(np.hypot(even, odd), g, rtol=1e-13)


def test_places_and_types():
    single = isogram.gaussian_grid(5, 1.0, precision="f32")
    assert single.dtype == np.float32 and np.allclose(single, isogram.gaussian_grid(5, 1.0), rtol=1e-6)
    out = np.zeros((10, 5))[::-2]
    assert isogram.gaussian_grid(5, np.array(1.0), out=out) is out and np.array_equal(out, isogram.gaussian_grid(5, 1.0))


def test_bad_arguments_are_refused():
    g = isogram.gaussian_grid
    for call, error, words in (
        (lambda: g(), ValueError, "size"), (lambda: g(5), ValueError, "sigma"), (lambda: g(0, 1.0), ValueError, "size"), (lambda: g(2.5, 1.0), TypeError, "size"),
        (lambda: g(5, 0.0), ValueError, "sigma"), (lambda: g(5, -1.0), ValueError, "sigma"), (lambda: g(5, np.nan), ValueError, "sigma"),
        (lambda: g(5, "1"), TypeError, "sigma"), (lambda: g((5, 5), (1.0, 1.0, 1.0)), ValueError, "differ"), (lambda: g(5, 1.0, ndim=5), ValueError, "1 to 4"),
        (lambda: g(5, 1.0, sampling="points"), ValueError, "sampling must be one of"), (lambda: g(5, 1.0, normalize="l2"), ValueError, "normalize"),
        (lambda: g(5, covariance=[[1.0, 2.0], [2.0, 1.0]]), ValueError, "covariance"), (lambda: g(5, covariance=np.eye(2)[:1]), ValueError, "covariance"),
        (lambda: g(5, 1.0, order=5), ValueError, "order"), (lambda: g(5, 1.0, out=np.zeros((5, 4))), ValueError, "shape"),
        (lambda: g(5, 1.0, out=np.zeros((5, 5), np.float32)), TypeError, "float64"), (lambda: g(5, 1.0, precision="f16"), ValueError, "precision"),
    ):
        with pytest.raises(error, match=words):
            call()
