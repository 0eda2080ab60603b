"""Arrays and queues of pyopencl pass through: kernels write to its buffers, nothing is copied by way of Python."""
import numpy as np
import pytest

import isogram
from isogram import errors

cl = pytest.importorskip("pyopencl")
cl_array = pytest.importorskip("pyopencl.array")


@pytest.fixture(scope="module")
def queue():
    try:
        device = next(device for platform in cl.get_platforms() for device in platform.get_devices()
                      if device.name == isogram.devices()[0].name)
    except (cl.Error, StopIteration):
        pytest.skip("pyopencl's loader sees other devices than isogram's")
    return cl.CommandQueue(cl.Context([device]))


@pytest.fixture
def context(queue):
    with isogram.Context(queue=queue) as context:
        yield context


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_bits_are_the_hosts(queue, context, random, dtype):
    X, V = random.standard_normal((70, 4)).astype(dtype), random.standard_normal((70, 2)).astype(dtype)
    expected = isogram.Gram(X, sigma=1.5)
    x, v = cl_array.to_device(queue, X), cl_array.to_device(queue, V)
    K = isogram.Gram(x, sigma=1.5)
    assert K.context is context
    out = cl_array.zeros(queue, (70, 70), dtype)
    assert K.dense(out=out) is out and out.get().tobytes() == np.asarray(expected).tobytes()
    part = cl_array.zeros(queue, (80, 90), dtype)
    K.tile(3, 4, part[10:30, 20:60])
    assert part.get()[10:30, 20:60].tobytes() == expected[3:23, 4:44].tobytes() and not part.get()[:10].any()
    assert (K @ v).tobytes() == (expected @ V).tobytes()
    product = cl_array.zeros(queue, (70, 2), dtype)
    assert K.apply(v, out=product) is product and product.get().tobytes() == (expected @ V).tobytes()
    assert np.asarray(isogram.Gram(x[5:20], x[::2], sigma=1.5)).tobytes() == np.asarray(isogram.Gram(X[5:20], X[::2], sigma=1.5)).tobytes()


def test_the_queue_is_shared(queue, context):
    """What the program enqueued before is seen without a wait."""
    x = cl_array.zeros(queue, (300, 3), "f4")
    x.fill(7)
    x += 1
    assert (np.asarray(isogram.Gram(x, kernel="linear")) == 192).all()
    assert isogram.use(queue).device.name == context.device.name
    isogram.use()


def test_what_is_refused(queue, context):
    x = cl_array.zeros(queue, (10, 3), "f4")
    K = isogram.Gram(x)
    with pytest.raises(TypeError):
        K.dense(out=cl_array.zeros(queue, (10, 10), "f8"))
    with pytest.raises(ValueError):
        K.dense(out=cl_array.zeros(queue, (10, 11), "f4"))
    with pytest.raises(TypeError):
        isogram.Gram(cl_array.zeros(queue, (10, 3), "c8"))
    with pytest.raises(errors.ArgumentError):
        isogram.Gram(x, context=isogram.Context())  # of another cl_context
    with pytest.raises(errors.ArgumentError, match="queue"):
        isogram.Context("cpu", queue=queue)
    with pytest.raises(TypeError, match="pickle"):
        K.__reduce__()
