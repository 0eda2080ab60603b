"""SciPy's Gaussian filters by isogram: values, arguments, types of outputs, masks, and what is refused."""
import itertools

import numpy as np
import pytest

import isogram
from isogram import filters

MODES = ("reflect", "mirror", "nearest", "constant", "wrap")
PADS = {"reflect": "symmetric", "mirror": "reflect", "nearest": "edge", "constant": "constant", "wrap": "wrap"}
WHOLE = (np.int8, np.uint8, np.int64, np.uint64)


def weights(sigma, order, radius):
    """Of SciPy's definition: the derivative of exp(-x^2/(2 sigma^2)), over the sum of the Gaussian's weights; as correlations take them."""
    x = np.arange(-radius, radius + 1.0)
    gauss = np.exp(-0.5 * (x / sigma) ** 2)
    gauss /= gauss.sum()
    return gauss * {0: 1, 1: x / sigma**2, 2: x**2 / sigma**4 - 1 / sigma**2}[order]


def by_hand(a, sigma, order=0, mode="reflect", cval=0.0, radius=None, axis=-1):
    a = np.moveaxis(np.asarray(a, dtype=np.float64), axis, -1)
    radius = int(4 * sigma + 0.5) if radius is None else radius
    w = weights(sigma, order, radius)
    given = {"constant_values": cval} if mode == "constant" else {}
    padded = np.pad(a, [(0, 0)] * (a.ndim - 1) + [(radius, radius)], PADS[mode], **given)
    out = sum(w[k] * padded[..., k:k + a.shape[-1]] for k in range(2 * radius + 1))
    return np.moveaxis(out, -1, axis)


def close(got, want, tolerance=1e-13):
    assert got.shape == want.shape and np.abs(got - want).max() <= tolerance * max(1, np.abs(want).max()), np.abs(got - want).max()


@pytest.mark.parametrize("mode", MODES)
def test_values_are_scipys_definition(mode, random):
    a = random.normal(size=(11, 13))
    one = by_hand(a, 0.8, 1, mode, 0.75, axis=0)
    close(isogram.gaussian_filter1d(a, 0.8, 0, 1, None, mode, 0.75), one)
    both = by_hand(by_hand(a, 0.8, 0, mode, 0.75, axis=0), 1.3, 2, mode, 0.75, 3, axis=1)
    close(isogram.gaussian_filter(a, (0.8, 1.3), (0, 2), mode=mode, cval=0.75, radius=(None, 3)), both)
    close(isogram.gaussian_filter(a, (1.3, 0.8), (2, 0), mode=mode, cval=0.75, radius=(3, None), axes=(1, -2)), both)
    parts = [by_hand(by_hand(a, 1.0, 2 * (axis == 0), mode, axis=0), 1.0, 2 * (axis == 1), mode, axis=1) for axis in (0, 1)]
    close(isogram.gaussian_laplace(a, 1.0, mode=mode), parts[0] + parts[1])
    parts = [by_hand(by_hand(a, 1.0, axis == 0, mode, axis=0), 1.0, axis == 1, mode, axis=1) for axis in (0, 1)]
    close(isogram.gaussian_gradient_magnitude(a, 1.0, mode=mode), np.hypot(*parts))


def test_modes_of_each_axis(random):
    a = random.normal(size=(12, 10))
    close(isogram.gaussian_filter(a, 1.0, mode=("wrap", "nearest")), by_hand(by_hand(a, 1.0, 0, "wrap", axis=0), 1.0, 0, "nearest", axis=1))
    # Of derivatives, SciPy hands each part the mode of its own axis.
    parts = [by_hand(by_hand(a, 1.0, order[0], mode, axis=0), 1.0, order[1], mode, axis=1)
             for order, mode in (((1, 0), "wrap"), ((0, 1), "nearest"))]
    close(isogram.gaussian_gradient_magnitude(a, 1.0, mode=["wrap", "nearest"]), np.hypot(*parts))
    assert isogram.gaussian_gradient_magnitude(a.astype(np.float32), 1.0, mode=["wrap", "nearest"]).dtype == np.float32
    for word, same in (("grid-mirror", "reflect"), ("grid-wrap", "wrap"), ("grid-constant", "constant")):
        assert np.array_equal(isogram.gaussian_filter(a, 1.0, mode=word), isogram.gaussian_filter(a, 1.0, mode=same))


def test_radii_truncation_and_idle_axes(random):
    a = random.normal(size=(9, 9))
    assert np.array_equal(isogram.gaussian_filter(a, 0), a) and np.array_equal(isogram.gaussian_filter(a, [0, 1e-16]), a)
    assert np.array_equal(isogram.gaussian_filter(a, 3.0, radius=0), a) and np.array_equal(isogram.gaussian_filter(a, 3.0, truncate=0), a)
    close(isogram.gaussian_filter(a, 2.0, radius=(0, 3)), by_hand(a, 2.0, radius=3, axis=1))
    close(isogram.gaussian_filter(a, 2.0, truncate=1.2, axes=0), by_hand(a, 2.0, radius=2, axis=0))
    assert np.array_equal(isogram.gaussian_filter(a, 1.0, axes=()), a)
    assert np.array_equal(isogram.gaussian_filter(a, np.array(1.5)), isogram.gaussian_filter(a, np.float32(1.5)))
    assert isogram.gaussian_filter(np.zeros((0, 3)), 1.0).shape == (0, 3) and isogram.gaussian_filter(np.array(2.5), 1.0) == 2.5


def test_more_than_four_dimensions(random):
    a = random.normal(size=(2, 5, 3, 6, 2, 7))
    want = by_hand(by_hand(by_hand(a, 0.7, axis=1), 1.1, axis=3), 0.9, axis=5)
    close(isogram.gaussian_filter(a, (0.9, 0.7, 1.1), axes=(5, 1, 3)), want)
    holes = random.random((5, 1, 6, 2, 7)) < 0.3
    flat = np.broadcast_to(holes, (5, 3, 6, 2, 7))
    got = isogram.gaussian_filter(a, 1.0, axes=(3, 5), mask=~holes)
    for i, j in itertools.product(range(2), range(5)):
        assert np.array_equal(got[i, j], isogram.gaussian_filter(a[i, j], 1.0, axes=(1, 3), mask=~flat[j]))
    with pytest.raises(ValueError, match="6 axes to filter"):
        isogram.gaussian_filter(a, 1.0)


def test_complex_arrays(random):
    a = random.normal(size=(8, 9)) + 1j * random.normal(size=(8, 9))
    got = isogram.gaussian_filter(a, 1.0, mode="constant", cval=2 - 1j)
    assert got.dtype == np.complex128
    assert np.array_equal(got.real, isogram.gaussian_filter(a.real, 1.0, mode="constant", cval=2.0))
    assert np.array_equal(got.imag, isogram.gaussian_filter(a.imag, 1.0, mode="constant", cval=-1.0))
    assert isogram.gaussian_filter(a.astype(np.complex64), 1.0).dtype == np.complex64
    x, y = isogram.gaussian_filter(a, 1.0, (1, 0)), isogram.gaussian_filter(a, 1.0, (0, 1))
    close(isogram.gaussian_gradient_magnitude(a, 1.0), np.sqrt(x * x + y * y))
    laplacian = isogram.gaussian_laplace(a, 1.0)
    assert np.array_equal(laplacian.imag, isogram.gaussian_laplace(a.imag, 1.0))
    with pytest.raises(RuntimeError, match="complex dtype"):
        isogram.gaussian_filter(a, 1.0, output=np.zeros((8, 9)))
    with pytest.warns(UserWarning, match="promoting specified output dtype to complex"):
        assert isogram.gaussian_filter(a, 1.0, output=np.float64).dtype == np.complex128
    out = np.ones((8, 9), np.complex128)
    assert isogram.gaussian_filter(a.real, 1.0, output=out) is out and (out.imag == 0).all()


# ---- types and places


# A program is compiled for each pair of types that the library takes: six here, and two below.
@pytest.mark.parametrize("dtype", [np.bool_, np.int8, np.uint8, np.int32, np.uint64, np.float16, np.float32, np.float64, np.longdouble,
                                   ">f8", ">i2"])
def test_types_of_input_and_output(dtype, random):
    a = (random.random((7, 8)) * (2 if np.dtype(dtype) == np.bool_ else 100)).astype(dtype)
    got = isogram.gaussian_filter(a, 1.1)
    assert got.dtype == np.dtype(dtype).newbyteorder("=")
    exact = by_hand(by_hand(a.astype(np.float64), 1.1, axis=0), 1.1, axis=1)
    if got.dtype == np.bool_:
        assert np.array_equal(got, np.rint(exact) != 0)
    elif got.dtype.kind in "iu":
        assert (np.abs(got - exact) <= 0.5 + 1e-4).all()
    else:
        close(got.astype(np.float64), exact, 2 * float(np.finfo(got.dtype).eps) if got.dtype.itemsize < 8 else 1e-14)
    if dtype in (np.uint8, np.float32):
        close(isogram.gaussian_filter(a, 1.1, output="float64"), exact, 1e-14)


def test_whole_numbers_stay_in_their_range():
    step = np.zeros(20)
    step[10:] = 1
    for dtype in WHOLE:
        info = np.iinfo(dtype)
        got = isogram.gaussian_filter1d(step * 4.0 * float(info.max), 1.0, order=1, output=dtype)
        assert got.dtype == dtype and got.max() == info.max and got.min() == 0
        down = isogram.gaussian_filter1d(-step * 4.0 * float(info.max), 1.0, order=1, output=dtype)
        assert down.min() == info.min
    a = np.array([np.nan, 1.0, 2.0, 250.0])
    assert isogram.gaussian_filter(a, 0.0, output=np.int64).tolist() == [0, 1, 2, 250]
    # Rounded once: SciPy rounds either part, and their squares leave the range.
    image = (np.add.outer(np.arange(16.0), np.arange(16.0)) * 8).astype(np.uint8)
    assert (isogram.gaussian_gradient_magnitude(image, 1.0)[6:10, 6:10] == 11).all()


def test_results_go_where_they_should(random):
    a = random.normal(size=(12, 10))
    want = isogram.gaussian_filter(a, 1.0)
    out = np.zeros((24, 20))[::2, ::-2]
    assert isogram.gaussian_filter(a, 1.0, output=out) is out and np.array_equal(out, want)
    same = a.copy()
    assert isogram.gaussian_filter(same, 1.0, output=same) is same and np.array_equal(same, want)
    line = np.zeros(12 * 10 + 10)
    line[10:] = a.ravel()
    shifted = line[:120].reshape(12, 10)
    isogram.gaussian_filter(line[10:].reshape(12, 10), 1.0, output=shifted)  # they overlap
    assert np.array_equal(shifted, want)
    turned = a.copy()
    isogram.gaussian_filter(turned[::-1], 1.0, output=turned)
    assert np.array_equal(turned, want[::-1])
    back = a[::-1, ::-1]
    back.flags.writeable = False
    assert np.array_equal(isogram.gaussian_filter(back, 1.0), want[::-1, ::-1])
    assert np.array_equal(isogram.gaussian_filter(np.asfortranarray(a), 1.0), want)
    assert np.array_equal(isogram.gaussian_filter(a.tolist(), 1.0), want)
    odd = np.frombuffer(b"x" + a.tobytes(), np.float64, 120, 1).reshape(12, 10)  # not aligned
    assert np.array_equal(isogram.gaussian_filter(odd, 1.0), want)
    assert np.array_equal(isogram.gaussian_filter(a.astype(object), 1.0), want)
    assert np.array_equal(isogram.gaussian_filter(a, 1.0, memory=1 << 16), want)


# ---- masks and elements that are no number


def test_masked_elements_are_left_out(random):
    a = random.normal(size=(14, 15))
    holes = random.random((14, 15)) < 0.2
    spoilt = np.where(holes, np.nan, a)
    mean = isogram.gaussian_filter(spoilt, 1.0, nan="ignore")
    valid = (~holes).astype(float)
    want = isogram.gaussian_filter(np.where(holes, 0, a), 1.0) / isogram.gaussian_filter(valid, 1.0)
    close(mean, want, 1e-12)
    assert np.array_equal(isogram.gaussian_filter(a, 1.0, mask=~holes), mean)
    assert np.array_equal(np.isnan(isogram.gaussian_filter(spoilt, 1.0, nan="preserve")), holes)
    filled = isogram.gaussian_filter(spoilt, 1.0, nan="fill", fill=5.0)
    assert np.array_equal(filled, isogram.gaussian_filter(np.where(holes, 5.0, a), 1.0))
    alone = np.array([1.0, np.nan] + [np.nan] * 20)
    assert isogram.gaussian_filter(alone, 1.0, nan="ignore", fill=-9)[-1] == -9 and np.isnan(isogram.gaussian_filter(alone, 1.0, nan="ignore")[-1])
    assert np.isnan(isogram.gaussian_filter(alone, 1.0)[:6]).all()
    own = np.ones((14, 15))
    assert np.array_equal(isogram.gaussian_filter(a, 1.0, output=own, mask=own), isogram.gaussian_filter(a, 1.0))  # the mask is the output


# ---- what is refused


def test_bad_arguments_are_refused(random):
    a = random.normal(size=(8, 9))
    f = isogram.gaussian_filter
    for call, error, words in (
        (lambda: f(a, -1.0), ValueError, "sigma"), (lambda: f(a, np.nan), ValueError, "sigma"), (lambda: f(a, np.inf), ValueError, "sigma"),
        (lambda: f(a, "1"), TypeError, "sigma"), (lambda: f(a, 1j), TypeError, "sigma"), (lambda: f(a, [1, 2, 3]), RuntimeError, "sequence argument"),
        (lambda: f(a, [[1.0, 2.0], [1.0, 2.0]]), TypeError, "sigma"), (lambda: f(a, 1, 5), ValueError, "order"), (lambda: f(a, 1, -1), ValueError, "order"),
        (lambda: f(a, 1, 0.5), TypeError, "order"), (lambda: f(a, 1, mode="reflected"), RuntimeError, "boundary mode not supported"),
        (lambda: f(a, 1, mode=3), RuntimeError, "boundary mode"), (lambda: f(a, 1, truncate=np.nan), ValueError, "truncate"),
        (lambda: f(a, 1, radius=-1), ValueError, "Radius must be a nonnegative integer."), (lambda: f(a, 1, radius=1.5), ValueError, "Radius"),
        (lambda: f(a, 1, truncate=-4), ValueError, "Radius"), (lambda: f(a, 1, radius=2**45), ValueError, "radius"),
        (lambda: f(a, 1, axes=2), ValueError, "specified axis: 2 is out of range"), (lambda: f(a, 1, axes=(0, -2)), ValueError, "axes must be unique"),
        (lambda: f(a, 1, axes=(1.5,)), TypeError, "cannot be interpreted as an integer"), (lambda: f(a, 1, axes="x"), TypeError, "integer"),
        (lambda: f(a, 1, output=np.zeros((9, 8))), RuntimeError, "output shape not correct"), (lambda: f(a, 1, output="U3"), RuntimeError, "numeric"),
        (lambda: f(a, 1, output=np.zeros((8, 9), object)), RuntimeError, "numeric"), (lambda: f(a, 1, cval=1j), TypeError, "cval"),
        (lambda: f(a, 1, nan="drop"), ValueError, "nan must be one of"), (lambda: f(a, 1, fill=1.0), ValueError, "fill says"),
        (lambda: f(a, 1, nan="fill"), ValueError, "needs fill"), (lambda: f(a, 1, sampling="delta"), ValueError, "sampling must be one of"),
        (lambda: f(a, 1, precision="f16"), ValueError, "precision"), (lambda: f(a, 1, mask=np.ones((9, 8))), ValueError, "mask"),
        (lambda: f(a, 1, 1, nan="ignore"), ValueError, "order"), (lambda: isogram.gaussian_laplace(a, 1.0, nan="ignore"), ValueError, "deriv"),
        (lambda: isogram.gaussian_laplace(a, 1.0, masks=a), TypeError, "unexpected keyword argument 'masks'"),
        (lambda: f(np.array(["a"]), 1), TypeError, "no numbers"), (lambda: f(np.array([object()]), 1), TypeError, "numbers"),
        (lambda: f(np.zeros(3, "M8[s]"), 1), TypeError, "no numbers"),
    ):
        with pytest.raises(error, match=words):
            call()
    locked = np.zeros((8, 9))
    locked.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        f(a, 1, output=locked)
    assert issubclass(filters.FilterError, isogram.Error)


def test_scipy_agrees(random):
    """Where it is installed: all arguments at once."""
    ndimage = pytest.importorskip("scipy.ndimage")
    a = random.normal(size=(9, 11))
    for mode, dtype in (("constant", np.float64), ("wrap", np.complex64)):
        b = a.astype(dtype)
        arguments = {"mode": mode, "cval": 0.25, "truncate": 3.0}
        tolerance = 1e-13 if dtype == np.float64 else 2e-6
        for name in ("gaussian_filter", "gaussian_laplace", "gaussian_gradient_magnitude"):
            mine = getattr(isogram, name)(b, (0.6, 1.2), **arguments)
            theirs = getattr(ndimage, name)(b, (0.6, 1.2), **arguments)
            assert mine.dtype == theirs.dtype
            close(mine, theirs, tolerance)
        close(isogram.gaussian_filter1d(b, 1.1, 1, 2, **arguments), ndimage.gaussian_filter1d(b, 1.1, 1, 2, **arguments), tolerance)
