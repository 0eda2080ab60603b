"""The package as it is installed, and what it says where OpenCL is missing."""
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import isogram
from isogram import _native
from test_use import alone


def test_version_is_the_librarys():
    assert re.fullmatch(r"\d+\.\d+\.\d+", isogram.__version__)
    assert (Path(isogram.__file__).parent / "py.typed").exists()


def test_everything_has_a_description():
    for name in isogram.__all__:
        thing = getattr(isogram, name)
        assert thing.__doc__, name
        for attribute, value in vars(thing).items() if isinstance(thing, type) else ():
            if callable(value) and not attribute.startswith("_"):
                assert value.__doc__, f"{name}.{attribute}"


def test_without_a_device(tmp_path):
    script = """
        import numpy as np, isogram
        print(isogram.devices())
        try:
            isogram.Gram(np.eye(3))
        except isogram.errors.NoDevice as error:
            print(error)
    """
    said = alone(script, environment={"OCL_ICD_VENDORS": str(tmp_path)})
    assert said.startswith("[]") and "apt install pocl-opencl-icd" in said and "pip install 'isogram[pocl]'" in said


def test_without_a_loader():
    script = """
        import sys
        class Refusal:
            def find_spec(self, name, path=None, target=None):
                if name == "isogram._isogram":
                    raise ImportError("libOpenCL.so.1: cannot open shared object file: No such file or directory")
        sys.meta_path.insert(0, Refusal())
        try:
            import isogram
        except ImportError as error:
            print(error)
    """
    assert "apt install ocl-icd-libopencl1" in alone(script)


def test_a_driver_from_a_wheel(tmp_path, monkeypatch):
    """Only where the system has none, the environment names none, and the processor can run it."""
    driver_for = lambda environment, avx512=False: _native.wheel_of_pocl(environment, str(vendors), avx512)  # noqa: E731
    site, vendors = tmp_path / "site", tmp_path / "vendors"
    (site / "pocl_binary_distribution").mkdir(parents=True)
    (site / "pocl_binary_distribution" / "__init__.py").touch()
    vendors.mkdir()
    monkeypatch.syspath_prepend(site)
    assert driver_for({}) is None
    driver = site / "pyopencl" / ".libs" / "libpocl-21062cec.so"
    driver.parent.mkdir(parents=True)
    driver.touch()
    assert driver_for({}) == str(driver)
    assert driver_for({"OCL_ICD_VENDORS": "/somewhere"}) is None and driver_for({}, True) is None
    (vendors / "gpu.icd").touch()
    assert driver_for({}) is None


def test_the_extension_needs_next_to_nothing():
    """The C library and the OpenCL loader; xxHash too, where the build was told to use the system's."""
    extension = next(Path(isogram.__file__).parent.glob("_isogram.*.so"))
    told = subprocess.run(["readelf", "-d", extension], capture_output=True, text=True, check=True).stdout
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", told))
    allowed = r"libc\.so\.6|libm\.so\.6|libpthread\.so\.0|libdl\.so\.2|ld-linux.*|libOpenCL\.so\.1"
    if os.environ.get("ISOGRAM_XXHASH") == "system":
        allowed += r"|libxxhash\.so\.0"
    assert "libOpenCL.so.1" in needed and [name for name in needed if not re.fullmatch(allowed, name)] == []
    symbols = subprocess.run(["nm", "-D", "--defined-only", extension], capture_output=True, text=True, check=True).stdout
    assert [line.split()[-1] for line in symbols.splitlines()] == ["PyInit__isogram"]


def test_processors(tmp_path):
    told = tmp_path / "cpuinfo"
    for flags, expected in (("fpu avx2 avx512f avx512bw", True), ("fpu avx2", False), ("avx512fp16", False)):
        told.write_text(f"processor: 0\nflags\t\t: {flags}\n")
        assert _native.has_avx512(str(told)) is expected
    assert not _native.has_avx512(str(tmp_path / "nothing"))
