"""K on disk, larger than memory."""
from __future__ import annotations

import os
from typing import Any

import numpy as np

from isogram import arrays
from isogram._native import ffi, lib
from isogram.base_operator import Bound, choose
from isogram.errors import ArgumentError
from isogram.progress import Progress

_LAYOUTS = {"full": lib.ISG_STORE_FULL, "tiles": lib.ISG_STORE_TILES}


def _bytes(size: int | str) -> int:
    """Bytes of a number, or of a text such as "256M"; K, M, G and T are powers of 1024."""
    if isinstance(size, str):
        digits = size.rstrip("KMGTkmgt")
        unit = size[len(digits):].upper()
        if digits.isdecimal() and len(unit) <= 1:
            return int(digits) << (" KMGT".index(unit or " ") * 10)
        raise ArgumentError(f"memory must be a number of bytes such as '256M', not {size!r}")
    return arrays.whole(size, "memory")


class Stores(Bound):
    """What computes K into a file."""

    __slots__ = ()

    def save(self, path: str | os.PathLike[str], *, resume: bool = False, repair: bool = False, memory: int | str = "256M",
             layout: str = "full", dtype: Any = None, side: int = 0, progress: Progress = None) -> None:
        """Computes K into a .npy file, larger than memory if need be, tile by tile; what is computed is never lost.

        Parameters
        ----------
        path : str or path
            Beside it lies a journal, PATH.journal, with a checksum of each tile (docs/store.md).
        resume : bool
            Goes on with a file that is there: whatever ended the work, the finished file is the same byte for byte. False:
            a file that is there is an error.
        repair : bool
            As resume, of files that are cut short or damaged, too.
        memory : int or str
            Bytes for buffers in host memory, as a number or as "256M".
        layout : {"full", "tiles"}
            A matrix for ``numpy.load``, or the lower triangle by tiles.
        dtype : dtype, optional
            The operator's, or float16 beside float32.
        side : int
            Of a tile, a multiple of 64. 0: as memory allows.
        progress : callable or bool, optional

        Raises
        ------
        ArgumentError
            The file is there, or is of something else.
        FileError, FormatError
        """
        params = ffi.new("isg_store_params *")
        words = ffi.new("char[]", os.fsencode(path))
        params.path, params.gram = words, self._params
        params.layout = choose(_LAYOUTS, layout, "layout")
        if dtype is not None:
            params.dtype = arrays.DTYPES.get(np.dtype(dtype), lib.ISG_DTYPE_COUNT)
        params.side = arrays.whole(side, "side")
        params.memory_bytes = _bytes(memory)
        params.resume, params.repair = bool(resume), bool(repair)
        params.progress, params.progress_user = lib.isg_watch_store, self._watch.struct
        store = ffi.new("isg_store **")
        self._context.keep(store, lib.isg_store_close, (params, words, self._alive))
        try:
            self.handle
            chosen = self.progress if progress is None else progress
            self._context.call(lib.isg_store_create, self._context.handle, store, params, watch=self._watch, progress=chosen,
                               what="checking")
            self._context.call(lib.isg_store_compute, ffi.NULL, made=store, watch=self._watch, progress=chosen, what="saving")
        finally:
            self._context.drop(store)
