"""isogram within scikit-learn: estimators that take kernels as functions, as matrices, and as objects with hyperparameters."""
import pickle

import numpy as np
import pytest

pytest.importorskip("sklearn")
from sklearn.base import clone  # noqa: E402
from sklearn.cluster import SpectralClustering  # noqa: E402
from sklearn.decomposition import KernelPCA  # noqa: E402
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor  # noqa: E402
from sklearn.gaussian_process import kernels as theirs  # noqa: E402
from sklearn.kernel_ridge import KernelRidge  # noqa: E402
from sklearn.model_selection import GridSearchCV  # noqa: E402
from sklearn.svm import SVC  # noqa: E402

import isogram  # noqa: E402
from isogram import gaussian_process as ours  # noqa: E402


@pytest.fixture
def rings(random):
    """Two rings of points, which no line separates."""
    angle, label = random.uniform(0, 2 * np.pi, 120), np.arange(120) % 2
    radius = 1 + 2 * label + 0.1 * random.normal(size=120)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]), label


def test_support_vector_machines(rings):
    X, y = rings
    mine = SVC(kernel=isogram.rbf_kernel).fit(X, y)
    same = SVC(kernel="rbf", gamma=0.5).fit(X, y)
    assert mine.score(X, y) == 1 and np.allclose(mine.decision_function(X), same.decision_function(X), atol=1e-3)
    ready = SVC(kernel="precomputed").fit(isogram.matern52_kernel(X), y)
    assert ready.score(isogram.matern52_kernel(X), y) == 1


def test_ridge_regression(rings, random):
    X, _ = rings
    y = np.sin(X[:, 0]) + X[:, 1]
    mine = KernelRidge(kernel="precomputed", alpha=0.1).fit(isogram.rbf_kernel(X, gamma=0.3), y)
    same = KernelRidge(kernel="rbf", gamma=0.3, alpha=0.1).fit(X, y)
    Z = random.normal(size=(9, 2))
    assert np.allclose(mine.predict(isogram.rbf_kernel(Z, X, gamma=0.3)), same.predict(Z), rtol=1e-9, atol=1e-9)
    # A function of pairs, as scikit-learn calls it, and the same by the matrix.
    by_pairs = KernelRidge(kernel=lambda a, b: isogram.matern32_kernel([a], [b])[0, 0], alpha=0.1).fit(X[:12], y[:12])
    by_matrix = KernelRidge(kernel="precomputed", alpha=0.1).fit(isogram.matern32_kernel(X[:12]), y[:12])
    assert np.array_equal(by_pairs.dual_coef_, by_matrix.dual_coef_)


def test_components_and_clusters(rings):
    X, y = rings
    mine = KernelPCA(2, kernel="precomputed").fit_transform(isogram.rbf_kernel(X))
    same = KernelPCA(2, kernel="rbf").fit_transform(X)
    assert np.allclose(np.abs(mine), np.abs(same), atol=1e-8)
    found = SpectralClustering(2, affinity="precomputed", random_state=0).fit_predict(isogram.rbf_kernel(X, gamma=2.0))
    assert (found == y).all() or (found == 1 - y).all()


# ---- Gaussian processes

PAIRS = [
    (lambda: ours.Rbf(0.7), lambda: theirs.RBF(0.7)),
    (lambda: ours.Rbf([0.7, 1.0, 2.0]), lambda: theirs.RBF([0.7, 1.0, 2.0])),
    (lambda: ours.Matern12(1.3), lambda: theirs.Matern(1.3, nu=0.5)),
    (lambda: ours.Matern32([1.3, 1.0, 0.5]), lambda: theirs.Matern([1.3, 1.0, 0.5], nu=1.5)),
    (lambda: ours.Matern52(1.3), lambda: theirs.Matern(1.3, nu=2.5)),
    (lambda: ours.RationalQuadratic(1.3, alpha=0.7), lambda: theirs.RationalQuadratic(1.3, alpha=0.7)),
    (lambda: ours.Periodic(1.3, period=2.0), lambda: theirs.ExpSineSquared(1.3, 2.0)),
]


@pytest.mark.parametrize("pair", range(len(PAIRS)))
def test_kernels_are_scikit_learns(pair, random):
    mine, same = PAIRS[pair][0](), PAIRS[pair][1]()
    X, Y = random.uniform(0, 3, (20, 3)), random.uniform(0, 3, (6, 3))
    assert np.allclose(mine(X, Y), same(X, Y), rtol=1e-13, atol=1e-15) and np.array_equal(mine.diag(X), same.diag(X))
    (K, dK), (L, dL) = mine(X, eval_gradient=True), same(X, eval_gradient=True)
    assert dK.shape == dL.shape == (20, 20, mine.n_dims) and np.allclose(K, L, rtol=1e-13, atol=1e-15)
    assert np.abs(dK - dL).max() <= 1e-13 * max(1, np.abs(dL).max())
    assert np.array_equal(mine.theta, same.theta) and np.array_equal(mine.bounds, same.bounds)
    assert mine.is_stationary() and mine.anisotropic == getattr(same, "anisotropic", False)


@pytest.mark.parametrize("name", [row.name for row in isogram.kernels() if row.has_gradient])
def test_derivatives_are_differences(name, random):
    kernel = ours.kernel_class(name)()
    if hasattr(kernel, "coef0"):
        kernel.set_params(coef0=0.5, coef0_bounds=(0.1, 1.0))
    X = random.uniform(0.1, 2, (7, 2))
    K, dK = kernel(X, eval_gradient=True)
    assert dK.shape == (7, 7, kernel.n_dims) and np.array_equal(dK, dK.transpose(1, 0, 2))
    step = 2.0**-14
    for i in range(kernel.n_dims):
        sides = [kernel.clone_with_theta(kernel.theta + sign * step * np.eye(kernel.n_dims)[i])(X) for sign in (1, -1)]
        # Central differences: an error of step^2 and of roundings over step.
        assert np.abs((sides[0] - sides[1]) / (2 * step) - dK[:, :, i]).max() <= 1e-7 * max(1, np.abs(K).max(), np.abs(dK).max())
    assert np.array_equal(kernel.diag(X), np.diag(K))
    assert kernel == clone(kernel) == pickle.loads(pickle.dumps(kernel))
    other = {name: value * 2 for name, value in kernel.get_params().items() if not name.endswith("_bounds")}
    assert not other or kernel != clone(kernel).set_params(**other)
    assert type(kernel).__name__ in ours.__all__ and repr(kernel).startswith(type(kernel).__name__ + "(")


def test_blocks_of_pairs_change_nothing(random, monkeypatch):
    X = random.uniform(0.1, 2, (13, 2))
    whole = ours.Matern52(0.8)(X, eval_gradient=True)[1]
    monkeypatch.setattr(ours, "_PAIR_BYTES", 2 * 8 * 20)
    assert np.array_equal(ours.Matern52(0.8)(X, eval_gradient=True)[1], whole)


def test_regression_finds_scikit_learns_optimum(random):
    X = random.uniform(0, 5, (30, 2))
    y = np.sin(X[:, 0]) * np.cos(0.5 * X[:, 1]) + 0.05 * random.normal(size=30)
    mine = GaussianProcessRegressor(1.0 * ours.Matern52([1.0, 1.0]) + theirs.WhiteKernel(0.01), random_state=0).fit(X, y)
    same = GaussianProcessRegressor(1.0 * theirs.Matern([1.0, 1.0], nu=2.5) + theirs.WhiteKernel(0.01), random_state=0).fit(X, y)
    assert np.isclose(mine.log_marginal_likelihood_value_, same.log_marginal_likelihood_value_, rtol=1e-6)
    assert np.allclose(mine.kernel_.theta, same.kernel_.theta, rtol=1e-2, atol=1e-2)
    Z = random.uniform(0, 5, (9, 2))
    assert np.allclose(mine.predict(Z), same.predict(Z), atol=1e-3) and np.abs(mine.predict(Z) - np.sin(Z[:, 0]) * np.cos(0.5 * Z[:, 1])).max() < 0.2


def test_kernels_are_put_together(random):
    X = random.uniform(0.1, 3, (15, 2))
    both = (2.0 * ours.Rbf(0.7) + ours.RationalQuadratic(1.1) * theirs.RBF(2.0)) ** 2 + theirs.DotProduct()
    same = (2.0 * theirs.RBF(0.7) + theirs.RationalQuadratic(1.1) * theirs.RBF(2.0)) ** 2 + theirs.DotProduct()
    (K, dK), (L, dL) = both(X, eval_gradient=True), same(X, eval_gradient=True)
    assert np.allclose(K, L, rtol=1e-12) and np.allclose(dK, dL, rtol=1e-11, atol=1e-12) and np.array_equal(both.theta, same.theta)
    assert "k1__kernel__k1__k2__length_scale" in both.get_params() and not both.is_stationary()


def test_classes_and_searches(rings):
    X, y = rings
    assert GaussianProcessClassifier(ours.Rbf(1.0), optimizer=None).fit(X, y).score(X, y) == 1
    search = GridSearchCV(GaussianProcessRegressor(ours.Rbf(1.0), alpha=0.1, optimizer=None), {"kernel__length_scale": [0.01, 1.0]}, cv=3).fit(X, y)
    assert search.best_params_ == {"kernel__length_scale": 1.0}
    assert np.array_equal(isogram.pairwise_kernels(X, metric=ours.Rbf(2.0)), isogram.rbf_kernel(X, lengthscale=2.0))
    out = np.empty((120, 120))
    assert isogram.pairwise_kernels(X, metric=ours.Rbf(2.0), out=out) is out and np.array_equal(out, isogram.rbf_kernel(X, lengthscale=2.0))


def test_hyperparameters_that_are_fixed(random):
    X = random.uniform(0.1, 2, (6, 2))
    kernel = ours.RationalQuadratic(1.0, "fixed", alpha=2.0)
    assert [h.name for h in kernel.hyperparameters if not h.fixed] == ["alpha"] and kernel(X, eval_gradient=True)[1].shape == (6, 6, 1)
    assert ours.Rbf(length_scale_bounds="fixed")(X, eval_gradient=True)[1].shape == (6, 6, 0)
    assert ours.Polynomial().get_params() == {"gamma": 1.0, "gamma_bounds": (1e-5, 1e5), "degree": 3, "coef0": 1.0, "coef0_bounds": "fixed"}


def test_what_is_wrong_is_refused(random):
    X = random.uniform(0.1, 2, (6, 2))
    with pytest.raises(ValueError, match=r"same number of dimensions as data \(3!=2\)"):
        ours.Rbf([1.0, 2.0, 3.0])(X)
    with pytest.raises(ValueError, match="only be evaluated when Y is None"):
        ours.Rbf()(X, X, eval_gradient=True)
    with pytest.raises(TypeError, match="'alpha'"):
        ours.Rbf(alpha=1.0)
    with pytest.raises(ValueError, match="no kernel 'matern72' with derivatives; there are rbf"):
        ours.kernel_class("matern72")
    with pytest.raises(ValueError, match="degree"):
        ours.Polynomial(degree=2.5)(X)
    with pytest.raises(ValueError, match="lengthscale must be positive"):
        ours.Rbf(-1.0)(X)
    with pytest.raises(AttributeError):
        ours.Matern72
