#!/usr/bin/env python3
"""SciPy's own tests of its Gaussian filters, with isogram in their place: test_scipy_own.py LIBRARY [-v]

Runs those of scipy/ndimage/tests/test_filters.py, as it is installed, that call gaussian_filter, gaussian_filter1d, gaussian_laplace,
gaussian_gradient_magnitude or correlate1d, be it through prewitt, sobel or laplace. tests/scipy_adapter.py stands between. All must
pass; those in which isogram computed something are counted, and others, which look at errors, apart. Those of EXCLUDED must fail, with
the first of their parameters, so that no reason outlives its truth.
A build without the Python package is tested by this, and correlate1d only by this; python/tests/peers_own.py tests the package's functions.
Exits with 77 (skipped) without SciPy, its tests, pytest or a device with double precision.
"""
import inspect
import os
import re
import sys
from pathlib import Path

SKIPPED = 77
DEBIAN = "/usr/bin/python3"  # where Debian's packages python3-scipy and python3-pytest are to be found, whatever python3 is

EVEN = "an even number of weights, which no Gaussian has"
SKEW = "weights that are neither symmetric nor antisymmetric"
COMPLEX = "complex weights"
ORIGIN = "an origin: isg_filter's weights are centred"
HALF = "waits for float16 to be refused, which isogram filters"

# By the names of test functions, of any of their parameters. Both where SciPy's versions differ.
EXCLUDED = {
    "test_correlate03": EVEN,
    "test_correlate04": EVEN,
    "test_correlate05": EVEN,
    "test_correlate06": SKEW,
    "test_correlate08": SKEW,
    "test_correlate09": EVEN,
    "test_correlate17": EVEN,
    "test_correlate24": ORIGIN,
    "test_correlate25": ORIGIN,
    "test_correlate_complex_kernel_invalid_cval": COMPLEX,
    "test_correlate1d_complex_kernel": COMPLEX,
    "test_correlate1d_complex_kernel_cval": COMPLEX,
    "test_correlate1d_complex_input": EVEN,
    "test_correlate1d_complex_input_cval": EVEN,
    "test_correlate1d_complex_input_and_kernel": COMPLEX,
    "test_correlate1d_complex_input_and_kernel_cval": COMPLEX,
    "test_generic_filter1d01": SKEW,
    "test_extend01": EVEN,
    "test_extend02": EVEN,
    "test_extend03": SKEW,
    "test_extend04": SKEW,
    "test_bad_convolve_and_correlate_origins": EVEN,
    "test_correlate1d": SKEW,
    "test_gaussian_filter": HALF,
    "test_gaussian_filter_float16": HALF,
}

WORDS = re.compile("gaussian_filter|gaussian_laplace|gaussian_gradient_magnitude|correlate1d|prewitt|sobel|laplace")
LEAST = 440  # tests that must pass by isogram's work; SciPy 1.10 has 463 and 1.17 more


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def load():
    """The modules, from Debian's Python if this one has no SciPy or no pytest."""
    try:
        import numpy, pytest, scipy.ndimage  # noqa: E401, F401
        import scipy.ndimage.tests.test_filters as tests
    except ImportError as error:
        if os.path.exists(DEBIAN) and os.path.realpath(sys.executable) != os.path.realpath(DEBIAN):
            os.execv(DEBIAN, [DEBIAN, *sys.argv])
        skip(error)
    return tests


class Plugin:
    """Chooses the tests, and sees which of them reach isogram."""

    def __init__(self, filters):
        self.filters, self.passed, self.idle, self.excluded = filters, 0, 0, {}

    def pytest_collection_modifyitems(self, config, items):
        import pytest
        keep, drop = [], []
        for item in items:
            name = item.originalname
            wanted = WORDS.search(inspect.getsource(item.function)) and name not in self.excluded  # of those, one of many parameters
            (keep if wanted else drop).append(item)
            if wanted and name in EXCLUDED:
                item.add_marker(pytest.mark.xfail(strict=True, reason=EXCLUDED[name]))
                self.excluded[name] = EXCLUDED[name]
        config.hook.pytest_deselected(items=drop)
        items[:] = keep

    def pytest_runtest_setup(self, item):
        self.filters.calls = 0

    def pytest_runtest_logreport(self, report):
        if report.when == "call" and report.outcome == "passed":
            self.passed += self.filters.calls > 0
            self.idle += self.filters.calls == 0


def main(library, *options):
    tests = load()
    import pytest
    import scipy
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    import scipy_adapter
    filters = scipy_adapter.install(library)
    if not filters.has_f64():
        skip("the device has no double precision")
    plugin = Plugin(filters)
    code = pytest.main([tests.__file__, f"--rootdir={Path(scipy.__file__).parent}", f"--confcutdir={Path(scipy.__file__).parent}",
                        "-p", "no:cacheprovider", "-q", "--no-header", "-W", "ignore", *options], plugins=[plugin])
    for name, reason in sorted(plugin.excluded.items()):
        print(f"excluded: {name}: {reason}")
    print(f"SciPy {scipy.__version__}: {plugin.passed} of its tests passed by isogram, {plugin.idle} more did not come to it, "
          f"{len(plugin.excluded)} functions excluded")
    return 1 if code or plugin.passed < LEAST else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
