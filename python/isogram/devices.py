"""Devices, and the context that a thread computes in.

OpenCL works through a context, which serves one thread at a time. Each thread gets one of its own when it first computes
something; contexts of threads that have ended are handed on. What was made from a context may be used on any thread: calls
wait for each other then.
"""
from __future__ import annotations

import os
import threading
import warnings
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, fields
from types import TracebackType
from typing import Any, Union

from isogram._native import ffi, lib, text
from isogram.errors import ArgumentError, Error, ForkError, check, exception
from isogram.progress import Progress, Watch

_ARITHMETICS: dict[str, int] = {
    "auto": lib.ISG_ARITHMETIC_AUTO,
    "fused": lib.ISG_ARITHMETIC_FUSED,
    "unfused": lib.ISG_ARITHMETIC_UNFUSED,
}
PRECISIONS: dict[str | None, int] = {
    None: lib.ISG_PRECISION_DEFAULT,
    "f32": lib.ISG_PRECISION_F32, "float32": lib.ISG_PRECISION_F32,
    "f64": lib.ISG_PRECISION_F64, "float64": lib.ISG_PRECISION_F64,
}


def precision_of(precision: str | None) -> int:
    """The ``isg_precision`` of "f32" (or "float32"), "f64" (or "float64"); None: the default."""
    try:
        return PRECISIONS[precision]
    except (KeyError, TypeError):
        raise ArgumentError(f"precision must be 'f32' or 'f64', not {precision!r}") from None


@dataclass(frozen=True)
class Device:
    """What a device says of itself. Sizes in bytes, the clock in MHz."""

    platform_index: int
    device_index: int
    device_class: str  #: "discrete GPU", "integrated GPU", "accelerator" or "CPU"
    name: str
    platform: str
    vendor: str
    version: str
    c_version: str
    driver: str
    global_bytes: int
    max_alloc_bytes: int
    local_bytes: int
    max_work_group: int
    compute_units: int
    clock_mhz: int
    lanes_f32: int
    lanes_f64: int  #: 0: no double precision
    unified_memory: bool  #: whether host and device share memory

    def __str__(self) -> str:
        return f"{self.platform_index}:{self.device_index} {self.name} ({self.device_class}, {self.platform})"


def _device(struct: Any) -> Device:
    values: dict[str, Any] = {}
    for field in fields(Device):
        value = getattr(struct, field.name)
        values[field.name] = text(value) if isinstance(value, ffi.CData) else value
    values["device_class"] = text(lib.isg_device_class_name(struct.device_class))
    values["unified_memory"] = bool(struct.unified_memory)
    return Device(**values)


# The process that used OpenCL first. Its children cannot.
_opencl_process: int | None = None


# This process's number, without a call of the system for each call of ours.
_process = os.getpid()


def _forked() -> None:
    global _process
    _process = os.getpid()


os.register_at_fork(after_in_child=_forked)


def check_process() -> None:
    """Raises ForkError in a child of a process that has used OpenCL; to be called before OpenCL is."""
    global _opencl_process
    process = os.getpid()
    if _opencl_process is None:
        _opencl_process = process
    elif _opencl_process != process:
        raise ForkError(
            f"process {process} was forked from process {_opencl_process}, which had used OpenCL before: drivers do not survive "
            "that. Start workers by multiprocessing.get_context('spawn') or 'forkserver', or fork before anything is computed")


def devices() -> list[Device]:
    """The OpenCL devices of this machine, best first, as "auto" ranks them.

    Returns
    -------
    list of Device
        Empty where there are none; every call that computes then says what to install. A platform or device that does
        not answer is left out with a RuntimeWarning.

    Raises
    ------
    ForkError
        In a process that was forked after OpenCL had been used.
    """
    check_process()
    count = ffi.new("int32_t *")
    error = ffi.new("isg_error *")
    lib.isg_device_list(ffi.NULL, 0, count, error)
    found = ffi.new("isg_device[]", max(1, count[0]))
    status = lib.isg_device_list(found, count[0], count, error)
    if status and count[0]:
        warnings.warn(text(error.message), RuntimeWarning, stacklevel=2)
    else:
        check(status, error)
    return [_device(found[i]) for i in range(min(count[0], len(found)))]


class Context:
    """One device and its queue; what operators are made from and filters run in.

    Parameters
    ----------
    device : str or Device, optional
        "auto", "gpu", "cpu", "accelerator", "PLATFORM:DEVICE", a part of a device's or platform's name, or one of
        ``devices()``. None: the environment's ISOGRAM_DEVICE, else "auto".
    arithmetic : {"auto", "fused", "unfused"}
        Fused and unfused arithmetic have different bits; "auto" takes fused where the device is seen to have it.
    cache_dir : str, optional
        Folder for compiled programs; "off": none. None: ISOGRAM_CACHE_DIR, else the user's cache.
    max_alloc_bytes : int
        No single buffer of the device grows beyond this. 0: the device's own limit.
    queue : pyopencl.CommandQueue, optional
        Works on the queue's device and context, and on the queue itself where that is in order. ``device`` must be None.

    Raises
    ------
    NoDevice, Untrusted, ForkError

    Notes
    -----
    Calls on one context wait for each other, whatever thread they are made on. A context must not be used in a forked
    process. Operators keep the context that they were made from; ``close`` is for who cannot wait for the garbage
    collector, and closes them, too.
    """

    # Operators' handles are the context's as well: whatever the order in which a cycle of garbage is finalised, they are
    # destroyed before it. A finaliser that finds the context busy leaves its handle in _garbage for who holds the lock.
    __slots__ = ("_handle", "_pid", "_lock", "_owner", "_made", "_garbage", "_queue", "_contracts", "__weakref__")

    def __init__(self, device: str | Device | None = None, *, arithmetic: str = "auto", cache_dir: str | None = None,
                 max_alloc_bytes: int = 0, queue: Any = None) -> None:
        self._handle: Any = ffi.NULL
        self._lock = threading.Lock()
        self._owner = 0  # the thread that computes
        # what was made from it: how that is destroyed, and what must live as long
        self._made: dict[Any, tuple[Callable[[Any], None], Any]] = {}
        self._garbage: deque[Any] = deque()
        self._queue = queue
        self._contracts: dict[int, str] = {}
        check_process()
        self._pid = _process
        if arithmetic not in _ARITHMETICS:
            raise ArgumentError(f"arithmetic must be one of {', '.join(_ARITHMETICS)}, not {arithmetic!r}")
        params = ffi.new("isg_context_params *")
        error = ffi.new("isg_error *")
        name = ffi.NULL if device is None else ffi.new("char[]", _device_name(device).encode())
        folder = ffi.NULL if cache_dir is None else ffi.new("char[]", os.fsencode(cache_dir))
        params.device, params.cache_dir, params.error = name, folder, error
        params.arithmetic = _ARITHMETICS[arithmetic]
        params.max_alloc_bytes = max_alloc_bytes
        out = ffi.new("isg_context **")
        if queue is None:
            status = lib.isg_context_create(out, params)
        elif device is not None:
            raise ArgumentError("a queue has a device of its own: device must be None beside it")
        else:
            status = lib.isg_context_from_opencl(out, _opencl(queue.context, "cl_context"), _opencl(queue.device, "cl_device_id"),
                                                 _opencl(queue, "cl_command_queue"), params)
        check(status, error)
        self._handle = out[0]

    @property
    def handle(self) -> Any:
        """The ``isg_context *``; raises where it is closed, or of a process before a fork."""
        if self._pid != _process:
            check_process()
            raise ForkError("this context was made in another process")
        if not self._handle:
            raise ArgumentError("this context is closed")
        return self._handle

    @property
    def device(self) -> Device:
        """The device that computes."""
        return _device(lib.isg_context_device(self.handle))

    def contract(self, precision: str = "f32") -> str:
        """The name of the numeric contract of results, such as "isogram-2/f32/fused": equal names mean equal bits."""
        which = precision_of(precision)
        if which == lib.ISG_PRECISION_DEFAULT:
            raise ArgumentError("precision must be 'f32' or 'f64'")
        if which not in self._contracts:
            self._check_idle()
            with self._lock:
                self._contracts[which] = text(lib.isg_context_contract(self.handle, which))
        return self._contracts[which]

    def call(self, function: Callable[..., int], *arguments: Any, made: Any = None, watch: Watch | None = None,
             progress: Progress = None, what: str = "isogram") -> None:
        """Calls a C function that works on the context or what is made from it, and raises what its status says.

        Parameters
        ----------
        function : callable
            Of ``lib``, giving an ``isg_status``. Other threads run meanwhile.
        *arguments
            Its own.
        made : cdata, optional
            Where the handle lies (see `keep`) that is its first argument; looked up when no other thread can close it.
        watch : Watch, optional
            What the function's ``progress_user`` is: signals and ``progress`` are heeded.
        progress : callable or bool, optional
            See `isogram.progress.Progress`.
        what : str
            What a bar is called.
        """
        handle = self.handle
        self._check_idle()
        failure: BaseException | None = None
        with self._lock:
            status = -1
            try:
                self._owner = threading.get_ident()
                if not self._handle or (made is not None and not made[0]):
                    raise ArgumentError("this context is closed" if not self._handle else "this Gram is closed")
                if watch is not None:
                    watch.begin(progress, what)
                status = function(*arguments) if made is None else function(made[0], *arguments)
                if status:
                    failure = exception(status, text(lib.isg_context_error(handle).message))
            finally:
                self._owner = 0
                if watch is not None:
                    failure = watch.end(status == 0) or failure
                if self._garbage:
                    self._collect()
        if self._garbage:
            self._sweep()
        if failure is not None:
            raise failure

    def _check_idle(self) -> None:
        if self._owner == threading.get_ident():
            raise Error("a progress function, or a handler of a signal, must not use the context that is busy")

    def keep(self, handle: Any, destroy: Callable[[Any], None], alive: Any = None) -> None:
        """Takes over what is going to be made. To be called before it is, lest an interrupt comes between.

        handle: where the C function stores the new handle, as ``destroy`` takes it; NULL until then. alive: kept as long.
        """
        self._made[handle] = destroy, alive

    def drop(self, handle: Any) -> None:
        """Destroys an operator: now, or as soon as the context is idle. Any thread, any time."""
        self._garbage.append(handle)
        self._sweep()

    def _sweep(self) -> None:
        # Who finds the lock taken left its garbage before it looked; who has the lock looks again after giving it back. A
        # with statement, for no signal comes between its taking the lock and being bound to give it back.
        while self._garbage and not self._lock.locked():
            with self._lock:
                self._collect()

    def _collect(self) -> None:
        while self._garbage:
            handle = self._garbage.popleft()
            made = self._made.pop(handle, None)
            if made is not None and self._handle and self._pid == _process:
                made[0](handle)

    def close(self) -> None:
        """Destroys the context and the operators made from it, which cannot be used afterwards. Again: nothing."""
        if self._pid != _process:
            self._handle = ffi.NULL  # the parent's; nothing of OpenCL may be called here
            return
        self._check_idle()
        with self._lock:
            self._collect()
            for handle, (destroy, _) in list(self._made.items()):
                destroy(handle)
            self._made.clear()
            if self._handle:
                out = ffi.new("isg_context **", self._handle)
                self._handle = ffi.NULL
                lib.isg_context_destroy(out)

    def __del__(self) -> None:
        # The lock of what nobody refers to is taken when a daemon thread computes while the interpreter ends: for good.
        if getattr(self, "_handle", None) and not self._lock.locked():
            self.close()

    def __enter__(self) -> Context:
        """The calling thread computes in this context until the block ends."""
        _thread.entered.append(_thread.context)
        _thread.context = self
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        _thread.context = _thread.entered.pop()

    def __repr__(self) -> str:
        return f"<isogram.Context on {self.device}>" if self._handle else "<isogram.Context, closed>"


def _device_name(device: str | Device) -> str:
    if isinstance(device, Device):
        return f"{device.platform_index}:{device.device_index}"
    if isinstance(device, str):
        return device
    raise ArgumentError(f"device must be a str or one of isogram.devices(), not {type(device).__name__}")


def _opencl(thing: Any, kind: str) -> Any:
    """The cl_ object of one of pyopencl's."""
    return ffi.cast(kind, thing.int_ptr)


class _Thread(threading.local):
    def __init__(self) -> None:
        self.context: Context | None = None  # chosen by use() or a with statement
        self.entered: list[Context | None] = []  # what was so before with statements
        self.lease: _Lease | None = None


_thread = _Thread()

Choice = tuple[Union[str, Device, None], str]
_default: Choice = (None, "auto")
_idle: dict[Choice, deque[Context]] = {}  # of threads that have ended


class _Lease:
    """A thread's context; when the thread ends, the next one takes it over."""

    __slots__ = ("context", "choice")

    def __init__(self, choice: Choice) -> None:
        self.choice = choice
        self.context: Context | None = None
        idle = _idle.get(choice)
        try:
            self.context = idle.pop() if idle else None
        except IndexError:  # another thread was faster
            pass
        if self.context is None or not self.context._handle or self.context._pid != os.getpid():
            self.context = Context(choice[0], arithmetic=choice[1])

    def __del__(self) -> None:
        if self.context is not None and self.context._handle and _idle is not None:
            _idle.setdefault(self.choice, deque()).append(self.context)


def current() -> Context:
    """The context that the calling thread computes in; opened when it is first needed.

    Raises
    ------
    NoDevice
        The message says what to install.
    ForkError
    """
    context = _thread.context
    if context is not None:
        return context
    lease = _thread.lease
    if lease is None or lease.choice is not _default or lease.context is None or not lease.context._handle:
        check_process()
        lease = _thread.lease = _Lease(_default)
    assert lease.context is not None
    return lease.context


def use(device: str | Device | Context | Any = None, *, arithmetic: str = "auto") -> Context:
    """Chooses what the calling thread computes on from now on.

    Called on the main thread, it is also what threads begin with that have not chosen themselves.

    Parameters
    ----------
    device : str, Device, Context or pyopencl.CommandQueue, optional
        As of `Context`. None: the choice is the environment's, or the best device.
    arithmetic : {"auto", "fused", "unfused"}
        As of `Context`; of a Context that is handed in, its own counts.

    Returns
    -------
    Context
        Also a context manager: ``with isogram.Context("cpu"):`` chooses for a block of statements.

    Examples
    --------
    >>> import isogram
    >>> isogram.use("cpu").device.device_class     # doctest: +SKIP
    'CPU'
    """
    global _default
    if isinstance(device, Context):
        device.handle  # noqa: B018  # refuses one that is closed
        _thread.context = device
        return device
    if device is not None and hasattr(device, "int_ptr"):
        _thread.context = Context(arithmetic=arithmetic, queue=device)
        return _thread.context
    choice: Choice = (device, arithmetic)
    if threading.current_thread() is threading.main_thread():
        lease = _Lease(choice)
        _default, _thread.lease, _thread.context = choice, lease, None
        assert lease.context is not None
        return lease.context
    lease = _Lease(choice)
    _thread.lease, _thread.context = lease, lease.context
    assert lease.context is not None
    return lease.context
