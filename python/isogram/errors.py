"""Exceptions, one for each status of the C library that a call can end with.

Each is also the built-in exception that fits, so that ``except ValueError`` does what it should.
"""
from __future__ import annotations

from typing import Any

from isogram._native import DEVICE_ADVICE, ffi, lib, text


class Error(Exception):
    """What the library could not do. ``status`` is its word for that, such as ``"nonfinite"``."""

    status: str = ""


class ArgumentError(Error, ValueError):
    """A parameter is out of its range."""


class ShapeError(Error, ValueError):
    """Shapes do not fit each other."""


class DtypeError(Error, TypeError):
    """An element type that is not taken here."""


class SizeError(Error, OverflowError):
    """A size that cannot be addressed."""


class NonfiniteError(Error, ValueError):
    """NaN or infinity in the input; the message names row and column."""


class RangeError(Error, ValueError):
    """Finite input that the precision cannot hold."""


class OutOfMemory(Error, MemoryError):
    """The host, or the device, is out of memory."""


class FileError(Error, OSError):
    """A file could not be read or written."""


class FormatError(Error, ValueError):
    """A file is not what it should be."""


class NoDevice(Error, RuntimeError):
    """No OpenCL device, or none that was asked for. The message says what to install."""


class Untrusted(Error, RuntimeError):
    """The device computes something else than the contract."""


class Unsupported(Error, NotImplementedError):
    """The device cannot do this: double precision, mostly."""


class BuildError(Error, RuntimeError):
    """The device's compiler refused a kernel."""


class DeviceError(Error, RuntimeError):
    """An OpenCL call failed."""


class Cancelled(Error, RuntimeError):
    """A progress function asked to stop. Where a signal did, that exception (KeyboardInterrupt) is raised instead."""


class Incomplete(Error, LookupError):
    """A part of a store that is not there yet."""


class ForkError(Error, RuntimeError):
    """A process that was forked after its parent had used OpenCL, which does not survive that."""


_CLASSES: dict[int, type[Error]] = {
    lib.ISG_ERR_ARGUMENT: ArgumentError,
    lib.ISG_ERR_SHAPE: ShapeError,
    lib.ISG_ERR_DTYPE: DtypeError,
    lib.ISG_ERR_OVERFLOW: SizeError,
    lib.ISG_ERR_NONFINITE: NonfiniteError,
    lib.ISG_ERR_RANGE: RangeError,
    lib.ISG_ERR_MEMORY: OutOfMemory,
    lib.ISG_ERR_IO: FileError,
    lib.ISG_ERR_FORMAT: FormatError,
    lib.ISG_ERR_NO_DEVICE: NoDevice,
    lib.ISG_ERR_UNTRUSTED: Untrusted,
    lib.ISG_ERR_UNSUPPORTED: Unsupported,
    lib.ISG_ERR_BUILD: BuildError,
    lib.ISG_ERR_DEVICE: DeviceError,
    lib.ISG_ERR_CANCELLED: Cancelled,
    lib.ISG_ERR_INCOMPLETE: Incomplete,
}


def exception(status: int, message: str) -> Error:
    """The exception of a status, not raised yet."""
    word = text(lib.isg_status_name(status))
    if status == lib.ISG_ERR_NO_DEVICE:
        message = f"{message}. {DEVICE_ADVICE}" if message else DEVICE_ADVICE
    error = _CLASSES.get(status, Error)(message or word)
    error.status = word
    return error


def check(status: int, source: Any = None) -> None:
    """Raises what ``status`` stands for, unless that is ISG_OK.

    Parameters
    ----------
    status : int
        An ``isg_status``.
    source : cdata, optional
        Where the message is: an ``isg_error *``, or the ``isg_context *`` of a failed call, on which nothing else was
        called since.
    """
    if status:
        if source is not None and ffi.typeof(source) is ffi.typeof("isg_context *"):
            source = lib.isg_context_error(source)
        raise exception(status, text(source.message) if source is not None else "")
