#!/usr/bin/env python3
"""A wheel of a clean copy of the source: check_wheel.py SOURCE FOLDER

It holds the package and nothing else, needs the C library and the OpenCL loader and nothing else, and works where it is
unpacked. Built without optimisation, for the bits are the same and it is about the parts. FOLDER keeps the build. 77 where pip
or what pip has to fetch is missing.
"""
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

THREE_LINES = """
import numpy as np, isogram
X = np.random.randn(5000, 16)
K = isogram.{function}
assert K.shape == (5000, 5000) and abs(K - K.T).max() == 0 and (K.diagonal() == 1).all()
"""


def fail(*words):
    print(*words)
    sys.exit(1)


def sources(source, to):
    """What git knows and does not ignore; without git, all but build folders."""
    done = subprocess.run(["git", "-C", source, "ls-files", "-z", "--cached", "--others", "--exclude-standard"], capture_output=True, check=False)
    names = [os.fsdecode(name) for name in done.stdout.split(b"\0") if name] if done.returncode == 0 else [
        str(path.relative_to(source)) for path in Path(source).rglob("*")
        if path.is_file() and not path.relative_to(source).parts[0].startswith(("build", ".git"))]
    kept = set()
    for name in names:
        path = Path(source) / name
        if path.is_file():
            copy = to / name
            kept.add(copy)
            if not copy.exists() or copy.stat().st_mtime_ns != path.stat().st_mtime_ns or copy.stat().st_size != path.stat().st_size:
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, copy)
    for path in to.rglob("*"):
        if path.is_file() and path not in kept:
            path.unlink()


def build(copy, folder):
    pip = [sys.executable, "-m", "pip"]
    if subprocess.run([*pip, "--version"], capture_output=True, check=False).returncode != 0:
        print(f"skipped: {sys.executable} has no pip")
        sys.exit(77)
    isolation = [] if importlib.util.find_spec("mesonpy") is None else ["--no-build-isolation"]
    for wheel in folder.glob("*.whl"):
        wheel.unlink()
    done = subprocess.run([*pip, "wheel", "--quiet", "--disable-pip-version-check", "--no-deps", *isolation, "--wheel-dir", folder,
                           f"--config-settings=build-dir={folder / 'build'}", "--config-settings=setup-args=-Doptimization=0", copy],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
                          env={**os.environ, "PATH": os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])})
    if done.returncode != 0:
        said = done.stdout + done.stderr
        if re.search("No matching distribution found for|Temporary failure in name resolution|Failed to establish a new connection", said):
            print("skipped: pip cannot fetch what builds a wheel")
            sys.exit(77)
        fail(said)
    return next(folder.glob("*.whl"))


def main(source, folder):
    folder = Path(folder)
    copy = folder / "source"
    copy.mkdir(parents=True, exist_ok=True)
    sources(source, copy)
    wheel = build(copy, folder)
    with tempfile.TemporaryDirectory() as site:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
            names = archive.namelist()
        foreign = [name for name in names if not re.fullmatch(r"isogram(/[\w.-]+\.(py|pyi|so|typed)|-[\w.]+\.dist-info/.*)", name)]
        if foreign:
            fail("the wheel holds", *foreign)
        missing = {path.name for path in (Path(source) / "python" / "isogram").glob("*.py")} - {Path(name).name for name in names}
        if missing:
            fail("the wheel lacks", *missing)
        extension = next(Path(site).glob("isogram/_isogram.*.so"))
        needed = re.findall(r"\(NEEDED\).*\[(.*)\]", subprocess.run(["readelf", "-d", extension], capture_output=True, text=True, check=True).stdout)
        allowed = r"libc\.so\.6|libm\.so\.6|libpthread\.so\.0|libdl\.so\.2|ld-linux.*|libOpenCL\.so\.1"
        if any(not re.fullmatch(allowed, name) for name in needed) or "libOpenCL.so.1" not in needed:
            fail("the extension needs", *needed)
        requires = re.findall(r"^Requires-Dist: (.*)$", next(Path(site).glob("*.dist-info/METADATA")).read_text(encoding="utf-8"), re.M)
        if not any(name.startswith("numpy>=1.24") for name in requires):
            fail("the wheel requires", *requires)
        has_functions = (Path(site) / "isogram" / "pairwise.py").exists()
        script = THREE_LINES.format(function="rbf_kernel(X)" if has_functions else "Gram(X)[:]")
        if importlib.util.find_spec("numpy") is not None and importlib.util.find_spec("cffi") is not None:
            subprocess.run([sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": site, "PYTHONDONTWRITEBYTECODE": "1"}, check=True)
    print(f"{wheel.name}: {', '.join(needed)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
