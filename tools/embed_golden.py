#!/usr/bin/env python3
"""Turns a file of golden hashes into C: embed_golden.py OUT.c FILE"""
import sys
from pathlib import Path


def main(out, path):
    rows = [line.split(" ", 1) for line in Path(path).read_text(encoding="ascii").splitlines() if line and line[0] != "#"]
    table = "".join(f'    {{"{key}", "{digest}"}},\n' for digest, key in rows)
    Path(out).write_text(
        '#include "verify_cases.h"\n\n#include <string.h>\n\n'
        f"static const struct {{\n    const char *key, *hash;\n}} rows[] = {{\n{table}    {{0, 0}},\n}};\n\n"
        "const char *isg_golden(const char *key)\n{\n    for (int i = 0; rows[i].key; i++)\n"
        "        if (strcmp(rows[i].key, key) == 0)\n            return rows[i].hash;\n    return 0;\n}\n", encoding="ascii")


if __name__ == "__main__":
    main(*sys.argv[1:])
