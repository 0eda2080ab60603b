#!/usr/bin/env python3
"""An installed isogram is usable by a stranger's program: install.py BUILD_DIR EXAMPLE.c CC

Installs into a temporary folder, compiles the example through pkg-config against the shared library, runs it, and compiles it once more
against the static one.
"""
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path


def run(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more).stdout


def main(build, example, *cc):
    with tempfile.TemporaryDirectory() as root:
        run("meson", "install", "-C", build, "--no-rebuild", "--quiet", "--destdir", root)
        config = next(Path(root).rglob("isogram.pc"))
        libdir = config.parent.parent
        env = dict(os.environ, PKG_CONFIG_PATH=str(config.parent), PKG_CONFIG_SYSROOT_DIR=root, LD_LIBRARY_PATH=str(libdir))
        flags = shlex.split(run("pkg-config", "--cflags", "--libs", "isogram", env=env))
        binary = Path(root) / "example"
        run(*cc, "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", example, "-o", str(binary), *flags)
        printed = run(str(binary), env=env)
        print(printed, end="")
        version = run("pkg-config", "--modversion", "isogram", env=env).strip()
        assert printed.startswith("isogram-2/f32/") and " 0.882496" in printed, "the example computed something else"
        assert (libdir / "libisogram.so.0").exists() and (libdir / f"libisogram.so.{version}").exists(), "the soname"
        headers = next(Path(root).rglob("isogram/isogram.h")).parent.parent
        run(*cc, "-std=c11", f"-I{headers}", example, "-o", str(binary), str(libdir / "libisogram.a"), "-lOpenCL", "-lxxhash",
            "-lm")
        assert run(str(binary), env=env) == printed, "the static library computed something else"
        assert "devices" in run(str(next(Path(root).rglob("bin/isogram"))), "--help", env=env)


if __name__ == "__main__":
    main(*sys.argv[1:])
