#!/usr/bin/env python3
"""Every symbol that the shared library exports begins with isg_, and every ISG_API function is there: symbols.py LIBRARY"""
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
    return 1 if foreign or missing or not declared else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
