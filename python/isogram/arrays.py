"""Arrays on their way to C and back: views without copies, scikit-learn's conversions of points, outputs."""
from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isogram._native import ffi, lib
from isogram.errors import ArgumentError, DtypeError, ShapeError

#: The element types that C takes, by NumPy's.
DTYPES: dict[np.dtype[Any], int] = {
    np.dtype(np.float32): lib.ISG_F32,
    np.dtype(np.float64): lib.ISG_F64,
    np.dtype(np.int8): lib.ISG_I8,
    np.dtype(np.uint8): lib.ISG_U8,
    np.dtype(np.bool_): lib.ISG_U8,
    np.dtype(np.int16): lib.ISG_I16,
    np.dtype(np.uint16): lib.ISG_U16,
    np.dtype(np.int32): lib.ISG_I32,
    np.dtype(np.uint32): lib.ISG_U32,
    np.dtype(np.int64): lib.ISG_I64,
    np.dtype(np.uint64): lib.ISG_U64,
    np.dtype(np.float16): lib.ISG_F16,
}
FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
#: And back.
NUMPY = {code: dtype for dtype, code in DTYPES.items() if dtype != np.dtype(np.bool_)}
MAX_NDIM: int = lib.ISG_MAX_NDIM


def is_opencl(array: Any) -> bool:
    """Whether it is an array of pyopencl's."""
    return not isinstance(array, np.ndarray) and hasattr(array, "base_data") and hasattr(array, "offset")


def view(array: Any, name: str = "array") -> Any:
    """The ``isg_array`` of an array in host memory, or of pyopencl's: a view, nothing is copied.

    Parameters
    ----------
    array : ndarray or pyopencl.array.Array
        Of one of `DTYPES`, in the machine's byte order, aligned; any strides that are whole elements. It must be kept as
        long as the view is used.
    name : str
        What error messages call it.

    Raises
    ------
    DtypeError, ShapeError

    Notes
    -----
    C takes the structure by value: ``lib.f(view(a))``. Assigned to a field it is copied.
    """
    if type(array) is np.ndarray:
        flags = array.flags
        if flags.c_contiguous and flags.writeable and flags.aligned:  # the usual case, soon done
            dtype = DTYPES.get(array.dtype)
            if dtype is not None and array.ndim == 2 and array.size:
                rows, columns = array.shape
                return ffi.new("isg_array *", (dtype, 2, (rows, columns), (columns, 1), ffi.from_buffer(array)))[0]
    dtype = DTYPES.get(array.dtype)
    if dtype is None:
        raise DtypeError(f"{name} has elements of {array.dtype}, which are not taken here")
    ndim = array.ndim
    if not 1 <= ndim <= MAX_NDIM:
        raise ShapeError(f"{name} must have 1 to {MAX_NDIM} dimensions, not {ndim}")
    size = array.dtype.itemsize
    strides = []
    for stride in array.strides:
        if stride % size:
            raise ArgumentError(f"{name} has a stride of {stride} bytes, which is no whole number of elements")
        strides.append(stride // size)
    if isinstance(array, np.ndarray):
        if not array.flags.aligned:
            raise ArgumentError(f"{name} is not aligned in memory")
        data = ffi.cast("void *", array.__array_interface__["data"][0])
        return ffi.new("isg_array *", (dtype, ndim, array.shape, strides, data))[0]
    if array.offset % size:
        raise ArgumentError(f"{name} begins between two elements of its buffer")
    mem = ffi.cast("void *", array.base_data.int_ptr)
    return ffi.new("isg_array *", (dtype, ndim, array.shape, strides, ffi.NULL, mem, array.offset // size))[0]


def as_native(array: NDArray[Any]) -> NDArray[Any]:
    """An array that `view` takes, of the same values: itself where it can be."""
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    size = array.dtype.itemsize
    if not array.flags.aligned or any(stride % size for stride in array.strides):
        array = array.copy()
    return array


def as_array(array: ArrayLike, name: str = "array") -> Any:
    """Numbers in an array that `view` takes, without a copy where it is one: of any shape; booleans and integers as they are.

    Raises
    ------
    DtypeError
        Complex numbers, or what NumPy cannot make numbers of.
    """
    if type(array) is np.ndarray and array.dtype in DTYPES and array.flags.behaved and array.flags.forc:
        return array  # the usual case, soon done
    if is_opencl(array):
        return array
    if hasattr(array, "toarray") and hasattr(array, "nnz"):
        raise DtypeError(f"Sparse data was passed for {name}, but dense data is required. "
                         "Use '.toarray()' to convert to a dense numpy array.")
    if isinstance(array, np.matrix):
        raise DtypeError(f"np.matrix is not supported for {name}. Please convert to a numpy array with np.asarray.")
    result: NDArray[Any] = np.asarray(array)
    if result.dtype.kind == "c":
        raise DtypeError(f"Complex data not supported for {name}\n{result}\n")
    if result.dtype not in DTYPES or not result.dtype.isnative:
        if result.dtype.kind not in "fiubOUS":
            raise DtypeError(f"{name} has elements of {result.dtype}, which are no numbers")
        if result.dtype.kind == "O" and any(isinstance(element, (complex, np.complexfloating)) for element in result.flat):
            raise DtypeError(f"Complex data not supported for {name}\n{result}\n")
        if result.dtype.newbyteorder("=") in DTYPES:
            return as_native(result)
        try:
            result = result.astype(np.float64)
        except TypeError as error:
            raise DtypeError(f"{name} has elements that are no numbers: {error}") from None
        except ValueError as error:
            raise ArgumentError(f"{name} has elements that are no numbers: {error}") from None
    return as_native(result)


def as_points(points: ArrayLike, name: str = "X", *, minimum: int = 1) -> Any:
    """Points, n x d, as scikit-learn's functions of pairs take them, with its words for what they do not.

    Parameters
    ----------
    points : array_like or pyopencl.array.Array
        Lists, booleans, integers of any size, numbers of any precision; objects that are numbers. float32 stays, which
        makes for single precision; all else counts as float64. Arrays that C can read are not copied, whatever their
        strides; C converts integers on their way to the device.
    name : str
        What error messages call it.
    minimum : int
        How many rows there must be.

    Returns
    -------
    ndarray or pyopencl.array.Array

    Raises
    ------
    DtypeError
        Complex, sparse or not numbers.
    ShapeError
        Not two-dimensional, or without rows or columns.
    """
    result = as_array(points, name)
    if result.ndim < 2:
        raise ShapeError(
            f"Expected 2D array, got {'1D' if result.ndim else 'scalar'} array instead:\narray={result}.\nReshape your data either "
            "using array.reshape(-1, 1) if your data has a single feature or array.reshape(1, -1) if it contains a single sample.")
    if result.ndim > 2:
        raise ShapeError(f"Found array with dim {result.ndim}. {name} expected <= 2.")
    n, d = result.shape
    if n < minimum:
        raise ShapeError(f"Found array with {n} sample(s) (shape={result.shape}) while a minimum of {minimum} is required "
                         f"for {name}.")
    if d < 1:
        raise ShapeError(f"Found array with {d} feature(s) (shape={result.shape}) while a minimum of 1 is required for {name}.")
    return result


def result_dtype(*arrays: Any) -> np.dtype[Any]:
    """scikit-learn's rule: float32 where all of them are, else float64."""
    return FLOAT32 if all(array.dtype == FLOAT32 for array in arrays) else FLOAT64


def output(out: Any, shape: Sequence[int], dtype: Any, name: str = "out") -> Any:
    """The array to write to: ``out`` itself, checked, or a new one.

    Parameters
    ----------
    out : ndarray or pyopencl.array.Array, optional
        Any strides that C takes.
    shape : sequence of int
    dtype : dtype or sequence of dtypes
        What ``out`` may have; a new one has the first.
    name : str
        What error messages call it.

    Raises
    ------
    DtypeError, ShapeError, ArgumentError
        ArgumentError: it cannot be written, or its elements do not lie where C could write them.
    """
    dtypes = dtype if isinstance(dtype, (tuple, list)) else (dtype,)
    if out is None:
        return np.empty(shape, dtypes[0])
    if not isinstance(out, np.ndarray) and not is_opencl(out):
        raise DtypeError(f"{name} must be a numpy array, not {type(out).__name__}")
    if out.dtype not in dtypes:
        raise DtypeError(f"{name} must have elements of {' or '.join(str(np.dtype(one)) for one in dtypes)}, not {out.dtype}")
    if tuple(out.shape) != tuple(shape):
        raise ShapeError(f"{name} must have shape {tuple(shape)}, not {tuple(out.shape)}")
    if isinstance(out, np.ndarray):
        if not out.flags.writeable:
            raise ArgumentError(f"{name} is read-only")
        if not out.flags.aligned:
            raise ArgumentError(f"{name} is not aligned in memory")
    return out


def number(value: Any, name: str) -> float:
    """A real number: Python's, NumPy's scalars, arrays of no dimensions."""
    if isinstance(value, (str, bytes, complex, np.complexfloating)) or (
            isinstance(value, np.ndarray) and value.dtype.kind not in "fiub"):
        raise DtypeError(f"{name} must be a real number, not {value!r}")
    if getattr(value, "ndim", 0) != 0:
        raise ShapeError(f"{name} must be one number, not an array of shape {value.shape}")
    try:
        return float(value)
    except (TypeError, ValueError):
        raise DtypeError(f"{name} must be a real number, not {type(value).__name__}") from None
    except OverflowError:
        raise ArgumentError(f"{name} is too large for a floating-point number") from None


def positive(value: Any, name: str) -> float:
    """A positive and finite real number."""
    result = number(value, name)
    if not (result > 0 and math.isfinite(result)):
        raise ArgumentError(f"{name} must be positive and finite, not {result!r}")
    return result


def whole(value: Any, name: str) -> int:
    """A whole number: of an integer type, or an array of no dimensions of one."""
    if isinstance(value, (bool, np.bool_)):
        raise DtypeError(f"{name} must be a whole number, not {value!r}")
    try:
        return operator.index(value)
    except TypeError:
        raise DtypeError(f"{name} must be a whole number, not {value!r}") from None
