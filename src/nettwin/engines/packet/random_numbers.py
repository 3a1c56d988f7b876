"""Random numbers for compiled code: xoshiro256++ and what is drawn from it.

Blackman and Vigna, "Scrambled linear pseudorandom number generators" (2021), seeded by splitmix64;
exponential variates by the ziggurat of Marsaglia and Tsang (2000) with 256 layers. A generator is
an array of 4 uint64.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.packet.compiled import inlined
from nettwin.engines.packet.tournament import ONE

_MASK = (1 << 64) - 1
_R17, _R23, _R41, _R45, _R19, _R11 = (np.uint64(n) for n in (17, 23, 41, 45, 19, 11))
_LOW8 = np.uint64(255)
_UNIT = 2.0**-53
_TAIL = 7.69711747013104972  # where the lowest layer of the exponential ziggurat ends
_AREA = 0.0039496598225815571993


def seeded(seed: int) -> NDArray[np.uint64]:
    """A generator for any integer seed."""
    state, words = seed & _MASK, []
    for _ in range(4):
        state = (state + 0x9E3779B97F4A7C15) & _MASK
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        words.append(z ^ (z >> 31))
    return np.array(words, np.uint64)


def _ziggurat() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Bounds, widths and heights of the layers; bounds and widths for 53-bit integers."""
    bound, width, height = np.zeros(256), np.zeros(256), np.zeros(256)
    scale, edge, last = 2.0**53, _TAIL, _TAIL
    base = _AREA / math.exp(-edge)
    bound[0] = edge / base * scale
    width[0], width[255] = base / scale, edge / scale
    height[0], height[255] = 1.0, math.exp(-edge)
    for i in range(254, 0, -1):
        edge = -math.log(_AREA / edge + math.exp(-edge))
        bound[i + 1] = edge / last * scale
        last = edge
        height[i], width[i] = math.exp(-edge), edge / scale
    return bound, width, height


_BOUND, _WIDTH, _HEIGHT = _ziggurat()


@inlined
def bits64(rng):  # type: ignore[no-untyped-def]
    """The next 64 random bits."""
    s0, s1, s2, s3 = rng[0], rng[1], rng[2], rng[3]
    total = s0 + s3
    out = ((total << _R23) | (total >> _R41)) + s0
    shifted = s1 << _R17
    s2 ^= s0
    s3 ^= s1
    rng[1] = s1 ^ s2
    rng[0] = s0 ^ s3
    rng[2] = s2 ^ shifted
    rng[3] = (s3 << _R45) | (s3 >> _R19)
    return out


@inlined
def uniform(rng):  # type: ignore[no-untyped-def]
    """Uniform in [0, 1), 53 bits."""
    return np.float64(bits64(rng) >> _R11) * _UNIT


@inlined
def exponential(rng):  # type: ignore[no-untyped-def]
    """Exponential with mean 1."""
    while True:
        word = bits64(rng)
        layer = word & _LOW8
        high = np.float64(word >> _R11)
        x = high * _WIDTH[layer]
        if high < _BOUND[layer]:
            return x
        if layer == 0:
            return _TAIL - np.log(1.0 - uniform(rng))
        step = _HEIGHT[layer - ONE] - _HEIGHT[layer]
        if _HEIGHT[layer] + uniform(rng) * step < np.exp(-x):
            return x


@inlined
def normal(rng):  # type: ignore[no-untyped-def]
    """Standard normal (Box and Muller)."""
    return np.sqrt(2.0 * exponential(rng)) * np.cos(2.0 * np.pi * uniform(rng))


@inlined
def pick(rng, chance, other, first, count):  # type: ignore[no-untyped-def]
    """An index below `count` by the alias method (Walker, 1977); its table begins at `first`."""
    u = uniform(rng) * count
    k = np.uint64(u)
    if u - k < chance[first + k]:
        return k
    return other[first + k]


def alias_table(weights: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.uint64]]:
    """Chances and alternatives for `pick`, for weights of which at least one is positive."""
    n = len(weights)
    scaled = np.asarray(weights, np.float64) * (n / weights.sum())
    chance, other = np.ones(n), np.arange(n, dtype=np.uint64)
    small = [i for i in range(n) if scaled[i] < 1.0]
    large = [i for i in range(n) if scaled[i] >= 1.0]
    while small and large:
        low, high = small.pop(), large[-1]
        chance[low], other[low] = scaled[low], high
        scaled[high] -= 1.0 - scaled[low]
        if scaled[high] < 1.0:
            small.append(large.pop())
    return chance, other
