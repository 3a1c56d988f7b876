"""Rows: the flows of a large network file, one line each, read without the parser of YAML.

Nearly every flow of a network file is a row of two names, a rate and maybe a class on a line of its
own. Such lines mean the same to every reader of YAML, so they are taken out of the text by a
regular expression, a hundred times as fast; what is left goes to the parser as it always did.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

_PLAIN = r"[A-Za-z_][A-Za-z0-9_./+>-]*(?: [A-Za-z0-9_./+>-]+)*"
_QUOTED = r'"[^"\\,\x00-\x1f\x7f-\xa0\u2028\u2029\ud800-\uf8ff\ufdd0-\uffff]*"'
_NAME = f"({_PLAIN}|{_QUOTED})"
_RATE = r"((?:0|[1-9][0-9]{0,17})(?:\.[0-9]+)?(?:e[-+]?[0-9]{1,3})?)"
_HEAD = re.compile(r"^flows:[ ]*\n(?=( *)- )", re.MULTILINE)
_END = re.compile(r"^[^ #\n-]", re.MULTILINE)
_END_OF_LIST = re.compile(r"^[^ #\n]", re.MULTILINE)
_NOTHING = re.compile(r"[ ]*(?:#.*)?\n?\Z")
FEWEST = 1000  # below, nothing is won


class Table(NamedTuple):
    """Flows in columns, all [flows]; `classes` holds "" where a row has none."""

    sources: Sequence[str]
    targets: Sequence[str]
    rates: Sequence[float]
    classes: Sequence[str]

    def rows(self) -> list[list[Any]]:
        """The flows as a network file's plain data has them, a list each."""
        columns = zip(self.sources, self.targets, self.rates, self.classes, strict=True)
        return [[a, b, rate, name] if name else [a, b, rate] for a, b, rate, name in columns]


class Lifted(NamedTuple):
    """A network file's text without its plain rows of flows."""

    text: str
    lines: list[int]  # of each line of `text`, its number in the file
    table: Table
    row_line: list[int]  # the line of each row in the file
    items: list[bool]  # of each item of the list whether it is a row of `table`

    def merged(self, rest: list[Any]) -> list[Any]:
        """All items of the list in the order of the file; `rest` are those that were left."""
        rows, others = iter(self.table.rows()), iter(rest)
        return [next(rows) if plain else next(others) for plain in self.items]


def lifted(text: str, special: frozenset[str]) -> Lifted | None:
    """Take plain rows of flows out of a YAML text; None where there are few.

    `special` are the words that are no text to YAML.
    """
    heads = list(_HEAD.finditer(text))
    if len(heads) != 1:
        return None
    indent = heads[0][1]
    begin = heads[0].end()
    end = (_END_OF_LIST if indent else _END).search(text, begin)
    block = text[begin : end.start() if end else len(text)]
    while (last := block.rfind("\n", 0, -1)) > 0 and _NOTHING.match(block, last + 1):
        block = block[: last + 1]  # what is said of the next key
    stop = begin + len(block)
    if block.count("\n") < FEWEST:
        return None
    row = re.compile(rf"^{indent}- \[{_NAME}, {_NAME}, {_RATE}(?:, {_NAME})?\]$", re.MULTILINE)
    found = row.findall(block)
    first = text.count("\n", 0, begin) + 1
    count = block.count("\n") + (not block.endswith("\n"))
    kept: list[str] = []
    kept_line: list[int] = []
    row_line, items = list(range(first, first + count)), [True] * count
    if len(found) < count:
        kept, kept_line, row_line, items = _apart(block, first, row, f"{indent}- ")
    table = _table(found)
    used = {*table.sources, *table.targets, *table.classes} - {""}
    if len(found) < FEWEST or used & special:
        return None
    before = text[:begin] if kept else f"{text[: heads[0].start()]}flows: []\n"
    after = text[stop:]
    behind = range(first + count, first + count + after.count("\n") + 2)
    middle = "\n".join(kept) + "\n" if kept else ""
    lines = [*range(1, first), *kept_line, *behind]
    return Lifted(before + middle + after, lines, table, row_line, items)


def _apart(
    block: str, first: int, row: re.Pattern[str], bullet: str
) -> tuple[list[str], list[int], list[int], list[bool]]:
    kept: list[str] = []
    kept_line: list[int] = []
    row_line: list[int] = []
    items: list[bool] = []
    for number, line in enumerate(block.removesuffix("\n").split("\n"), first):
        plain = row.match(line) is not None
        if plain:
            row_line.append(number)
        else:
            kept.append(line)
            kept_line.append(number)
        if plain or line.startswith(bullet):
            items.append(plain)
    return kept, kept_line, row_line, items


def _table(found: Sequence[tuple[str, str, str, str]]) -> Table:
    if not found:
        return Table((), (), (), ())
    sources, targets, rates, classes = zip(*found, strict=True)
    return Table(
        _unquoted(sources), _unquoted(targets), list(map(float, rates)), _unquoted(classes)
    )


def _unquoted(names: Sequence[str]) -> list[str]:
    plain = {name: name.removeprefix('"').removesuffix('"') for name in set(names)}
    return [plain[name] for name in names]
