# What cffi binds has no types that mypy could read.
from typing import Any

ffi: Any
lib: Any
