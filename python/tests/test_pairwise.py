"""scikit-learn's functions by isogram: the library's bits, scikit-learn's arguments and types, and what is refused."""
import inspect
import warnings

import numpy as np
import pytest

import isogram
from isogram import pairwise

NAMED = {  # the rows behind scikit-learn's names
    "rbf_kernel": "rbf", "laplacian_kernel": "laplacian", "polynomial_kernel": "polynomial", "sigmoid_kernel": "sigmoid",
    "linear_kernel": "linear", "cosine_similarity": "cosine", "chi2_kernel": "chi2", "additive_chi2_kernel": "additive_chi2",
    "euclidean_distances": "euclidean", "manhattan_distances": "cityblock",
}
FURTHER = {f"{row.name}_kernel": row.name for row in isogram.kernels() if hasattr(pairwise, f"{row.name}_kernel")}
FUNCTIONS = {**FURTHER, **NAMED}


def points(random, n=23, m=17, d=3, dtype=np.float64):
    return random.random((n, d)).astype(dtype), random.random((m, d)).astype(dtype)


def test_every_row_has_a_function():
    assert set(FUNCTIONS.values()) | {"sqeuclidean"} == {row.name for row in isogram.kernels()}
    assert isogram.matern52_kernel is pairwise.matern52_kernel and "matern52_kernel" in dir(isogram)
    with pytest.raises(AttributeError, match="nothing_kernel"):
        isogram.nothing_kernel


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_bits_are_those_of_the_operator(name, random):
    function = getattr(isogram, name)
    X, Y = points(random)
    K = function(X, Y)
    assert np.array_equal(K, isogram.Gram(X, Y, FUNCTIONS[name]).dense()) and K.dtype == np.float64


@pytest.mark.parametrize("name", ["rbf_kernel", "cosine_similarity", "matern32_kernel"])
def test_one_set_single_precision_and_outputs(name, random):
    function = getattr(isogram, name)
    X, Y = points(random)
    K, alone = function(X, Y), function(X)
    assert np.array_equal(alone, function(X, X)) and np.array_equal(alone, alone.T)
    single = function(X.astype(np.float32), Y.astype(np.float32))
    assert single.dtype == np.float32 and np.allclose(single, K, rtol=1e-4, atol=1e-5)
    out = np.full((23, 34), np.nan)[:, ::-2]
    assert function(X, Y, out=out) is out and np.array_equal(out, K)


def test_types_are_scikit_learns(random):
    X, Y = points(random)
    whole = np.array([[1, 2], [3, 4], [250, 0]])
    right = isogram.rbf_kernel(whole.astype(np.float64), gamma=0.1)
    for dtype in (np.int8, np.uint8, np.int16, np.uint32, np.int64, np.float16, ">i4", object):
        if np.dtype(dtype) == np.int8:
            few = whole % 100
            assert np.array_equal(isogram.rbf_kernel(few.astype(dtype), gamma=0.1), isogram.rbf_kernel(few.astype(float), gamma=0.1))
        else:
            K = isogram.rbf_kernel(whole.astype(dtype), gamma=0.1)
            assert K.dtype == np.float64 and np.array_equal(K, right)
    assert np.array_equal(isogram.rbf_kernel(whole.tolist(), gamma=0.1), right)
    assert isogram.rbf_kernel(X.astype(np.float32), Y).dtype == np.float64
    assert isogram.linear_kernel(np.array([[True, False], [True, True]])).tolist() == [[1, 1], [1, 2]]
    back = X[::-1, ::-1]
    back.flags.writeable = False
    assert np.array_equal(isogram.rbf_kernel(back, np.asfortranarray(Y)), isogram.rbf_kernel(back.copy(), Y))


def test_the_scale_is_given_in_any_way(random):
    X, Y = points(random)
    K = isogram.rbf_kernel(X, Y, 0.125)
    assert np.array_equal(K, isogram.rbf_kernel(X, Y, sigma=2.0)) and np.array_equal(K, isogram.rbf_kernel(X, Y, lengthscale=np.array(2)))
    assert np.array_equal(isogram.rbf_kernel(X, Y), isogram.rbf_kernel(X, Y, 1 / 3))
    assert np.array_equal(isogram.polynomial_kernel(X, Y, 2, 0.5, -1), isogram.Gram(X, Y, "polynomial", degree=2, gamma=0.5, coef0=-1).dense())
    assert np.array_equal(isogram.chi2_kernel(X, Y), isogram.chi2_kernel(X, Y, 1))
    assert np.array_equal(isogram.euclidean_distances(X, Y, squared=True), isogram.Gram(X, Y, "sqeuclidean").dense())


def test_gamma_may_be_0(random):
    X, Y = points(random)
    out = np.empty((23, 17))
    assert (isogram.rbf_kernel(X, Y, 0, out=out) == 1).all() and (out == 1).all()
    assert (isogram.polynomial_kernel(X, gamma=0, coef0=3, degree=2) == 9).all()
    assert (isogram.pairwise_kernels(X, Y, "sigmoid", gamma=np.float32(0)) == isogram.sigmoid_kernel([[0.0]])[0, 0]).all()
    assert isogram.rbf_kernel(X.astype(np.float32), gamma=0).dtype == np.float32
    X[4, 1] = np.inf
    with pytest.raises(ValueError, match="row 4, column 1"):
        isogram.rbf_kernel(X, Y, 0)
    for function in (isogram.laplacian_kernel, isogram.chi2_kernel, isogram.matern52_kernel):
        with pytest.raises(ValueError, match="gamma must be positive"):
            function(Y, gamma=0)


def test_any_kernel_by_name(random):
    X, Y = points(random)
    for row in isogram.kernels():
        K = isogram.Gram(X, Y, row.name).dense()
        for name in (row.name, *row.aliases):
            assert np.array_equal(isogram.pairwise_kernels(X, Y, name), K)
    both = isogram.pairwise_kernels(X, Y, "2*rbf(sigma=0.5) + linear")
    assert np.allclose(both, 2 * isogram.rbf_kernel(X, Y, sigma=0.5) + isogram.linear_kernel(X, Y), rtol=1e-14)
    assert np.array_equal(isogram.pairwise_kernels(X), isogram.linear_kernel(X))
    given = {"gamma": 0.5, "degree": 2, "unknown": ":)"}
    assert np.array_equal(isogram.pairwise_kernels(X, Y, "rbf", filter_params=True, **given), isogram.rbf_kernel(X, Y, 0.5))
    with pytest.raises(TypeError, match="'degree'; it takes gamma, sigma, lengthscale"):
        isogram.pairwise_kernels(X, Y, "rbf", **given)
    with pytest.raises(ValueError, match="matern"):
        isogram.pairwise_kernels(X, metric="matern53")
    with pytest.raises(TypeError, match="unexpected keyword argument 'alpha'"):
        isogram.matern52_kernel(X, alpha=1)
    assert list(inspect.signature(isogram.rational_quadratic_kernel).parameters) == [
        "X", "Y", "gamma", "sigma", "lengthscale", "alpha", "out", "progress"]


def test_functions_of_pairs_and_matrices_that_are_there(random):
    X, Y = points(random, 5, 4)

    def both(x, y, power=1):
        return (x @ y) ** power

    assert np.allclose(isogram.pairwise_kernels(X, Y, both, power=2), isogram.linear_kernel(X, Y) ** 2)
    assert np.allclose(isogram.pairwise_kernels(X.tolist(), metric=both), isogram.linear_kernel(X))
    K = isogram.rbf_kernel(X)
    assert isogram.pairwise_kernels(K, metric="precomputed") is K
    assert isogram.pairwise_kernels(isogram.rbf_kernel(X, Y), np.zeros((4, 1)), "precomputed").shape == (5, 4)
    with pytest.raises(ValueError, match=r"requires shape \(n_queries, n_indexed\). Got \(5, 4\) for 5 indexed"):
        isogram.pairwise_kernels(isogram.rbf_kernel(X, Y), metric="precomputed")
    K[2, 3] = np.nan
    with pytest.raises(ValueError, match="row 2, column 3"):
        isogram.pairwise_kernels(K, metric="precomputed")
    with pytest.raises(TypeError, match="metric must be"):
        isogram.pairwise_kernels(X, metric=3)
    with pytest.raises(TypeError, match="n_jobs"):
        isogram.pairwise_kernels(X, n_jobs="two")


# ---- row by row


def test_chunks_have_the_bits_of_the_whole(random):
    X, Y = points(random, 50, 40)
    for Z, dtype in ((None, np.float64), (Y, np.float32)):
        X = X.astype(dtype)
        Z = None if Z is None else Z.astype(dtype)
        row = 8 * (50 if Z is None else 40) * 2.0**-20
        generator = isogram.pairwise_kernels_chunked(X, Z, metric="rbf", gamma=2.0, working_memory=7.5 * row)
        assert inspect.isgenerator(generator)
        chunks = list(generator)
        assert [len(chunk) for chunk in chunks] == [7] * 7 + [1] and all(chunk.dtype == dtype for chunk in chunks)
        assert np.array_equal(np.vstack(chunks), isogram.rbf_kernel(X, Z, 2.0))
    assert len(list(isogram.pairwise_kernels_chunked(X))) == 1
    with pytest.warns(UserWarning, match="Could not adhere to working_memory config. Currently 0MiB"):
        assert next(isogram.pairwise_kernels_chunked(X, working_memory=0)).shape == (1, 50)
    by_hand = list(isogram.pairwise_kernels_chunked(X, metric=lambda x, y: x @ y, working_memory=20 * 8 * 50 * 2.0**-20))
    assert [len(chunk) for chunk in by_hand] == [20, 20, 10]
    K = isogram.rbf_kernel(X)
    assert next(isogram.pairwise_kernels_chunked(K, metric="precomputed")) is K


def test_chunks_are_reduced(random):
    X, _ = points(random, 10)
    memory = 4 * 8 * 10 * 2.0**-20
    starts = []

    def best(K, start):
        starts.append(start)
        return list(K.argmax(axis=1)), K.sum(axis=1)

    parts = list(isogram.pairwise_kernels_chunked(X, metric="rbf", reduce_func=best, working_memory=memory))
    assert starts == [0, 4, 8] and sum((part[0] for part in parts), []) == list(range(10))
    assert np.allclose(np.concatenate([part[1] for part in parts]), isogram.rbf_kernel(X).sum(axis=1))
    assert list(isogram.pairwise_kernels_chunked(X, reduce_func=lambda K, start: None, working_memory=memory)) == [None] * 3
    for bad, error, words in ((lambda K, s: K[:2], ValueError, r"length 2\. Expected same length as input: 10\."),
                              (lambda K, s: (K, K[:1]), ValueError, r"length \(10, 1\)"),
                              (lambda K, s: 7, TypeError, r"returned 7\. Expected sequence\(s\) of length 10\."),
                              (lambda K, s: (K, 8), TypeError, r", 8\)\. Expected sequence")):
        with pytest.raises(error, match=words):
            next(isogram.pairwise_kernels_chunked(X, reduce_func=bad))
    with pytest.raises(ValueError, match="working_memory"):
        next(isogram.pairwise_kernels_chunked(X, working_memory=-1))


# ---- what is refused


@pytest.mark.parametrize("function", [isogram.rbf_kernel, isogram.linear_kernel, isogram.euclidean_distances, isogram.pairwise_kernels,
                                      isogram.cauchy_kernel])
def test_bad_points_are_refused(function):
    good = np.ones((4, 2))
    with pytest.raises(ValueError, match=r"Expected 2D array, got 1D array instead:\narray=\[1. 2.\].\nReshape your data"):
        function(np.array([1.0, 2.0]))
    with pytest.raises(ValueError, match="Expected 2D array, got scalar array"):
        function(3.0)
    with pytest.raises(ValueError, match="dim 3"):
        function(np.ones((2, 2, 2)))
    with pytest.raises(ValueError, match=r"0 sample\(s\)"):
        function(np.ones((0, 2)))
    with pytest.raises(ValueError, match=r"0 feature\(s\)"):
        function(np.ones((2, 0)))
    with pytest.raises((TypeError, ValueError), match="Complex data not supported"):
        function(good + 1j)
    with pytest.raises((TypeError, ValueError)):
        function([["a", "b"]])
    with pytest.raises(ValueError):
        function(good, np.ones((3, 5)))
    for place, value in (((2, 1), np.nan), ((3, 0), -np.inf)):
        bad = good.copy()
        bad[place] = value
        for name, arguments in (("X", (bad,)), ("Y", (good, bad))):
            with pytest.raises(ValueError) as caught:
                function(*arguments)
            assert name in str(caught.value) and str(place[0]) in str(caught.value), caught.value


def test_bad_outputs_and_numbers_are_refused(random):
    X, Y = points(random)
    for out, error, words in ((np.empty((23, 16)), ValueError, r"shape \(23, 17\)"), (np.empty((23, 17), np.float32), TypeError, "float64"),
                              ([[1.0]], TypeError, "numpy array")):
        with pytest.raises(error, match=words):
            isogram.rbf_kernel(X, Y, out=out)
    locked = np.empty((23, 17))
    locked.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        isogram.rbf_kernel(X, Y, out=locked)
    for gamma, error in ((-1.0, ValueError), (np.nan, ValueError), (np.inf, ValueError), ("1", TypeError), (1j, TypeError), ([1, 2], TypeError),
                         (np.ones(2), ValueError)):
        with pytest.raises(error, match="gamma"):
            isogram.rbf_kernel(X, gamma=gamma)
    with pytest.raises(ValueError, match="degree"):
        isogram.polynomial_kernel(X, degree=2.5)
    with pytest.raises(ValueError):
        isogram.rbf_kernel(X, gamma=1.0, sigma=1.0)
    with pytest.raises(ValueError, match="row 0, column 1 is -1"):
        isogram.chi2_kernel([[0.5, -1.0]])
    with pytest.raises(ValueError, match="Incompatible dimensions for Y"):
        isogram.euclidean_distances(X, Y, Y_norm_squared=np.ones(5))


def test_sparse_points_are_made_dense(random):
    sparse = pytest.importorskip("scipy.sparse")
    X, Y = points(random)
    X[X < 0.6] = 0
    for kind in (sparse.csr_matrix, sparse.csc_matrix, getattr(sparse, "csr_array", sparse.csr_matrix)):
        assert np.array_equal(isogram.rbf_kernel(kind(X), Y), isogram.rbf_kernel(X, Y))
        assert np.array_equal(isogram.pairwise_kernels(kind(X), metric="cosine"), isogram.cosine_similarity(X))
        K = isogram.linear_kernel(kind(X), dense_output=False)
        assert sparse.issparse(K) and np.array_equal(K.toarray(), isogram.linear_kernel(X))
        assert isinstance(isogram.linear_kernel(kind(X), Y, dense_output=False), np.ndarray)
        for function in (isogram.chi2_kernel, isogram.additive_chi2_kernel, lambda Z: isogram.pairwise_kernels(Z, metric="chi2"),
                         lambda Z: next(isogram.pairwise_kernels_chunked(Z, metric="chi2"))):
            with pytest.raises(ValueError, match="Sparse data was passed"):
                function(kind(X))


def test_digits_are_kept_far_from_the_origin(random):
    near, _ = points(random)
    near = near.round(3)
    far = near + 2.0**24  # exact: 2^24 and three decimals, in units of 2^-28
    far = (far - 2.0**24) + 2.0**24
    assert np.array_equal(isogram.rbf_kernel(far), isogram.rbf_kernel(far - 2.0**24))
    assert (np.diag(isogram.euclidean_distances(far)) == 0).all()


def test_nothing_is_warned_of(random):
    X, Y = points(random)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in FUNCTIONS:
            getattr(isogram, name)(X, Y)
