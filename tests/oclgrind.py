#!/usr/bin/env python3
"""Every kernel of cl/ in Oclgrind, which has to find nothing amiss: oclgrind.py PROGRAM LAYER PATCH_LAYER SOURCES [quick]

PROGRAM is every_kernel, LAYER keep_layer.so, SOURCES the folder cl. First two kernels get a fault each by PATCH_LAYER
(patch_layer.c), which have to be reported. Each of its cases runs twice: where accesses that race, leave
their buffer or come too late for a barrier are looked for, and where values are followed that nobody wrote. What Oclgrind reports,
anything at all, and a kernel that never ran fail. quick: one case, some jobs, in seconds; of all kernels only with all of it.

What Oclgrind 21.10 cannot do, each the reason of a line below:
- A buffer in the place of a released one keeps its marks: LAYER releases none.
- Values are followed in code as it is written only, for it lacks LLVM's `freeze`; of vectors that code ends in a crash of its own.
  So vectors are looked at for races and bounds alone.
- It lacks LLVM's prefetch: FETCH is defined away.
"""
import collections
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

SKIPPED = 77
ICD = "/usr/lib/oclgrind/liboclgrind-rt-icd.so"
RACES = {"OCLGRIND_DATA_RACES": "1", "OCLGRIND_BUILD_OPTIONS": "-DFETCH(p)="}
VALUES = {"OCLGRIND_UNINITIALIZED": "1", "OCLGRIND_BUILD_OPTIONS": "-cl-opt-disable -DFETCH(p)="}
# case of PROGRAM: what is looked for
RUNS = [("cpu_1", VALUES), ("gpu_1", VALUES), ("gpu_1", RACES), ("cpu_4", RACES), ("gpu_4", RACES), ("limits", RACES)]

# What is planted: looked for by what, in which case and job, and how a kernel is changed.
PLANTED = [(VALUES, "cpu_1", "filter_each", "filter.cl\tscalar sum = (scalar)0;\tscalar sum;"),
           (RACES, "gpu_1", "diagonal", "diagonal.cl\tk[i - lo]\tk[0]")]


def kernels_of(sources):
    """The names of all kernels in the folder."""
    return {name for file in Path(sources).glob("*.cl") for name in re.findall(r"\bkernel void (\w+)", file.read_text())}


def reports_of(log):
    """What a log reports, counted by kind, kernel and place."""
    counts = collections.Counter()
    for report in re.split(r"\n\s*\n(?=\S)", log):
        if report.strip():
            kernel, place = re.search(r"Kernel: (\w+)", report), re.search(r"At line (\d+) .*? of (\S+?):", report)
            counts[(re.sub(r"0x[0-9a-f]+", "...", report.strip().splitlines()[0]), kernel[1] if kernel else "",
                    f"{place[2]}:{place[1]}" if place else "")] += 1
    return counts


def run(program, layer, case, looks, folder, jobs, patch=None):
    """The kernels that ran, what was reported, and whether the program ended well."""
    log = Path(folder) / "log"
    log.write_text("")
    environment = dict(os.environ, **looks, OCL_ICD_VENDORS=ICD, OPENCL_LAYERS=layer, OCLGRIND_LOG=str(log), OCLGRIND_INST_COUNTS="1",
                       OCLGRIND_MAX_ERRORS="100000", OCLGRIND_CHECK_API="1", ISOGRAM_CACHE_DIR="off", CK_FORK="no", CK_RUN_CASE=case)
    environment.pop("ISOGRAM_DEVICE", None)
    if jobs:
        environment["ISOGRAM_JOB"] = jobs
    if patch:
        (Path(folder) / "patch").write_text(patch + "\n")
        environment.update(ISOGRAM_PATCH=f"{folder}/patch", ISOGRAM_PATCH_LOG=f"{folder}/patched")
    done = subprocess.run([program], env=environment, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    what = "races" if looks is RACES else "values"
    ran = set(re.findall(r"Instructions executed for kernel '(\w+)'", done.stdout))
    reports = reports_of(log.read_text(errors="replace"))
    print(f"{case}, {what}{', planted' if patch else ''}: {done.stdout.count('done: ')} jobs, {len(ran)} kernels, "
          f"{sum(reports.values())} reports", flush=True)
    if done.returncode != 0:
        print("\n".join(done.stdout.splitlines()[-20:]))
    return ran, reports, done.returncode == 0


def main(program, layer, patch_layer, sources, jobs=None):
    if not Path(ICD).exists():
        print(f"skipped: Oclgrind is not here ({ICD})")
        return SKIPPED
    all_ran, fine = set(), True
    with tempfile.TemporaryDirectory() as folder:
        for looks, case, job, patch in PLANTED[:1] if jobs else PLANTED:
            _, reports, _ = run(program, f"{layer}:{patch_layer}", case, looks, folder, job, patch)
            if not any(kernel == job for _, kernel, _ in reports):
                print(f"a planted fault is not reported: {patch}")
                fine = False
        for case, looks in RUNS[:1] if jobs else RUNS:
            ran, reports, well = run(program, layer, case, looks, folder, jobs)
            for (kind, kernel, place), count in reports.most_common(20):
                print(f"  {count} x {kind}, {kernel} {place}")
            all_ran |= ran
            fine = fine and well and not reports and bool(ran)
    missing = kernels_of(sources) - all_ran
    print(f"{len(all_ran)} of {len(all_ran | missing)} kernels ran" + (f", not {', '.join(sorted(missing))}" if missing else ""))
    return 0 if fine and (jobs or not missing) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
