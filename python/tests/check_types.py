#!/usr/bin/env python3
"""The package's types are right, says mypy in its strict mode; 77 where there is none."""
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

if importlib.util.find_spec("mypy") is None or importlib.util.find_spec("numpy") is None:
    print(f"skipped: {sys.executable} has no mypy")
    sys.exit(77)
with tempfile.TemporaryDirectory() as cache:
    sys.exit(subprocess.run([sys.executable, "-m", "mypy", "--cache-dir", cache], cwd=Path(__file__).resolve().parents[2],
                            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}, check=False).returncode)
