"""Training: what a model was made of, and how well it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from nettwin import units
from nettwin.interfaces.tables import style

WORDS = {
    "owd_mean_s": "mean delay",
    "owd_mean_s_median": "mean delay, median",
    "owd_p50_s": "p50 delay",
    "owd_p90_s": "p90 delay",
    "owd_p99_s": "p99 delay",
    "pdv_s2": "delay variance",
    "loss_ratio": "loss (absolute)",
}


def accuracy(found: Mapping[str, Any]) -> Table:
    """The errors on test samples, beside theory's and the noise of the labels."""
    rows = [
        (
            words,
            *(_percent(found.get(by, {}).get(name), name) for by in ("model", "theory", "noise")),
        )
        for name, words in WORDS.items()
        if name in found.get("model", {})
    ]
    return style.table(
        f"Errors on {found['scenarios']} test samples",
        "<metric | model | theory | label noise",
        rows=rows,
    )


def _percent(value: float | None, name: str) -> str:
    return "-" if value is None else units.percent(value, 3 if name == "loss_ratio" else 2)


def adapted(found: Any) -> Table:
    """The errors before and after a model was adapted, on new networks and on the old data."""
    content = []
    for words, sides in (("new networks", found.new), ("old data", found.old)):
        if not sides:
            continue
        before, after = sides["before"], sides["after"]
        for name, metric in WORDS.items():
            if name in before["model"]:
                values = [before["model"], after["model"], after["theory"], after.get("noise", {})]
                content.append(
                    (
                        words,
                        units.count(after["scenarios"]),
                        metric,
                        *(_percent(v.get(name), name) for v in values),
                    )
                )
    return style.table(
        "Errors before and after",
        "<data | samples | <metric | before | after | ?theory | ?label noise",
        rows=content,
    )
