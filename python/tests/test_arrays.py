"""What goes in and out: conversions as scikit-learn's, refusals, and no copies."""
import tracemalloc

import numpy as np
import pytest

import isogram
from isogram import arrays, errors
from isogram._native import ffi, lib


def gram(X, **options):
    return np.asarray(isogram.Gram(X, **{"sigma": 2.0, **options}))


BASE = np.array([[0, 1, 2], [3, 1, 0], [1, 1, 1], [0, 2, 5]])


@pytest.mark.parametrize("X", [
    BASE.tolist(), BASE.astype(object), BASE.astype("i8"), BASE.astype("i4"), BASE.astype("u1"), BASE.astype("i1"),
    BASE.astype("u2"), BASE.astype("u8"), BASE.astype("f2"), BASE.astype(">f8"), BASE.astype(">i4"), BASE.astype(np.longdouble),
    BASE.astype("U2"), np.asfortranarray(BASE.astype("f8")), BASE[::-1].astype("f8")[::-1], BASE[:, ::-1].astype("f8")[:, ::-1],
    np.repeat(BASE.astype("f8"), 2, axis=0)[::2], np.ma.masked_array(BASE.astype("f8")), [np.array(row) for row in BASE],
], ids=lambda X: f"{type(X).__name__}-{getattr(X, 'dtype', '')}-{getattr(X, 'strides', '')}")
def test_what_is_converted(X):
    K = gram(X)
    assert K.dtype == "f8" and K.tobytes() == gram(BASE.astype("f8")).tobytes()


def test_more_that_is_converted():
    truths = BASE > 1
    assert gram(truths).tobytes() == gram(truths.astype("f8")).tobytes()
    assert gram(BASE.astype("f4")).dtype == "f4"
    rows = np.zeros(4, dtype=[("a", "u1"), ("x", "f8", 3)])  # neither aligned nor whole strides
    rows["x"] = BASE
    assert gram(rows["x"]).tobytes() == gram(BASE.astype("f8")).tobytes()
    large = np.array([[2**53 + 1], [2**53 + 3]], "i8")
    assert gram(large).tobytes() == gram(large.astype("f8")).tobytes()
    frozen = BASE.astype("f8")
    frozen.flags.writeable = False
    assert gram(frozen).tobytes() == gram(BASE.astype("f8")).tobytes()
    same = np.broadcast_to(np.float64(3), (4, 2))
    assert (gram(same) == 1).all()


@pytest.mark.parametrize("X, error, words", [
    (BASE * 1j, TypeError, "Complex data not supported"),
    ((BASE * 1j).astype(object), TypeError, "Complex data not supported"),
    (BASE[0], ValueError, r"(?s)Expected 2D array, got 1D array.*reshape\(-1, 1\).*reshape\(1, -1\)"),
    (3.0, ValueError, "Expected 2D array, got scalar array"),
    (BASE[None], ValueError, "dim 3"),
    (np.empty((0, 3)), ValueError, "0 sample"),
    (np.empty((3, 0)), ValueError, "0 feature"),
    ([], ValueError, "Expected 2D array, got 1D"),
    ([[1, 2], [3]], ValueError, None),
    ([["a", "b"]], ValueError, "no numbers"),
    ([[object()]], TypeError, "no numbers"),
    (np.array([["2020-01-01"]], "M8[D]"), TypeError, "no numbers"),
    (np.array([[1.0, 2], [3, np.nan]]), ValueError, "X: row 1, column 1 is not a number"),
    (np.array([[1.0, np.inf]]), ValueError, "X: row 0, column 1 is infinite"),
    (None, ValueError, "got scalar array"),
], ids=str)
def test_what_is_refused(X, error, words):
    with pytest.raises(error, match=words):
        gram(X)


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_matrices_are_refused():
    with pytest.raises(TypeError, match="np.matrix is not supported"):
        gram(np.matrix(BASE))


def test_sparse_is_refused():
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(TypeError, match="dense data is required"):
        gram(sparse.csr_matrix(BASE))


def test_y_is_named():
    with pytest.raises(errors.NonfiniteError, match="Y: row 0, column 2"):
        isogram.Gram(BASE, [[1.0, 2.0, np.nan]])
    with pytest.raises(errors.ShapeError):
        isogram.Gram(BASE, BASE[:, :2])
    with pytest.raises(errors.ShapeError, match="Y"):
        isogram.Gram(BASE, np.empty((0, 3)))
    allowed = isogram.Gram(BASE, [[1.0, 2.0, np.nan], [0, 0, 0]], allow_nonfinite=True)
    assert np.isnan(allowed[:, 0]).all() and np.isfinite(allowed[:, 1]).all()


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.float64(2), np.int8(2), np.array(2), np.array(2.0, "f4"), np.longdouble(2)],
                         ids=lambda value: f"{type(value).__name__}-{getattr(value, 'ndim', '')}")
def test_numbers(value):
    for name in ("sigma", "lengthscale", "gamma"):
        assert isogram.Gram(BASE, **{name: value}).kernel == f"rbf({name}=2)"


@pytest.mark.parametrize("value, error", [
    (0, ValueError), (-1, ValueError), (np.nan, ValueError), (np.inf, ValueError), (1j, TypeError), ("2", TypeError), (b"2", TypeError),
    ([2.0], (ValueError, TypeError)), (np.array([2.0]), ValueError), (np.array("x"), TypeError), (10**400, ValueError), (object(), TypeError),
], ids=str)
def test_numbers_that_are_none(value, error):
    with pytest.raises(error, match="sigma"):
        isogram.Gram(BASE, sigma=value)


@pytest.mark.parametrize("options, words", [
    ({"kernel": "rbff"}, "did you mean 'rbf'"), ({"kernel": ""}, None), ({"kernel": "2*"}, None), ({"alpha": 2}, "no parameter 'alpha'"),
    ({"kernel": "polynomial", "degre": 2}, "degree"), ({"kernel": "rbf+linear", "degree": 2}, "stand in the text"),
    ({"kernel": "polynomial", "degree": 2.5}, "degree"), ({"sigma": 1, "gamma": 1}, None), ({"kernel": "linear", "sigma": 1}, None),
    ({"lengthscale": [1, 2]}, "one for each coordinate"), ({"lengthscale": [1, 2, 0]}, "positive"),
    ({"lengthscale": [1, 2, np.nan]}, "positive"), ({"factors": [1, 2]}, "one for each row"), ({"factors": [1, 2, 3, np.nan]}, None),
    ({"include": [True]}, "one for each row"), ({"include": [0] * 4}, None), ({"precision": "f16"}, "precision"),
    ({"precision": ["f32"]}, "precision"), ({"method": "faster"}, "'contract', 'fast'"), ({"tolerance": -1}, "tolerance"),
], ids=str)
def test_options_that_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        isogram.Gram(BASE, **options)
    with pytest.raises(TypeError, match="kernel must be a str"):
        isogram.Gram(BASE, kernel=3)


@pytest.mark.parametrize("out, error, words", [
    (np.empty((4, 4), "f4"), TypeError, "float64, not float32"), (np.empty((4, 4), "f2"), TypeError, None), (np.empty((4, 4), ">f8"), TypeError, None),
    (np.empty((4, 5)), ValueError, r"shape \(4, 4\), not \(4, 5\)"), (np.empty(16), ValueError, None), ([[0.0] * 4] * 4, TypeError, "numpy array"),
    (np.broadcast_to(np.empty(4), (4, 4)), ValueError, "read-only"), (np.lib.stride_tricks.as_strided(np.empty(8), (4, 4), (8, 8)), ValueError, None),
    (np.zeros(4, dtype=[("a", "u1"), ("x", "f8", 4)])["x"], ValueError, "aligned"),
], ids=lambda value: str(getattr(value, "dtype", value))[:20])
def test_outputs_that_are_refused(out, error, words):
    K = isogram.Gram(BASE.astype("f8"), sigma=2)
    with pytest.raises(error, match=words):
        K.dense(out=out)
    X = np.zeros((4, 4))
    with pytest.raises(ValueError, match="overlap"):
        isogram.Gram(X).dense(out=X)


def test_calls_that_are_refused():
    K = isogram.Gram(BASE, BASE[:3], sigma=2)
    for V in (np.ones(4), np.ones((3, 2, 1)), 1.0, np.ones(3) * 1j, ["a"] * 3, np.float64(3)):
        with pytest.raises((ValueError, TypeError), match="V"):
            K @ V
    with pytest.raises(ValueError, match="out"):
        K.apply(np.ones(3), beta=1)
    with pytest.raises(ValueError, match="skip"):
        K.apply(np.ones(3), skip="sometimes")
    for k in (0, 4, 300, -1):
        with pytest.raises(ValueError, match="k must be 1 to 3"):
            K.topk(k)
    for k in (1.5, "2", True, None):
        with pytest.raises(TypeError, match="k must be a whole number"):
            K.topk(k)
    with pytest.raises(ValueError, match="axis"):
        K.sum(axis=2)
    with pytest.raises(ValueError):
        K.logsumexp(weights=[1, 2])
    with pytest.raises(ValueError):
        K.logsumexp(weights=[1, -2, 3])
    with pytest.raises(ValueError):
        K.packed()
    with pytest.raises(ValueError):
        K.tile(2, 2, np.empty((3, 3)))
    with pytest.raises(TypeError):
        K.tile(0.5, 0, np.empty((3, 3)))
    with pytest.raises(ValueError):
        K.gradient(np.ones(3), np.ones(3))


@pytest.mark.parametrize("order", ["C", "F"])
def test_no_copies(order, dtype="f8"):
    """C reads the array where it lies; Python allocates next to nothing beside it, and the result goes to where it should."""
    X = np.zeros((1 << 16, 16), dtype, order)
    out = np.empty((64, 64), dtype)
    V = np.zeros((1 << 16, 2), dtype, order)
    product = np.empty((1 << 16, 2), dtype, order)
    isogram.Gram(X[:64], sigma=1).dense()
    tracemalloc.start()
    try:
        K = isogram.Gram(X, X[:64], sigma=1.0)
        K.tile(0, 0, out)
        K.T.apply(V)
        isogram.Gram(X[:64], X).apply(V)
        K.apply(V[:64], out=product)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < X.nbytes / 50 and X.nbytes >= 1 << 22
    assert int(ffi.cast("uintptr_t", K._params.x.data)) == X.ctypes.data and out[0, 0] == 1


def test_views_are_what_numpy_says(random):
    whole = np.arange(2 * 3 * 4 * 5, dtype="f4").reshape(2, 3, 4, 5)
    for a in (whole, whole.T, whole[::-1, 1:, ::2, ::-3], whole[0, 0, 0], np.broadcast_to(whole[0, 0], (7, 4, 5))):
        view = arrays.view(a)
        assert view.dtype == lib.ISG_F32 and view.ndim == a.ndim
        assert tuple(view.shape)[:a.ndim] == a.shape and tuple(4 * s for s in view.strides)[:a.ndim] == a.strides
        assert int(ffi.cast("uintptr_t", view.data)) == a.ctypes.data
    for a, error in ((np.zeros(3, "c8"), TypeError), (np.float32(1), ValueError), (np.zeros([1] * 9, "f4"), ValueError),
                     (np.zeros(3, dtype=[("a", "u1"), ("x", "f4")])["x"], ValueError), (np.zeros(3, ">f4"), TypeError),
                     (np.zeros(8, "u1")[1:].view("u1")[:4].reshape(1, 4).view("f4"), ValueError)):
        with pytest.raises(error):
            arrays.view(np.asarray(a))
    for dtype, code in arrays.DTYPES.items():
        assert lib.isg_dtype_bytes(code) == dtype.itemsize
        assert dtype == np.bool_ or ffi.string(lib.isg_dtype_name(code)).decode() == dtype.name


def test_every_status_has_its_exception():
    for status in range(1, lib.ISG_STATUS_COUNT):
        error = errors.exception(status, "why")
        assert type(error) is not errors.Error and isinstance(error, errors.Error)
        assert error.status == ffi.string(lib.isg_status_name(status)).decode() and "why" in str(error)
    assert "pocl-opencl-icd" in str(errors.exception(lib.ISG_ERR_NO_DEVICE, ""))
    errors.check(lib.ISG_OK)
    with pytest.raises(errors.RangeError, match="range"):
        errors.check(lib.ISG_ERR_RANGE)
