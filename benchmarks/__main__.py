"""The command: python -m benchmarks NAME [--data DIR] [--json FILE], or list, report, card."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path

from benchmarks import suite
from benchmarks.benchmark import Figure, Options, Outcome, Skipped
from benchmarks.card import write_card
from benchmarks.environment import environment
from benchmarks.report import kept, write_report

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
COMMON = ("name", "data", "limit", "json")
SKIPPED = 3


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0: done, 2: wrong use, 3: skipped."""
    given = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(given)
    if options.name == "list":
        for name in suite.names():
            print(f"{name:14} {suite.load(name).TITLE}")
        return 0
    if options.name == "report":
        write_report(RESULTS, options.output or PAGE)
        print(
            f"wrote {options.output or PAGE.name} from {len(list(RESULTS.glob('*.json')))} results"
        )
        return 0
    if options.name == "card":
        print(f"noted what was measured on the card of {write_card(kept(RESULTS)).name}")
        return 0
    extra = {k: v for k, v in vars(options).items() if k not in COMMON}
    benchmark = suite.load(options.name)
    if options.data is not None and not options.data.is_dir():
        print(f"there is no folder {options.data}; give one with --data", file=sys.stderr)
        return 2
    try:
        outcome = benchmark.run(Options(options.data, options.limit, extra))
    except Skipped as reason:
        print(f"skipped: {reason}", file=sys.stderr)
        return SKIPPED
    print(table(outcome))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        document = as_document(options.name, outcome, given)
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 0


def as_document(name: str, outcome: Outcome, arguments: list[str]) -> dict[str, object]:
    """The result of a run as it is kept."""
    return {
        "benchmark": name,
        "figures": [figure.as_dict() for figure in outcome.figures],
        "environment": environment(),
        "command": "python -m benchmarks " + shlex.join(_without_json(arguments)),
        "remarks": list(outcome.remarks),
    }


def _without_json(arguments: list[str]) -> list[str]:
    kept: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--json":
            next(words, None)
        elif not word.startswith("--json="):
            kept.append(word)
    return kept


def table(outcome: Outcome) -> str:
    """The figures as a table for a terminal."""
    rows = [("figure", "value", "unit", "target", "")]
    rows += [_row(figure) for figure in outcome.figures]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        f"{row[0]:{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:{widths[2]}}  "
        f"{row[3]:>{widths[3]}}  {row[4]}".rstrip()
        for row in rows
    ]
    lines.insert(1, "-" * max(map(len, lines)))
    return "\n".join([*lines, *(f"* {remark}" for remark in outcome.remarks)])


def _row(figure: Figure) -> tuple[str, str, str, str, str]:
    target, verdict = "", ""
    if figure.target is not None:
        target = f"{figure.sense} {figure.target:.6g}"
        verdict = "met" if figure.met else "MISSED"
    return figure.name, f"{figure.value:.6g}", figure.unit, target, verdict


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="name", required=True, metavar="NAME")
    commands.add_parser("list", help="name the benchmarks")
    report = commands.add_parser(
        "report", help="make docs/benchmarks.md and docs/benchmarks/ from the kept results"
    )
    report.add_argument("--output", type=Path, help="where to write the page")
    commands.add_parser("card", help="note the kept results on the carried model's card")
    for name in suite.names():
        benchmark = suite.load(name)
        command = commands.add_parser(name, help=benchmark.TITLE, description=benchmark.PROTOCOL)
        command.add_argument("--data", type=Path, metavar="DIR", help="the folder with the data")
        command.add_argument(
            "--limit", type=_positive, metavar="N", help="do less: at most N cases"
        )
        command.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
        benchmark.arguments(command)
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not 1 or more")
    return number


if __name__ == "__main__":
    raise SystemExit(main())
