"""nettwin init: a workspace, the folder of one twin."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nettwin.errors import InputError
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import workspaces as w
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.cli.sources import Source
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario

DEMO_LOAD = 0.85  # of the busiest link, at the peak of the day
DEMO_INTENT = """\
# What is wanted of the network. nettwin intent measures lists what can be asked and changed.
intent: voice in time, no link full
minimize: [changes, offered_load]
expect:
  - {measure: offered_load, at_most: 80 %}
  - {measure: delay, class: voice, reduce: mean, at_most: 16 ms}
change:
  at_most: 15
  with: [segments]
"""


FOLDER = o.argument(metavar="DIR", help="The folder; new, or empty.")
NETWORK = o.given(
    "--network", metavar="FILE", help="The network as it was planned, in any known format."
)
DEMO = typer.Option("--demo", help="NSFNET with three classes, and a policy that applies.")
KIND = typer.Option(
    "--kind",
    metavar="KIND",
    help="What stands for it: a name of `nettwin network list`.",
    autocompletion=w.complete_network,
)


@command(
    "nettwin init twin --demo",
    "nettwin init twin --network network.yaml",
    "nettwin init twin --network network.yaml --kind linux",
)
def init(
    folder: Annotated[Path, FOLDER],
    network: Annotated[str | None, NETWORK] = None,
    demo: Annotated[bool, DEMO] = False,
    kind: Annotated[str, KIND] = "simulated",
    load: o.LoadOption = None,
    capacity: o.CapacityOption = None,
    json: o.JsonOption = False,
) -> None:
    """Make a workspace: the folder of one twin, with its network, intents and policy."""
    from nettwin.physical.registry import NETWORKS
    from nettwin.workspace.template import INTENT
    from nettwin.workspace.workspace import begin

    output = Output("init", json)
    if demo == (network is not None):
        raise InputError("a workspace needs one network: give --network FILE or --demo.")
    notes = {}
    if network is None:
        plan, intent = demo_network(), DEMO_INTENT
    else:
        reading = Source(capacity=capacity, load=load).read(network)
        notes = output.told(reading)
        plan, intent = reading.scenario, INTENT
    NETWORKS.named(kind)
    begin(folder, plan, intent, kind=kind, auto=demo)
    output.document({"workspace": str(folder), **notes})
    output.wrote(folder / "nettwin.toml")
    if not json:
        output.commands(
            [
                f"nettwin loop --workspace {folder} --cycles 5",
                f"nettwin status --workspace {folder}",
                f"nettwin people add ME --role operator --workspace {folder}",
                f"nettwin serve --workspace {folder}",
            ]
        )


def demo_network(capacity_bps: float | None = None) -> Scenario:
    """NSFNET with voice, video and the rest, as it is at the peak of the day; every link as wide as
    given."""
    made = generate(
        "nsfnet", load=DEMO_LOAD, classes="three", scheduler="sp", capacity_bps=capacity_bps
    )
    return made.with_(name="NSFNET")
