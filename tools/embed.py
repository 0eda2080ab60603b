#!/usr/bin/env python3
"""Turns the .cl sources into a C file: embed.py OUT.c kernels.def FILE…

Every text begins with a #line directive, so that a device's compiler names the file that a person can open. The texts are
arrays of bytes: string literals of their length are beyond what C promises to take. What a file includes from its own folder stands
in its text, for OpenCL compilers find no files. "rows.h" is no file: it is made of the registry, and defines EACH_ROW(F) as F(id) for
every row.
"""
import re
import sys
from pathlib import Path


def rows(registry):
    ids = re.findall(r"^KERNEL\((\w+),", registry.read_text(encoding="utf-8"), re.M)
    return "#define EACH_ROW(F) " + " ".join(f"F({i})" for i in ids)


def flat(path, seen, registry):
    """The text of a file and of those it includes, each where it is first asked for."""
    if path.name == "rows.h":
        return rows(registry)
    if path.name in seen:
        return ""
    seen.add(path.name)
    lines = [f'#line 1 "cl/{path.name}"']
    conditions = []  # that are open here: whether something was included since each began
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        include = re.fullmatch(r'#include "(\w+\.h)"', line)
        lines.append(flat(path.parent / include[1], seen, registry) if include else line)
        if line.startswith("#if"):
            conditions.append(False)
        if include:
            conditions = [True] * len(conditions)
        # A compiler that skips what is included skips the directive behind it as well: it stands behind the condition again.
        again = line.startswith(("#else", "#elif")) and conditions[-1] or line.startswith("#endif") and conditions.pop()
        if include or again:
            lines.append(f'#line {number + 1} "cl/{path.name}"')
    return "\n".join(lines) + "\n"


def main(out, registry, *paths):
    arrays, rows = [], []
    for at, path in enumerate(map(Path, paths)):
        data = [str(byte) for byte in flat(path, set(), Path(registry)).encode("ascii")] + ["0"]
        lines = ",\n    ".join(", ".join(data[i : i + 24]) for i in range(0, len(data), 24))
        arrays.append(f"// {path.name}\nstatic const char text_{at}[] = {{\n    {lines}}};\n")
        rows.append(f'    {{"{path.name}", text_{at}}},\n')
    table = "const isg_source isg_sources[] = {\n" + "".join(rows) + "    {0, 0},\n};\n"
    Path(out).write_text('#include "sources.h"\n\n' + "\n".join(arrays) + "\n" + table, encoding="ascii")


if __name__ == "__main__":
    main(*sys.argv[1:])
