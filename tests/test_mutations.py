#!/usr/bin/env python3
"""isogram verify cannot be fooled: whatever is changed in the programs that a device gets, to the last bit of one
coefficient, is refused when the device is opened or found different. And tools/golden never changes a golden hash.

test_mutations.py PATH_TO_ISOGRAM PATCH_LAYER PATH_TO_GOLDEN GOLDEN_FILE [unittest's arguments]

The changes are made on the way to the driver, by the OpenCL layer patch_layer.c. Where the loader takes no layers, the
tests that need them are skipped, and the exit status is 77. Without OCL_ICD_VENDORS and ISOGRAM_DEVICE they run on PoCL.
"""
import functools
import math
import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import cli
from cli import DONE, FAILED, needs_f64

SOURCES = Path(__file__).resolve().parent.parent / "cl"
POCL = "/etc/OpenCL/vendors/pocl.icd"

layer = golden_tool = golden_file = None

# One row per place in the contract's functions where a last bit is changed: file, function, precision, which
# coefficient (0: that of the highest power), and the functions that use it.
EXP = {"exp_nonpositive", "real_exp"}
EXP_PAIR = {"real_expm1", "real_tanh", "real_erf", "real_erfc", "real_pow"}
LOG = {"real_log", "real_log1p"}
ERFC = {"real_erf", "real_erfc"}
TRIG = {"real_sinpi", "real_cospi"}
COEFFICIENTS = [
    ("exp.h", "exp_polynomial", "f32", -1, EXP),
    ("exp.h", "exp_polynomial", "f32", -2, EXP),
    ("exp.h", "exp_third", "f32", -1, EXP_PAIR),
    ("log.h", "log_polynomial", "f32", -1, LOG),
    ("log.h", "log_polynomial", "f32", 0, LOG),
    ("log.h", "log_pair", "f32", -2, {"real_pow"}),
    ("erf.h", "erf_small", "f32", -3, {"real_erf"}),
    ("erf.h", "erfc_reduced", "f32", -2, ERFC),
    ("trig.h", "sin_polynomial", "f32", -3, TRIG),
    ("trig.h", "cos_polynomial", "f32", 2, TRIG),
    ("exp.h", "exp_third", "f64", -1, EXP | EXP_PAIR),
    ("log.h", "log_polynomial", "f64", -1, LOG),
    ("log.h", "log_pair", "f64", -2, {"real_pow"}),
    ("erf.h", "erf_small", "f64", -3, {"real_erf"}),
    ("erf.h", "erfc_reduced", "f64", -2, ERFC),
    ("trig.h", "sin_polynomial", "f64", -3, TRIG),
    ("trig.h", "cos_polynomial", "f64", -6, TRIG),
]

# Other ways to be wrong, in the lines that come after the polynomials: file, program, text, what becomes of it, which
# checks fail.
SLIPS = [
]
