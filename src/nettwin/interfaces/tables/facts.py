"""Facts: what a network is, and what the registries hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.table import Table
from rich.text import Text

from nettwin import units
from nettwin.apps.inspection import Inspection
from nettwin.formats import Reading
from nettwin.interfaces.tables import style
from nettwin.metrics import Metrics


def network(found: Inspection, reading: Reading) -> Table:
    """The facts of a network, and where it was read from."""
    content: list[tuple[str, str | Text]] = [
        ("read from", f"{reading.source} (format {reading.format})"),
        ("measured there", _measured(reading.metrics)),
        ("nodes, links", f"{found.nodes}, {found.links}"),
        ("link capacity", _between(found.capacity_bps, units.rate)),
        ("link delay", _between(found.delay_s, units.duration)),
        ("schedulers", ", ".join(f"{n} on {count} links" for n, count in found.policies.items())),
        ("flows", f"{units.count(found.flows)}, {units.rate(found.offered_bps)} in total"),
        ("mean hops of a flow", f"{found.hops_mean:.2f}" if found.flows else "-"),
        ("overloaded links", Text(str(found.overloaded), style.ALARM if found.overloaded else "")),
        ("down", Text(_listed(found.down), style.ALARM if found.down else "")),
        ("fingerprint", Text(found.fingerprint[:16], style.FAINT)),
    ]
    return style.facts(found.name, content)


def classes(found: Inspection) -> Table:
    """The traffic classes as they are offered."""
    rows = [
        (
            c.name,
            units.count(c.flows),
            units.rate(c.rate_bps),
            units.size(c.mean_size_bits),
            c.arrivals,
        )
        for c in found.classes
    ]
    return style.table(
        "Traffic classes", "<class | flows | offered | mean packet | <arrivals", rows=rows
    )


def busiest(found: Inspection) -> Table:
    """The links that are offered most for their capacity."""
    rows = [
        (
            k.name,
            units.rate(k.capacity_bps),
            units.rate(k.load_bps),
            style.bar(k.offered_load),
            style.load(k.offered_load),
        )
        for k in found.busiest
    ]
    return style.table(
        "Most loaded links (before any loss)",
        "<link | capacity | offered | < | offered load",
        of=found.links,
        rows=rows,
    )


def listing(title: str, columns: Sequence[str], content: Sequence[Sequence[str]]) -> Table:
    """The members of a registry."""
    return style.table(title, *(f"<{name}" for name in columns), rows=content, wraps=True)


def _between(span: tuple[float, float], words: Callable[[float], str]) -> str:
    low, high = words(span[0]), words(span[1])
    return low if low == high else f"{low} to {high}"


def _measured(metrics: Metrics | None) -> str:
    if metrics is None:
        return "nothing"
    known = ", ".join(sorted({*metrics.flow.columns, *metrics.link.columns}))
    return f"by {metrics.engine or metrics.method}: {known}"


def _listed(names: Sequence[str], most: int = 8) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) + more) or "nothing"
