"""Mutate: cheap random changes of an input, the same for the same seed; for the tests."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

# what breaks readers: numbers at their limits, brackets, separators, halves of characters
TOKENS = (
    b"nan",
    b"-inf",
    b"1e999",
    b"-1",
    b"0",
    b"9" * 400,
    b"0x1p+2000",
    b"true",
    b"null",
    b"[]",
    b"{}",
    b"[[",
    b'""',
    b'"',
    b",",
    b";",
    b":",
    b"\n",
    b"\t",
    b" ",
    b"\x00",
    b"\xff\xfe",
    b"\xe2\x82",
    b"&amp;&x;",
    b"<a>",
    b"\\ud800",
    b"../..",
    b"\xf0\x9f\x9b\xb0",
)


def mutations(seeds: Sequence[bytes], count: int, seed: int = 1) -> Iterator[bytes]:
    """Changed inputs, `count` of them, each one to four changes away from a given one."""
    generator = random.Random(seed)
    for _ in range(count):
        data = generator.choice(seeds)
        for _ in range(generator.randint(1, 4)):
            data = _changed(data, seeds, generator)
        yield data


def _changed(data: bytes, seeds: Sequence[bytes], generator: random.Random) -> bytes:
    at, to = sorted(generator.randint(0, len(data)) for _ in range(2))
    near = min(to, at + generator.randint(1, 40))
    kind = generator.randrange(7)
    if kind == 0:  # another word
        return data[:at] + generator.choice(TOKENS) + data[near:]
    if kind == 1:  # one more word
        return data[:at] + generator.choice(TOKENS) + data[at:]
    if kind == 2:  # a piece less
        return data[:at] + data[near:]
    if kind == 3:  # a piece twice
        return data[:near] + data[at:]
    if kind == 4:  # cut short
        return data[:to]
    if kind == 5:  # one byte
        return data[:at] + bytes([generator.randrange(256)]) + data[at + 1 :]
    other = generator.choice(seeds)
    return data[:at] + other[generator.randint(0, len(other)) :]
