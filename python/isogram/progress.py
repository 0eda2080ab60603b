"""Long calls: Ctrl-C, and progress.

The library asks between launches whether to go on (python/watch.c). Some twenty times a second that question reaches
Python, which takes its lock, runs handlers of signals where this is the main thread, and tells a bar how far things are.
"""
from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Union

from isogram._native import ffi, lib

#: What ``progress=`` takes: a function of (done, total) that stops the work by giving True; True for a bar of tqdm, where
#: that is installed; None or False.
Progress = Union[Callable[[float, float], object], bool, None]

PERIOD_S = 0.05


class _Running(threading.local):
    watch: Watch | None = None


_running = _Running()


def _failed(kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> int:
    # What was raised in _ask, be it by a handler of a signal before its first line.
    if _running.watch is not None:
        _running.watch.raised = value
    return 1


@ffi.def_extern(name="isg_watch_ask", error=1, onerror=_failed)  # type: ignore[untyped-decorator, unused-ignore]
def _ask(user: Any, done: float, total: float) -> int:
    watch = _running.watch
    return 1 if watch is not None and watch.ask(done, total) else 0


class Watch:
    """What calls are interrupted by: for an operator, or a call. No two calls may use one at once.

    ``struct`` is what C takes as ``progress_user``, beside ``lib.isg_watch_progress`` as ``progress`` (of a store,
    ``lib.isg_watch_store``).
    """

    __slots__ = ("struct", "raised", "report", "bar")

    def __init__(self) -> None:
        self.struct = ffi.new("isg_watch *")
        self.raised: BaseException | None = None
        self.report: Callable[[float, float], object] | None = None
        self.bar: Any = None

    def begin(self, progress: Progress = None, what: str = "isogram") -> None:
        """Before a call, on its thread. what: what a bar is called."""
        _running.watch = self
        self.raised = None
        self.report = progress if callable(progress) else None
        self.bar = _bar(what) if progress is True else None
        asks = self.report is not None or self.bar is not None or threading.get_ident() == threading.main_thread().ident
        self.struct.period_s = PERIOD_S if asks else 0.0
        lib.isg_watch_begin(self.struct)

    def ask(self, done: float, total: float) -> bool:
        if self.bar is not None:
            self.bar.total = total
            self.bar.update(done - self.bar.n)
        return bool(self.report(done, total)) if self.report is not None else False

    def end(self, completed: bool) -> BaseException | None:
        """After a call. Gives what a handler of a signal, or a progress function, raised while it ran."""
        _running.watch = None
        bar, self.bar, self.report = self.bar, None, None
        raised, self.raised = self.raised, None
        if bar is not None:
            if completed and bar.total is not None:
                bar.n = bar.total
                bar.refresh()
            bar.close()
        return raised


def _bar(what: str) -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return tqdm(desc=what, total=None, bar_format="{desc}: {percentage:3.0f}% {bar} {elapsed}<{remaining}", leave=False)
