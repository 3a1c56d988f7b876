"""Kernels: sums over the few counters that see each pair, compiled.

`offset`, `counter` and `part` are a matrix of counters by pairs, held by its columns (CSC): the
counters that see pair p, and the part of its traffic that each sees, are those from offset[p] to
offset[p + 1].
"""

from __future__ import annotations

from typing import Any

from nettwin.compiled import kernel


@kernel
def gram(offset: Any, counter: Any, part: Any, weight: Any, out: Any) -> None:
    """Add the sum over pairs of weight times column times column transposed. `out` [counters,
    counters]"""
    for pair in range(len(offset) - 1):
        begin, end = offset[pair], offset[pair + 1]
        for a in range(begin, end):
            scaled = weight[pair] * part[a]
            for b in range(begin, end):
                out[counter[a], counter[b]] += scaled * part[b]


@kernel
def forms(offset: Any, counter: Any, part: Any, inner: Any, out: Any) -> None:
    """The column of each pair times `inner` [counters, counters] times the column. `out` [pairs]"""
    for pair in range(len(offset) - 1):
        begin, end = offset[pair], offset[pair + 1]
        total = 0.0
        for a in range(begin, end):
            row = 0.0
            for b in range(begin, end):
                row += inner[counter[a], counter[b]] * part[b]
            total += part[a] * row
        out[pair] = total
