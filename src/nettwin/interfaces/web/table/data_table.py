"""DataTable: rows, the worst first, that can be sorted, filtered and saved as CSV."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nicegui.element import Element

FEW = 10


@dataclass(frozen=True)
class Column:
    """A column: `number` is aligned to the right, `bar` has a bar in its cells, `pick` can be
    clicked.

    A row may hold, beside its value for a column, NAME_sort (what it is sorted by and saved as),
    NAME_bar (a share in percent), NAME_range (a line below), NAME_mark (why it is flagged) and
    NAME_class (`good`, `warn`, `bad`).
    """

    name: str
    title: str
    number: bool = False
    bar: bool = False
    pick: bool = False
    help: str = ""


class DataTable(Element, component="data_table.js"):
    """A table of rows, each a mapping with a `key` of its own."""

    def __init__(
        self,
        label: str,
        columns: Sequence[Column],
        rows: Sequence[Mapping[str, Any]] = (),
        *,
        empty: str = "Nothing here.",
        few: int = FEW,
        on_pick: Callable[[str], Any] | None = None,
    ) -> None:
        super().__init__()
        self._props["label"] = label
        self._props["columns"] = [vars(column) for column in columns]
        self._props["empty"] = empty
        self._props["few"] = few
        self._props["file"] = "".join(c if c.isalnum() else "_" for c in label.lower())
        self._props["rows"] = list(rows)
        if on_pick is not None:
            self.on("pick", lambda event: on_pick(str(event.args)))

    def show(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Show other rows; sorting and filter stay."""
        self._props["rows"] = list(rows)
        self.update()

    def choose(self, key: str | None) -> None:
        """Mark the row of a key."""
        self.run_method("choose", key)
