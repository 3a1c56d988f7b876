"""The group of capacity commands, and what they take together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from nettwin.apps.capacity.case import CapacityCase
from nettwin.apps.capacity.history import with_measured_growth
from nettwin.apps.capacity.reader import read_case
from nettwin.apps.history.past import Past, past_of_files, past_of_repository
from nettwin.errors import InputError
from nettwin.formats import Reading
from nettwin.intent import Intent
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import workspaces as w
from nettwin.interfaces.cli.commands import COMMANDS
from nettwin.interfaces.cli.engines import working
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import subcommands
from nettwin.interfaces.operating import corrected

group = subcommands(
    "capacity",
    COMMANDS["capacity"],
    "nettwin capacity forecast --network network.yaml --demands month.npz",
    "nettwin capacity runout network.yaml growth.yaml --intent voice.yaml",
    "nettwin capacity upgrade network.yaml growth.yaml --plot costs.svg",
    "nettwin capacity report network.yaml growth.yaml -o plan.html",
)

CaseArg = Annotated[
    Path,
    o.argument("CASE", "A capacity case (YAML): growth, and for upgrades modules and budgets."),
]
IntentOption = Annotated[
    Path | None,
    o.given("--intent", help="An intent that must hold after every failure.", metavar="FILE"),
]
DemandsOption = Annotated[
    Path | None,
    o.given(
        "--demands", metavar="FILE", help="Traffic matrices over time, of which growth is measured."
    ),
]
HistoryOption = Annotated[
    Path | None,
    o.given(
        "--workspace", "-w", metavar="DIR", help="A workspace, of whose history growth is measured."
    ),
]


@dataclass(frozen=True)
class History:
    """Where growth is measured: the texts of options (see `groups`)."""

    demands: DemandsOption = None
    workspace: HistoryOption = None

    def past(self, reading: Reading | None, output: Output) -> Past | None:
        """The history, if one was given. Raises InputError."""
        if self.workspace is not None and self.demands is not None:
            raise InputError("--workspace and --demands are two histories: give one of them.")
        if self.workspace is not None:
            place = w.opened(self.workspace)
            return past_of_repository(place.repository, corrected=corrected(place))
        if self.demands is None:
            return None
        if reading is None:
            raise InputError("--demands are of a network: give --network FILE.")
        from nettwin.formats.demands import read_demands

        series = read_demands(self.demands, topology=reading.scenario.topology)
        output.note("Assumed", series.assumptions)
        return past_of_files(reading.scenario, series)


@dataclass(frozen=True)
class Asked:
    """A case on a network, as the commands work with it."""

    reading: Reading
    case: CapacityCase
    intent: Intent | None


def asked_of(
    output: Output, reading: Reading, case: Path, intent: Path | None, history: History
) -> Asked:
    """Read what is asked. Raises FormatError and InputError."""
    from nettwin.formats.intent import read_intent

    wanted = read_intent(intent) if intent else None
    found = read_case(case, reading.scenario)
    found = with_measured_growth(found, history.past(reading, output))
    return Asked(reading, found, wanted)


__all__ = ["Asked", "CaseArg", "History", "IntentOption", "asked_of", "group", "working"]
