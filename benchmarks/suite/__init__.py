"""The benchmarks, one module each. A module is registered by being here.

To add one: a module with `TITLE` (a line), `PROTOCOL` (what is measured and how),
`arguments(parser)` (its own options) and `run(options) -> Outcome`.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import cast

from benchmarks.benchmark import Benchmark


def names() -> tuple[str, ...]:
    """The benchmarks by name."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def load(name: str) -> Benchmark:
    """A benchmark by its name."""
    return cast(Benchmark, importlib.import_module(f"{__name__}.{name}"))
