"""How the simulator's inner functions are compiled: one place for Numba's settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from nettwin import compiled as machine_code

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compile to machine code that is kept on disk, runs without the GIL and divides like NumPy.

    No fast-math: the same seed gives the same bits.
    """
    return machine_code.compiled(function, nogil=True, error_model="numpy")


def inlined(function: F) -> F:
    """Compile a small function, or one with a single caller, into the code of its caller.

    Left to itself the compiler makes calls, and a call hands over every array in seven words.
    """
    return machine_code.compiled(function, nogil=True, error_model="numpy", forceinline=True)
