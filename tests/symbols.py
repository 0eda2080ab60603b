#!/usr/bin/env python3
"""Every symbol that the shared library exports begins with isg_, and every ISG_API function is there: symbols.py LIBRARY

Each of them is tried with nothing and with anything by test_use_wrong.c."""
import re
import subprocess
import sys
from pathlib import Path


def main(library):
    lines = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True).stdout
    exported = {line.split()[-1].split("@")[0] for line in lines.splitlines()}
    headers = Path(__file__).resolve().parent.parent / "include" / "isogram"
    declared = set()
    for header in headers.glob("*.h"):
        declared |= set(re.findall(r"^ISG_API [^;]*?\b(isg_\w+)\(", header.read_text(encoding="utf-8"), re.M))
    foreign = sorted(exported - declared)
    missing = sorted(declared - exported)
    if foreign:
        print("exported, but in no public header:", ", ".join(foreign))
    if missing:
        print("declared, but not exported:", ", ".join(missing))
    tried = (Path(__file__).resolve().parent / "test_use_wrong.c").read_text(encoding="utf-8")
    untried = sorted(name for name in declared if not re.search(rf"\b{name}\(", tried))
    if untried:
        print("not called without arguments by test_use_wrong.c:", ", ".join(untried))
    return 1 if foreign or missing or untried or not declared else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
