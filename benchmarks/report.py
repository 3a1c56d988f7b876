"""The results pages, made from the kept results and from nothing else.

docs/benchmarks.md is for people to read; docs/benchmarks/NAME.md has every figure of a result that
has many.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks import suite

MAX_ROWS = 24  # of a table on the page; a result with more figures has a page of its own
FEW_ROWS = 10  # of those that have no target, where a result has many


def kept(results: Path) -> list[dict[str, Any]]:
    """Every result in a folder, by the name of its file, which stands in it as `result`."""
    return [
        {"result": path.stem, **json.loads(path.read_text(encoding="utf-8"))}
        for path in sorted(results.glob("*.json"))
    ]


def write_report(results: Path, page: Path) -> None:
    """Write the page from every result in the folder, and those of long results beside it."""
    documents = kept(results)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(page_of(documents), encoding="utf-8")
    folder = page.with_suffix("")
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.md"):
        old.unlink()
    for document in documents:
        if _is_long(document):
            path = folder / f"{document['result']}.md"
            path.write_text(long_page_of(document), encoding="utf-8")


def page_of(documents: list[dict[str, Any]]) -> str:
    """The page in Markdown: targets, then each benchmark with what was judged."""
    lines = [
        "# Benchmarks",
        "",
        "Made by `python -m benchmarks report` from `benchmarks/results/*.json`; each "
        "section names the command that measured it (`--json FILE` keeps its figures).",
        "",
    ]
    lines += _targets(documents)
    for document in documents:
        lines += _section(document)
    return "\n".join(lines).rstrip() + "\n"


def long_page_of(document: dict[str, Any]) -> str:
    """Every figure of one result in Markdown."""
    title = suite.load(document["benchmark"]).TITLE
    lines = [
        f"# {title}: all figures of {document['result']}",
        "",
        "[What was measured, and how](../benchmarks.md).",
        "",
        *_table(document["figures"]),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _is_long(document: dict[str, Any]) -> bool:
    return len(document["figures"]) > MAX_ROWS


def _targets(documents: list[dict[str, Any]]) -> list[str]:
    judged = [(d, f) for d in documents for f in d["figures"] if f["target"] is not None]
    missed = [(d, f) for d, f in judged if not f["met"]]
    lines = ["## Targets", "", f"{len(judged) - len(missed)} of {len(judged)} targets are met.", ""]
    if missed:
        lines += ["Missed:", ""]
        lines += [
            f"- {d['benchmark']}: {f['name']} is {_number(f['value'])}{_unit(f)}, "
            f"target {_target(f)}"
            for d, f in missed
        ]
        lines.append("")
    return lines


def _section(document: dict[str, Any]) -> list[str]:
    benchmark = suite.load(document["benchmark"])
    picture = Path("docs") / f"benchmark_{document['benchmark']}.svg"
    figures, name = document["figures"], document.get("result", document["benchmark"])
    heading = benchmark.TITLE + (f" ({name})" if name != document["benchmark"] else "")
    lines = [f"## {heading}", "", f"`{document['command']}`", "", benchmark.PROTOCOL, ""]
    if _is_long(document):
        judged = [f for f in figures if f["target"] is not None]
        lines += _table(judged or figures[:FEW_ROWS])
        lines += ["", f"[All {len(figures)} figures](benchmarks/{name}.md)", ""]
    else:
        lines += [*_table(figures), ""]
    lines += [f"- {remark}" for remark in document.get("remarks", [])]
    if (Path(__file__).parents[1] / picture).is_file():
        lines += ["", f"![{benchmark.TITLE}]({picture.name})"]
    environment = ", ".join(
        f"{k.replace('_', ' ')} {v}" for k, v in document["environment"].items()
    )
    return [*lines, "", f"Measured on: {environment}.", ""]


def _table(figures: list[dict[str, Any]]) -> list[str]:
    lines = ["| figure | value | unit | target | |", "|---|---:|---|---:|---|"]
    for f in figures:
        verdict = "" if f["target"] is None else "met" if f["met"] else "**missed**"
        name = f["name"].replace("|", "/")
        lines.append(f"| {name} | {_number(f['value'])} | {f['unit']} | {_target(f)} | {verdict} |")
    return lines


def _target(figure: dict[str, Any]) -> str:
    if figure["target"] is None:
        return ""
    return f"{figure['sense']} {_number(figure['target'])}"


def _unit(figure: dict[str, Any]) -> str:
    return f" {figure['unit']}" if figure["unit"] else ""


def _number(value: float | None) -> str:
    if value is None:
        return "not known"
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        return f"{value:.4g}"
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e12 else f"{value:.3g}"
