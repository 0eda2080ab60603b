#!/usr/bin/env python3
"""Other packages' own tests of functions that isogram has too, with isogram's in their place: peers_own.py FOLDER scipy|sklearn [-k …]

FOLDER: that of the built package. Runs scipy/ndimage/tests/test_filters.py or sklearn/metrics/tests/test_pairwise.py, as they are
installed: those tests that name a function which was replaced. All must pass; those in which isogram computed something are counted,
and there must be enough of them. What is named in EXCLUDED must fail, so that no reason outlives its truth: "function" all of a test function's parameters,
"function[words" those whose id has all of these words.
Exits with 77 (skipped) without the package, its tests, pytest or a device with double precision.
"""
from __future__ import annotations

import functools
import importlib
import inspect
import os
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

SKIPPED = 77
ROUNDED_ONCE = "SciPy rounds each part to a whole number before it joins them; isogram once, at the end"
HALF = "waits for float16 to be refused, which isogram filters"
MILLION = "a sum of a million coordinates, in single precision where the points are; scikit-learn takes double"
GONE = "a parameter that later versions of scikit-learn do not have"
NORMS = "waits for wrong norms to give wrong distances; isogram's are of differences"

SUITES: dict[str, dict[str, Any]] = {
    "scipy": {
        "tests": "scipy.ndimage.tests.test_filters",
        "places": ("scipy.ndimage", "scipy.ndimage._filters", "scipy.ndimage._ndimage_api"),
        "names": ("gaussian_filter", "gaussian_filter1d", "gaussian_laplace", "gaussian_gradient_magnitude"),
        "least": 35,
        "excluded": {
            "test_gaussian_laplace01[int32": ROUNDED_ONCE,
            "test_gaussian_laplace02[int32": ROUNDED_ONCE,
            **{f"test_generic_laplace01[{name}": ROUNDED_ONCE
               for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")},
            "test_gaussian_gradient_magnitude01[int32": ROUNDED_ONCE,
            "test_gaussian_gradient_magnitude02[int32": ROUNDED_ONCE,
            "test_gaussian_filter": HALF,
            "test_gaussian_filter_float16": HALF,
        },
    },
    "sklearn": {
        "tests": "sklearn.metrics.tests.test_pairwise",
        "places": ("sklearn.metrics", "sklearn.metrics.pairwise"),
        "names": ("rbf_kernel", "laplacian_kernel", "polynomial_kernel", "sigmoid_kernel", "linear_kernel", "cosine_similarity",
                  "chi2_kernel", "additive_chi2_kernel", "pairwise_kernels", "euclidean_distances", "manhattan_distances"),
        "least": 65,
        "excluded": {
            "test_manhattan_distances_deprecated_sum_over_features": GONE,
            "test_euclidean_distances_with_norms": NORMS,
            "test_euclidean_distances_extreme_values[1000000-float32": MILLION,
        },
    },
}


def skip(reason: object) -> None:
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def modules_of(suite: dict[str, Any]) -> list[ModuleType]:
    found = []
    for name in suite["places"]:
        try:
            found.append(importlib.import_module(name))
        except ImportError:  # of other versions
            pass
    return found


class Calls:
    """How often isogram's functions have given a result."""

    def __init__(self) -> None:
        self.count = 0

    def counted(self, own: Any, original: Any) -> Any:
        @functools.wraps(own)
        def call(*args: Any, **options: Any) -> Any:
            result = own(*args, **options)
            self.count += 1
            return result

        call.__name__ = call.__qualname__ = original.__name__
        return call


def install(suite: dict[str, Any]) -> Calls:
    """Puts isogram's functions in the place of the others, everywhere in this process. Before the tests are imported."""
    import isogram

    calls = Calls()
    for module in modules_of(suite):
        for name in suite["names"]:
            original = getattr(module, name, None)
            if original is None or hasattr(original, "isograms"):
                continue
            own = calls.counted(getattr(isogram, name), original)
            own.isograms = True
            able = getattr(sys.modules.get("scipy._lib._array_api"), "xp_capabilities_table", {})  # of SciPy 1.16 on
            if original in able:
                able[own] = able[original]
            for place in modules_of(suite):
                if getattr(place, name, None) is original:
                    setattr(place, name, own)
            for table in ("PAIRWISE_KERNEL_FUNCTIONS", "PAIRWISE_DISTANCE_FUNCTIONS"):
                for key, function in getattr(module, table, {}).items():
                    if function is original:
                        getattr(module, table)[key] = own
    return calls


def words_of(test_id: str) -> set[str]:
    return set(re.split(r"[\[\]-]", test_id)) - {""}


class Plugin:
    """Chooses the tests, and sees which of them reach isogram."""

    def __init__(self, suite: dict[str, Any], calls: Calls) -> None:
        self.suite, self.calls, self.passed, self.idle = suite, calls, 0, 0
        self.excluded: dict[str, int] = dict.fromkeys(suite["excluded"], 0)
        self.words = re.compile("|".join(suite["names"]))

    def reason(self, item: Any) -> str | None:
        for key, reason in self.suite["excluded"].items():
            function, _, part = key.partition("[")
            if item.originalname == function and words_of(part) <= words_of(item.name[len(function):]):
                self.excluded[key] += 1
                return str(reason)
        return None

    def pytest_collection_modifyitems(self, config: Any, items: list[Any]) -> None:
        import pytest

        keep, drop = [], []
        for item in items:
            source = inspect.getsource(item.function)
            callspec = getattr(item, "callspec", None)
            functions = [f for f in (callspec.params.values() if callspec else ()) if inspect.isfunction(f)]
            ours = [f for f in functions if hasattr(f, "isograms")]
            # Of one test of many functions, those of ours.
            wanted = ours or (self.words.search(source) and (not functions or functions[0].__name__ == "<lambda>"))
            (keep if wanted else drop).append(item)
            reason = self.reason(item) if wanted else None
            if reason is not None:
                item.add_marker(pytest.mark.xfail(strict=True, reason=reason))
        config.hook.pytest_deselected(items=drop)
        items[:] = keep

    def pytest_runtest_setup(self, item: Any) -> None:
        self.calls.count = 0

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when == "call" and report.outcome == "passed":
            self.passed += self.calls.count > 0
            self.idle += self.calls.count == 0


def main(folder: str, name: str, *options: str) -> int:
    folder = os.path.abspath(folder)
    sys.path.insert(0, folder)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [folder, os.environ.get("PYTHONPATH")]))  # for workers of theirs
    suite = SUITES[name]
    try:
        import pytest

        package = importlib.import_module(name)
        tests = importlib.util.find_spec(suite["tests"])
        if tests is None or tests.origin is None:
            raise ImportError(f"{name} has no tests")
        import isogram
    except ImportError as error:
        skip(error)
    if isogram.use().device.lanes_f64 == 0:
        skip("the device has no double precision")
    calls = install(suite)
    plugin = Plugin(suite, calls)
    root = str(Path(str(package.__file__)).parent)
    os.chdir(root)  # their settings, not ours
    code = pytest.main([str(tests.origin), f"--rootdir={root}", f"--confcutdir={root}", "-c", os.devnull, "-p", "no:cacheprovider", "-q",
                        "--no-header", "-W", "ignore", *options], plugins=[plugin])
    for key, count in sorted(plugin.excluded.items()):
        print(f"excluded: {key} ({count}): {suite['excluded'][key]}")
    print(f"{name} {package.__version__}: {plugin.passed} of its tests passed by isogram, {plugin.idle} more did not come to it, "
          f"{sum(plugin.excluded.values())} excluded")
    enough = plugin.passed >= suite["least"] or "-k" in options
    return 0 if code == 0 and enough else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
