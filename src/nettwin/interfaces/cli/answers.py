"""Answers of the commands that ask one engine about networks as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nettwin.apps.timeseries import worst_intervals
from nettwin.errors import InputError
from nettwin.formats import Reading
from nettwin.interfaces import documents, sheets
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.streams import check_place
from nettwin.interfaces.plots import check_drawable, delay_distribution, weathermap
from nettwin.interfaces.tables import answers as tables
from nettwin.metrics import Interval, Metrics


@dataclass(frozen=True)
class Answer:
    """What an engine said of a network, with what was told about reading it (as for JSON)."""

    reading: Reading
    notes: dict[str, Any]
    metrics: Metrics
    seconds: float | None = None  # None: several were answered at once
    intervals: tuple[Interval, ...] = ()


@dataclass(frozen=True)
class Files:
    """Files to write beside the answer, as options (see `groups`)."""

    csv: o.CsvOption = None
    plot: o.PlotOption = None
    plot_delays: o.PlotDelaysOption = None

    def check(self, networks: int) -> None:
        """Raise InputError or MissingExtraError, before any work, for files that cannot be made."""
        for path in (self.plot, self.plot_delays):
            if path:
                check_drawable(path)
        for path in (self.csv, self.plot, self.plot_delays):
            if path:
                check_place(path)
        if self.csv and self.csv.suffix.lower() != ".csv" and self.csv.is_file():
            raise InputError(
                f"--csv {self.csv} is a file: must be a folder or end in .csv. Rename it."
            )
        if networks < 2:
            return
        for option, path in (("--plot", self.plot), ("--plot-delays", self.plot_delays)):
            if path:
                raise InputError(f"{option} draws one network, not {networks}. Name one.")
        if self.csv and self.csv.suffix.lower() == ".csv":
            raise InputError(f"--csv {self.csv} holds one network, not {networks}. Name a folder.")


def deliver(output: Output, answers: Sequence[Answer], top: int, index: int, files: Files) -> None:
    """Show the answers and write the files that were asked for."""
    for answer in answers:
        parts = [part.metrics for part in answer.intervals]
        answer.notes["warnings"] += output.answered(answer.metrics, *parts)
    output.document({"answers": [_document(answer, index) for answer in answers]})
    if len(answers) == 1:
        show(output, answers[0], top)
    elif answers:
        named = zip(labels([a.reading.source for a in answers]), answers, strict=True)
        lines = {label: (a.reading.scenario, a.metrics) for label, a in named}
        output.show(tables.overview(lines))
    write_files(output, answers, files)
    output.finish()


def show(output: Output, answer: Answer, top: int) -> None:
    """One network: totals, classes, and the worst links, flows and queues."""
    scenario, metrics = answer.reading.scenario, answer.metrics
    output.show(tables.heading(scenario, metrics, answer.seconds))
    if answer.intervals:
        output.show(tables.intervals(answer.intervals, worst_intervals(answer.intervals)))
    if len(scenario.traffic.class_name) > 1:
        output.show(tables.classes(scenario, metrics))
    output.show(
        tables.links(scenario, metrics, top),
        tables.flows(scenario, metrics, top),
        tables.queues(scenario, metrics, top),
    )


def write_files(output: Output, answers: Sequence[Answer], files: Files) -> None:
    """The CSV files and plots that were asked for."""
    for label, answer in zip(labels([a.reading.source for a in answers]), answers, strict=True):
        scenario, metrics = answer.reading.scenario, answer.metrics
        if files.csv:
            folder = files.csv if len(answers) == 1 else files.csv / label
            for path in sheets.write_answer(folder, scenario, metrics, answer.intervals):
                output.wrote(path)
        if files.plot:
            weathermap(scenario, metrics, files.plot)
            output.wrote(files.plot)
        if files.plot_delays:
            delay_distribution({metrics.label: (scenario, metrics)}, files.plot_delays)
            output.wrote(files.plot_delays)


def labels(sources: Sequence[str]) -> list[str]:
    """A short name for each source, no two the same."""
    names: list[str] = []
    for source in sources:
        stem = Path(source).name or "network"
        label, number = stem, 1
        while label in names:
            number += 1
            label = f"{stem}#{number}"
        names.append(label)
    return names


def _document(answer: Answer, index: int) -> dict[str, Any]:
    reading = answer.reading
    content = {
        "network": documents.reading(reading, index),
        **answer.notes,
        **documents.answer(reading.scenario, answer.metrics, answer.seconds),
    }
    if answer.intervals:
        content["intervals"] = documents.intervals(answer.intervals)
    return content
