#!/usr/bin/env python3
"""Programs as the library asks for them, compiled by clang for processors that are not here.

    test_kernels_compile.py SOURCES LAYER PROGRAM [PROGRAM...]

What is compiled is what tests/record_layer.c notes while the programs run, each as devices of every kind of KINDS, so that there is
no second list of options; with ISOGRAM_FEW set, of the kinds of FEW, and every tenth build for one target. SOURCES is the folder cl.
Kernels are hollow, so that it takes moments. The targets are what SPIR-V is made from, and NVIDIA's and AMD's processors. Every
warning is an error, and the intermediate form is looked through: nothing is contracted, no arithmetic may be reordered, and there is
no intrinsic that translators to SPIR-V do not know. Errors must name the line of the file in cl. Skipped (77) without a clang that
compiles OpenCL C for these targets.
"""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SKIPPED = 77
TARGETS = {
    "spir64": ["-target", "spir64"],
    "nvptx64": ["-target", "nvptx64-unknown-nvcl"],
    "amdgcn": ["-target", "amdgcn-amd-amdhsa", "-mcpu=gfx900", "-nogpulib"],
}
# Kinds of devices, as the layer is told of them.
KINDS = ["", "lanes=4", "lanes=8", "lanes=1", "gpu", "c11"]
FEW = ["", "gpu", "c11"]
COMMANDS = [["verify", "--quick"], ["bench", "--n", "64", "--dims", "3", "--repeat", "1"]]
# Which functions, parameters and variables a build makes no use of is up to its options.
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wno-unused-function", "-Wno-unused-parameter", "-Wno-unused-variable",
            "-Wno-unused-but-set-variable"]
# Moves of memory, and remarks on it. What clang contracts becomes llvm.fmuladd; fma() is a call, whose name is OpenCL's.
INTRINSICS = re.compile(r"^declare .*@(llvm\.[\w.]+)", re.M)
KNOWN = re.compile(r"llvm\.(memcpy|memset|memmove|lifetime)\.")
LOOSE = re.compile(r"^.*= (?:f(?:add|sub|mul|div|rem|neg|cmp)|call|select|phi)(?: (?:fast|contract|reassoc|nnan|ninf|nsz|arcp|afn))+ .*$", re.M)


def find_clang():
    """A clang that compiles for all targets, or None."""
    for name in [os.environ.get("CLANG"), "clang", *(f"clang-{version}" for version in range(25, 11, -1))]:
        if name and shutil.which(name):
            with tempfile.TemporaryDirectory() as folder:
                source = Path(folder, "try.cl")
                source.write_text("kernel void f(global float4 *x) { *x = fma(*x, *x, *x); }\n", encoding="ascii")
                if not any(wrong_with(name, target, source, "-cl-std=CL1.2") for target in TARGETS):
                    return name
    return None


def run_clang(clang, target, options, *arguments, text=None):
    # Without -cl-std a program is of the device's version, which is 1.1 at least; clang alone does not say what that of OpenCL is.
    words = [*([] if "-cl-std" in options else ["-cl-std=CL1.1"]), *options.split(), "-D__OPENCL_VERSION__=120"]
    return subprocess.run([clang, *TARGETS[target], "-x", "cl", *words, *arguments], input=text, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)


def wrong_with(clang, target, source, options):
    """What is wrong with a build, or None."""
    done = run_clang(clang, target, options, *WARNINGS, "-O0", "-emit-llvm", "-S", "-o", "-", str(source))
    if done.returncode:
        return done.stderr.strip()
    for name in INTRINSICS.findall(done.stdout):
        if not KNOWN.match(name):
            return f"uses the intrinsic {name}"
    loose = LOOSE.search(done.stdout)
    return f"has arithmetic that may be changed: {loose[0].strip()}" if loose else None


def builds_of(folder):
    """What was recorded: pairs of source and options, each once."""
    path = Path(folder, "builds")
    return sorted({tuple(line.split("\t")) for line in path.read_text(encoding="ascii").splitlines()}) if path.exists() else []


def name_of(source):
    return re.match(r'#line 1 "cl/(.*?)"', source)[1]


def wrong_lines(clang, sources, folder):
    """Programs in which an error behind the last line is not said to stand behind the last line of their file."""
    wrong = []
    for name, options in dict(builds_of(folder)).items():
        text = Path(folder, name).read_text(encoding="ascii")
        file = name_of(text)
        done = run_clang(clang, "spir64", options, "-fsyntax-only", "-", text=text + "#error the end\n")
        last = len(Path(sources, file).read_text(encoding="utf-8").splitlines())
        if f"cl/{file}:{last + 1}:2: error: the end" not in done.stderr:
            wrong.append(f"{file} with {options}: an error in line {last + 1} is said to be at {done.stderr.strip().splitlines()[0]}")
    return wrong


def record(layer, programs, kinds, folder):
    """Runs programs under the layer. What they compute is wrong, and they say so; what they ask for is as ever."""
    commands = [[program, *words] for program in programs for words in (COMMANDS if Path(program).name == "isogram" else [[]])]
    for kind in kinds:
        for command in commands:
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
                           env={**os.environ, "OPENCL_LAYERS": layer, "ISOGRAM_RECORD": folder, "ISOGRAM_AS": kind, "ISOGRAM_HOLLOW": "1",
                                "ISOGRAM_CACHE_DIR": "off", "CK_FORK": "no", "CK_DEFAULT_TIMEOUT": "0"})
            print(f"{Path(command[0]).name} as {kind or 'it is'}: {len(builds_of(folder))} builds so far", flush=True)


def compile_all(clang, folder, few):
    """Compiles what was recorded; the number of failures."""
    builds, targets = builds_of(folder), list(TARGETS)
    jobs = [(target, source, options) for source, options in builds for target in targets]
    if few:
        jobs = jobs[::10]  # all targets in turn, for they are no multiple of it
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda job: wrong_with(clang, job[0], Path(folder, job[1]), job[2]), jobs)
        for (target, source, options), wrong in zip(jobs, results):
            if wrong:
                failures += 1
                print(f"{name_of(Path(folder, source).read_text(encoding='ascii'))} for {target}, {options}:\n{wrong}\n")
    print(f"{len(builds)} builds of {len({s for s, _ in builds})} sources, compiled {len(jobs)} times for {len(targets)} targets: "
          f"{failures} failures")
    return failures


def main(sources, layer, *programs):
    clang, few = find_clang(), bool(os.environ.get("ISOGRAM_FEW"))
    if not clang:
        print("skipped: no clang here compiles OpenCL C for " + ", ".join(TARGETS))
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="isogram-record-") as folder:
        record(layer, programs, FEW if few else KINDS, folder)
        recorded = {name_of(Path(folder, name).read_text(encoding="ascii")) for name, _ in builds_of(folder)}
        missing = set() if few else {path.name for path in Path(sources).glob("*.cl")} - recorded
        if missing:
            print("never built: " + ", ".join(sorted(missing)))
        wrong = wrong_lines(clang, sources, folder)
        print(*wrong, sep="\n", end="\n" if wrong else "")
        return 1 if compile_all(clang, folder, few) or missing or wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
