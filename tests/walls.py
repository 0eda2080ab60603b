#!/usr/bin/env python3
"""The walls of docs/architecture.md that a search can hold: walls.py ROOT

- Rooms above the line know nothing of OpenCL.
- Only lib/blas.c names CLBlast.
- Of the public headers only opencl.h names OpenCL, and isogram.h leaves it out.
- The command uses the public headers, but not opencl.h save where isogram bench makes a buffer on the device, and of the library's rooms only the ground floor.
- cl/ holds no built-in transcendental function and no relaxed arithmetic; every program begins with contraction off.
- The files of cl/ are ASCII: that is all that OpenCL compilers promise to read.
"""
import re
import sys
from pathlib import Path

NO_OPENCL = {"base", "file", "npy", "npy_header", "npy_read", "npy_write", "kernels", "points", "profile", "recipe", "reference",
             "reference_reduce", "reference_variant", "cache", "verify_cases", "verify_filter", "verify_sums", "weights", "expansion",
             "filter_plan", "filter_pass", "convolve_plan", "stencil", "twofold", "verify_stencil", "store_journal", "store_file",
             "store_tiles", "store_read", "store_inputs", "store_threads", "boxes", "cluster", "far", "reference_filter", "filter_block",
             "filter_kept", "derived_plan", "reference_derived", "spare", "gradient_plan", "gradient_work", "reference_gradient",
             "verify_gradient", "folder"}
FORBIDDEN = re.compile(
    r"\b(native_\w+|half_(?:exp|sqrt|recip|divide|log|powr|sin|cos|tan)\w*|mad|mad24|exp2?|exp10|expm1|log|log2|log10|log1p|"
    r"powr?|pown|rootn|tanh?|sinh?|cosh?|sinpi|cospi|erfc?|rsqrt|sqrt|cbrt|hypot|tgamma|lgamma)\s*\("
)


def code(path):
    """The text without comments."""
    text = path.read_text(encoding="utf-8")
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.S)


def faults(root):
    for path in sorted((root / "lib").glob("*.[ch]")):
        text = code(path)
        if path.stem in NO_OPENCL and re.search(r"CL/cl|\bcl_\w+|\bcl[A-Z]\w+\(", text):
            yield f"{path.name} names OpenCL, which is below it"
        if path.stem in NO_OPENCL and re.search(r'#include "(cl|context|device|program|probe|buffer|gram|view)\.h"', text):
            yield f"{path.name} includes downward rooms' headers"
        if path.stem != "blas" and re.search("clblast", text, re.I):
            yield f"{path.name} names CLBlast"
        if path.stem in NO_OPENCL and "isogram/opencl.h" in text:
            yield f"{path.name} includes isogram/opencl.h"
    for path in sorted((root / "include" / "isogram").glob("*.h")):
        if path.name != "opencl.h" and re.search(r"CL/cl|isogram/opencl\.h|\bcl_\w+", code(path)):
            yield f"isogram/{path.name} names OpenCL"
    for path in sorted((root / "tools").glob("*.[ch]")):
        if path.name != "bench.c" and re.search(r"CL/cl|isogram/opencl\.h", code(path)):
            yield f"tools/{path.name} names OpenCL"
        for header in re.findall(r'#include "([^"]+)"', code(path)):
            if header not in ("base.h", "file.h") and not (root / "tools" / header).exists():
                yield f"tools/{path.name} includes {header}"
    for path in sorted((root / "cl").iterdir()):
        if path.suffix not in (".cl", ".h"):
            continue
        for found in FORBIDDEN.finditer(code(path)):
            yield f"cl/{path.name} calls {found.group(0)}"
        if path.suffix == ".cl" and not re.search(r'#include "\w+\.h"', code(path)):
            yield f"cl/{path.name} includes nothing, and so does not turn contraction off"
        if not path.read_bytes().isascii():
            yield f"cl/{path.name} is not ASCII"
    if "FP_CONTRACT OFF" not in (root / "cl" / "real.h").read_text(encoding="utf-8"):
        yield "cl/real.h does not turn contraction off"
    if re.search(r"fast-relaxed|mad-enable|unsafe-math|finite-math|denorms-are-zero", "".join(
            code(p) for p in (root / "lib").glob("*.c"))):
        yield "lib/ hands relaxed options to a compiler"


if __name__ == "__main__":
    found = list(faults(Path(sys.argv[1])))
    print("\n".join(found))
    sys.exit(1 if found else 0)
