"""Element names: names that are made for links and flows which were given none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator


def numbered(names: Iterable[tuple[str, str]], given: Iterable[str]) -> Iterator[str]:
    """A name for each (given name, name to make one from), no two made ones the same.

    A name that is taken, by one of `given` or made before, gets a number: `A->B`, `A->B#2`, ...
    """
    taken, count = set(given), Counter[str]()
    for name, base in names:
        made = name
        while not made or (not name and made in taken):
            count[base] += 1
            made = base if count[base] == 1 else f"{base}#{count[base]}"
        if not name:
            taken.add(made)
        yield made
