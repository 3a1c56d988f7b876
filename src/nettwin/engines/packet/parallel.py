"""Many scenarios at once, in processes of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nettwin.compiled import is_kept
from nettwin.engines.packet import kernel
from nettwin.engines.packet.simulation import Simulation
from nettwin.metrics import Metrics
from nettwin.model import NetworkModel
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic
from nettwin.workers import in_order_of_completion


def in_processes(
    simulator: NetworkModel,
    scenarios: Sequence[Scenario],
    jobs: int,
    progress: Callable[[float], None] | None = None,
) -> list[Metrics]:
    """The metrics of each scenario; `progress` hears of every finished one.

    The simulator is pickled, and simulates in the process that asks it.
    """
    if not is_kept(kernel.advance):
        warm_up()  # compiled once here, and not once in every process
    work = [(simulator, scenario) for scenario in scenarios]
    found: dict[int, Metrics] = {}
    for k, metrics in in_order_of_completion(_simulated, work, jobs, warm=warm_up):
        found[k] = metrics
        if progress:
            progress(len(found) / len(work))
    return [found[k] for k in range(len(work))]


def warm_up() -> None:
    """Load the simulator's machine code, or make it where there is none."""
    topology = Topology.build("AB", [Link("A", "B", 1e6)])
    simulation = Simulation(
        Scenario(topology, Traffic.build(topology, [Flow("A", "B", 1e5)])), seed=1
    )
    simulation.advance(1e-3)
    simulation.counts()


def _simulated(work: tuple[NetworkModel, Scenario]) -> Metrics:
    simulator, scenario = work
    return simulator.predict([scenario])[0]
