#!/usr/bin/env python3
"""Runs the examples and writes docs/python-examples.md, with what they print and draw: page.py [NAME…]

Needs the package, NumPy, matplotlib and scikit-learn; from a build folder: PYTHONPATH=build/python examples/python/page.py.
"""
import contextlib
import io
import runpy
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

HERE = Path(__file__).resolve().parent
DOCS = HERE.parent.parent / "docs"
NAMES = ("digits", "grids", "density", "masked", "accuracy")

HEAD = """# Python, by examples

Five programs of `examples/python`, with what they print and draw. `PYTHONPATH=build/python examples/python/page.py` runs them and writes this page; it takes NumPy,
matplotlib and scikit-learn. [python.md](python.md) is the reference.
"""


def section(name):
    source = (HERE / f"{name}.py").read_text()
    _, doc, code = source.split('"""', 2)
    title, _, text = doc.strip().partition("\n\n")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        runpy.run_path(str(HERE / f"{name}.py"))
    plt.savefig(DOCS / f"python-{name}.png", dpi=80, metadata={"Software": None}, pil_kwargs={"optimize": True})
    plt.close("all")
    return (f"## {title.rstrip('.')}\n\n{text.strip()}\n\n![{title.split(':')[0]}](python-{name}.png)\n\n"
            f"```\n{printed.getvalue().rstrip()}\n```\n\n`examples/python/{name}.py`:\n\n```python\n{code.strip()}\n```\n")


def main(*names):
    made = {name: section(name) for name in names or NAMES}
    if not names:
        (DOCS / "python-examples.md").write_text("\n".join([HEAD, *made.values()]))


if __name__ == "__main__":
    main(*sys.argv[1:])
