#!/usr/bin/env python3
"""Writes the C source of isogram._isogram: bindings.py OUTPUT INCLUDE COMPILER...

What Python may call is read from the public headers, which the C compiler preprocesses, so that there is no second list of
declarations. cffi has the C compiler check every structure and enumerator of the result against the headers once more.
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import cffi

# Of CL/cl.h what isogram/opencl.h names.
OPENCL = """
typedef ... *cl_context; typedef ... *cl_device_id; typedef ... *cl_command_queue; typedef ... *cl_event;
typedef uint32_t cl_uint;
"""

# Of python/watch.h, and the function of isogram/progress.py that it asks.
WATCH = """
typedef struct isg_watch { double period_s; double next_s; void *user; ...; } isg_watch;
void isg_watch_begin(isg_watch *watch);
extern const isg_progress_fn isg_watch_progress;
extern const isg_store_progress_fn isg_watch_store;
extern "Python" int isg_watch_ask(void *user, double done, double total);
"""

SOURCE = """
#include <isogram/isogram.h>
#include <isogram/opencl.h>
#include "watch.h"
static int isg_watch_ask(void *user, double done, double total);
static const isg_progress_fn isg_watch_progress = isg_watch_tell;
static const isg_store_progress_fn isg_watch_store = isg_watch_tell_store;
static void isg_watch_begin(isg_watch *watch) { isg_watch_start(watch, isg_watch_ask); }
"""


def preprocessed(include, compiler):
    """The text of isogram's headers alone, without what they include of others."""
    with tempfile.TemporaryDirectory() as nothing:
        for name in ("stddef.h", "stdint.h", "CL/cl.h"):
            path = Path(nothing) / name
            path.parent.mkdir(exist_ok=True)
            path.touch()
        done = subprocess.run([*compiler, "-E", "-nostdinc", "-P", "-I", nothing, "-I", include, "-x", "c", "-"],
                              input="#include <isogram/isogram.h>\n#include <isogram/opencl.h>\n",
                              check=True, capture_output=True, text=True)
    return done.stdout


def without_bodies(text):
    """Inline functions left out: they end where their braces do."""
    out = []
    while match := re.search(r"\bstatic inline\b[^{;]*\{", text):
        depth, end = 1, match.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        out.append(text[:match.start()])
        text = text[end:]
    return "".join(out) + text


def declarations(include, compiler):
    text = without_bodies(preprocessed(include, compiler))
    return re.sub(r"__attribute__\s*\(\(visibility\(\"default\"\)\)\)", "", text)


def main(output, include, *compiler):
    ffi = cffi.FFI()
    ffi.cdef(OPENCL)
    ffi.cdef(declarations(include, compiler))
    ffi.cdef(WATCH)
    ffi.set_source("isogram._isogram", SOURCE)
    ffi.emit_c_code(output)


if __name__ == "__main__":
    main(*sys.argv[1:])
