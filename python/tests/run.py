#!/usr/bin/env python3
"""Runs tests of the package as it lies in a build folder: run.py FOLDER FILE..., with 77 where they cannot run."""
import importlib.util
import os
import sys

sys.dont_write_bytecode = True  # nothing is left in the source folder


def main(folder, *files):
    lacking = [name for name in ("numpy", "cffi", "pytest") if importlib.util.find_spec(name) is None]
    if lacking:
        print(f"skipped: {sys.executable} has no {', '.join(lacking)}")
        return 77
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [folder, os.environ.get("PYTHONPATH")]))
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.path.insert(0, folder)
    import pytest

    code = pytest.main(["-q", "-p", "no:cacheprovider", "-W", "error", "-rs", *files])
    return 77 if code == pytest.ExitCode.NO_TESTS_COLLECTED else code  # a whole file that lacks what it needs


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
