"""The operator beside NumPy's arithmetic on its own matrix."""
import pickle

import numpy as np
import pytest

import isogram
from isogram import errors


@pytest.fixture
def K(random):
    return isogram.Gram(random.standard_normal((90, 4)), random.standard_normal((70, 4)), sigma=1.5)


def test_its_matrix(random):
    X, Y = random.standard_normal((30, 4)), random.standard_normal((20, 4))
    A = np.asarray(isogram.Gram(X, Y, sigma=1.5))
    exact = np.exp(-((X[:, None] - Y[None]) ** 2).sum(-1) / (2 * 1.5**2))
    assert A.dtype == "f8" and np.abs(A - exact).max() < 4e-16
    assert np.asarray(isogram.Gram(X.astype("f4"), Y.astype("f4"), sigma=1.5)).dtype == "f4"
    assert np.asarray(isogram.Gram(X.astype("f4"), Y, sigma=1.5)).dtype == "f8"
    assert np.asarray(isogram.Gram(X, Y, sigma=1.5, precision="f32")).dtype == "f4"
    assert isogram.Gram(X, Y, sigma=1.5).gamma == 1 / (2 * 1.5**2)
    with pytest.raises(ValueError, match="no array in memory"):
        isogram.Gram(X).__array__(copy=False)


@pytest.mark.parametrize("key", [
    np.s_[3:9, 2:5], np.s_[:], np.s_[5], np.s_[-1], np.s_[:, 7], np.s_[4, -3], np.s_[::-1], np.s_[:, ::-1], np.s_[50:3:-1, 60::-1],
    np.s_[::3, 1::7], np.s_[80:2:-9, 5], np.s_[7, ::-4], np.s_[..., 3], np.s_[3, ...], np.s_[...], np.s_[9:9], np.s_[9:3, 2],
    np.s_[np.int64(5), 100:], np.s_[-1000:1000], np.s_[2:3:5, 4:5:-1],
], ids=str)
def test_parts_are_the_wholes(K, key):
    A = np.asarray(K)
    for k, a in ((K, A), (K.T, A.T)):
        if Ellipsis in (key if isinstance(key, tuple) else (key,)) and k is not K:
            continue
        part = k[key]
        assert np.shape(part) == a[key].shape
        assert np.asarray(part).tobytes() == a[key].tobytes()


@pytest.mark.parametrize("key", [90, np.s_[0, -71], np.s_[0, 0, 0], [1, 2], None, True, 1.5, np.s_[:, [1]]], ids=str)
def test_indices_that_are_none(K, key):
    with pytest.raises(IndexError):
        K[key]


def test_steps_by_strips(K, monkeypatch):
    A = np.asarray(K)
    monkeypatch.setattr("isogram.matrix._STRIP_BYTES", 4096)
    assert K[1::3, ::2].tobytes() == A[1::3, ::2].tobytes()


def test_outputs_anywhere(K):
    A = np.asarray(K)
    for out in (np.full((90, 70), 7.0, order="F"), np.full((180, 70), 7.0)[::2], np.full((90, 70), 7.0)[::-1, ::-1]):
        assert K.dense(out=out) is out and (out == A).all()
    out = np.full((70, 90), 7.0)
    assert K.T.dense(out=out) is out and (out == A.T).all()
    out = np.full((5, 6), 7.0)
    assert K.tile(10, 20, out) is out and (out == A[10:15, 20:26]).all()
    out = np.full(180, 7.0)[::2]
    assert K.apply(np.ones(70), out=out) is out and (out == K @ np.ones(70)).all()
    out = np.full(90, 7.0)
    assert K.apply(np.ones(70), out=out, alpha=2, beta=3) is out and np.allclose(out, 2 * A.sum(1) + 21, rtol=1e-14)
    out = np.full(90, 7.0)
    assert (K.apply(np.ones(70), out=out, alpha=0, beta=0.5) == 3.5).all()
    half = isogram.Gram(np.eye(3, dtype="f4"), sigma=1).dense(out=np.empty((3, 3), "f2"))
    assert (half == np.asarray(isogram.Gram(np.eye(3, dtype="f4"), sigma=1)).astype("f2")).all()
    places = np.empty(90, "i8")
    assert K.argmin(out=places) is places
    values, places = np.empty((90, 3)), np.empty((90, 3), "i8")
    assert all(a is b for a, b in zip(K.topk(3, out=(values, places)), (values, places)))


def test_symmetric(random):
    K = isogram.Gram(random.standard_normal((40, 3)))
    A = np.asarray(K)
    assert (A == A.T).all() and (K.packed() == A[np.tril_indices(40)]).all()
    assert (K.diagonal() == np.diag(A)).all()


def test_products(K, random):
    A = np.asarray(K)
    V, W = random.standard_normal((70, 3)), random.standard_normal((90, 3))
    near = dict(rtol=1e-12, atol=1e-13)
    assert np.allclose(K @ V, A @ V, **near) and np.allclose(K.T @ W, A.T @ W, **near)
    assert np.allclose(W.T @ K, W.T @ A, **near) and np.allclose(W[:, 0] @ K, W[:, 0] @ A, **near)
    assert np.allclose(V.T @ K.T, V.T @ A.T, **near) and (K @ V[:, 0]).shape == (90,)
    assert ((K @ V)[:, 1] == K @ V[:, 1]).all()
    assert (K @ V[:, ::-1] == (K @ V)[:, ::-1]).all() and (K @ np.asfortranarray(V) == K @ V).all()
    assert (K @ ([1] * 70) == K @ np.ones(70)).all()
    single = isogram.Gram(*(p.astype("f4") for p in (np.asarray(A[:, :3]), V)))
    assert (single @ W[:70].astype("f4")).dtype == "f4" and single.apply(W[:70], accumulate="f64").dtype == "f8"


def test_linear_operator(random):
    linalg = pytest.importorskip("scipy.sparse.linalg")
    X, b = random.standard_normal((50, 3)), random.standard_normal(50)
    K = isogram.Gram(X, kernel="rbf(sigma=0.5) + 0.1*linear")
    exact = np.linalg.solve(np.asarray(K), b)
    for operator in (K, K.linear_operator(), linalg.aslinearoperator(K)):
        x, failed = linalg.cg(operator, b, maxiter=500, atol=1e-10)
        assert not failed and np.allclose(x, exact, atol=1e-2)
    assert np.allclose(linalg.aslinearoperator(K).rmatvec(b), np.asarray(K).T @ b)


def test_reductions(K, random):
    A = np.asarray(K)
    for axis in (0, 1):
        assert np.allclose(K.sum(axis), A.sum(axis), rtol=1e-13)
        assert np.allclose(K.logsumexp(axis), np.log(A.sum(axis)), atol=1e-13)
        assert (K.argmin(axis) == A.argmin(axis)).all() and (K.argmax(axis) == A.argmax(axis)).all()
        assert (K.min(axis) == A.min(axis)).all() and (K.max(axis) == A.max(axis)).all()
        values, places = K.topk(4, axis)
        order = np.argsort(-A, axis, kind="stable")
        assert (places == (order[:, :4] if axis == 1 else order[:4].T)).all()
        assert (values == np.take_along_axis(A if axis == 1 else A.T, places, 1)).all()
        least = K.topk(2, axis, largest=False)
        assert (least[0][:, 0] == A.min(axis)).all() and (least[1][:, 0] == A.argmin(axis)).all()
        count = A.shape[axis]
        weights, V = random.random(count), random.standard_normal((count, 2))
        weighted = A * (weights if axis == 1 else weights[:, None])
        assert np.allclose(K.logsumexp(axis, weights=weights), np.log(weighted.sum(axis)), atol=1e-12)
        mean = (weighted @ V if axis == 1 else weighted.T @ V) / weighted.sum(axis)[:, None]
        assert np.allclose(K.weighted_mean(V, axis, weights=weights), mean, atol=1e-12)
        assert np.allclose(K.weighted_mean(V[:, 0], axis, weights=weights), mean[:, 0], atol=1e-12)
    far = isogram.Gram([[0.0]], [[100.0], [101.0]], sigma=1)
    assert np.asarray(far).sum() == 0 and far.logsumexp() == pytest.approx(-5000, abs=1e-9)


def test_gradient(random):
    X, Y, v, w = (random.standard_normal(shape) for shape in ((12, 3), (9, 3), 12, 9))

    def f(X, Y, sigma):
        return v @ np.asarray(isogram.Gram(X, Y, sigma=sigma)) @ w

    gradient = isogram.Gram(X, Y, sigma=1.5).gradient(v, w, y=True)
    h = 1e-6
    assert gradient["sigma"] == pytest.approx((f(X, Y, 1.5 + h) - f(X, Y, 1.5 - h)) / (2 * h), rel=1e-6)
    step = np.zeros_like(X)
    step[3, 1] = h
    assert gradient.x[3, 1] == pytest.approx((f(X + step, Y, 1.5) - f(X - step, Y, 1.5)) / (2 * h), rel=1e-5)
    step = np.zeros_like(Y)
    step[5, 2] = h
    assert gradient.y[5, 2] == pytest.approx((f(X, Y + step, 1.5) - f(X, Y - step, 1.5)) / (2 * h), rel=1e-5)
    out = np.full((12, 3), 7.0)
    only = isogram.Gram(X, Y, sigma=1.5).gradient(v, w, x=out, parameters=False)
    assert only.x is out and (out == gradient.x).all() and only.y is None and only.parameters is None
    both = isogram.Gram(X, kernel="2*rational_quadratic(alpha=1.5)", lengthscale=[1, 2, 3]).gradient(v, v).parameters
    assert [(p.name, p.kernel, p.coordinate) for p in both] == [
        ("alpha", "rational_quadratic", -1), ("factor", "", -1), *(("lengthscale", "", k) for k in range(3))]


def test_stores(tmp_path, random):
    X = random.standard_normal((200, 3))
    K = isogram.Gram(X, sigma=1.0)
    path = tmp_path / "K.npy"
    with pytest.raises(errors.Cancelled):
        K.save(path, side=64, progress=stop_at(3))
    with pytest.raises(errors.ArgumentError, match="resume"):
        K.save(path)
    with pytest.raises(errors.ArgumentError, match="sigma"):
        isogram.Gram(X, sigma=2.0).save(path, resume=True)
    K.save(path, resume=True, memory="64M")
    assert (np.load(path) == np.asarray(K)).all()
    for memory in ("64Q", "M", "1.5G", "12MM", 2.5):
        with pytest.raises((ValueError, TypeError)):
            K.save(tmp_path / "other.npy", memory=memory)
    with pytest.raises(OSError):
        K.save(tmp_path / "no such folder" / "K.npy")


def stop_at(times):
    calls = []

    def progress(done, total):
        calls.append(done)
        return len(calls) >= times

    return progress


@pytest.fixture(autouse=True)
def ask_every_time(monkeypatch):
    monkeypatch.setattr("isogram.progress.PERIOD_S", 1e-9)


def test_pickling(random):
    X = random.standard_normal((20, 3))
    K = isogram.Gram(X, X[:7], "matern32", lengthscale=np.array([1.0, 2, 3]), factors=np.arange(20.0))
    again = pickle.loads(pickle.dumps(K))
    assert np.asarray(again).tobytes() == np.asarray(K).tobytes() and again.kernel == K.kernel
    assert np.asarray(pickle.loads(pickle.dumps(K.T))).tobytes() == np.asarray(K.T).tobytes()


def test_closing(random):
    K = isogram.Gram(np.eye(3))
    with K as same:
        assert same is K and K[0, 0] == 1
    K.close()
    for use in (K.dense, lambda: K @ np.ones(3), lambda: K.kernel, lambda: K.save("nowhere.npy")):
        with pytest.raises(ValueError, match="closed"):
            use()
    assert "closed" in repr(K)
    with isogram.Context() as context:
        K = isogram.Gram(np.eye(3))
        assert K.context is context
    context.close()
    context.close()
    with pytest.raises(ValueError, match="closed"):
        K.dense()
    with pytest.raises(ValueError, match="closed"):
        isogram.use(context)
    del K
    assert isogram.Gram(np.eye(3))[0, 0] == 1


def test_what_is_said_of_it(random):
    K = isogram.Gram(np.eye(3), kernel="matern52", lengthscale=2)
    assert repr(K) == f"<isogram.Gram 3 x 3, matern52(lengthscale=2), float64, {K.contract}>"
    assert K.contract == K.context.contract("f64") and K.contract.startswith("isogram-")
    assert len(K) == 3 and K.size == 9 and K.ndim == 2 and K.T.T is K and K.transpose().shape == (3, 3)
    assert K.context.device.name in repr(K.context)


def test_method_fast(random):
    X = random.standard_normal((60, 5)).astype("f4")
    fast = isogram.Gram(X, sigma=2, method="fast", tolerance=1e-3)
    assert np.abs(np.asarray(fast) - np.asarray(isogram.Gram(X, sigma=2))).max() < 1.1e-3 and fast.contract.startswith("fast/")
