"""nettwin calibrate: a twin corrected by what was measured."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.text import Text

from nettwin import units
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import workspaces as w
from nettwin.interfaces.cli.engines import warn_of_compiling
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.tables import calibration as tables

TAKES_APART = "theory"


LAST = typer.Option(min=3, help="How many of the newest observations are used.")
DRY_RUN = typer.Option("--dry-run", help="Show it, and leave the twin as it is.")


@command(
    "nettwin calibrate --workspace twin",
    "nettwin calibrate --workspace twin --last 48 --dry-run --json",
)
def calibrate(
    workspace: w.WorkspaceOption = w.HERE,
    last: Annotated[int, LAST] = 24,
    dry_run: Annotated[bool, DRY_RUN] = False,
    top: o.TopOption = 10,
    json: o.JsonOption = False,
) -> None:
    """Correct the twin of a workspace from what was measured, and show how far it is off before and
    after."""
    from nettwin.apps.calibration.calibrated import calibrated_twin
    from nettwin.interfaces import wiring

    output = Output("calibrate", json)
    warn_of_compiling(output, TAKES_APART)
    place = w.opened(workspace)
    model = wiring.engine(TAKES_APART)
    if dry_run:
        found = calibrated_twin(place, model, last)
    else:
        with place.writing("nettwin calibrate"):
            found = calibrated_twin(place, model, last, keep_at_s=time.time())
    known = found.calibrated.corrections
    output.document(
        {
            "observations": found.calibrated.observations,
            "misfit": found.calibrated.misfit,
            "overhead": known.overhead,
            "correlation": known.correlation,
            "capacity": dict(known.capacity),
            "delay": dict(known.delay),
            "bounds": {name: list(bounds) for name, bounds in known.bounds.items()},
            "before": [one._asdict() for one in found.before],
            "after": [one._asdict() for one in found.after],
            "kept": not dry_run,
        }
    )
    output.show(tables.errors(found, w.moment), tables.corrections(known, top))
    words = f"mean delays off by {units.percent(found.error_before, 2)} before,"
    words += f" {units.percent(found.error_after, 2)} after, of which"
    words += f" {units.percent(found.floor, 2)} is in the measurement"
    output.show(Text(words, "bold"))
