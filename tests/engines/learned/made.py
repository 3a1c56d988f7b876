"""Made: a small data set for tests of training: theory's answers, delays longer by a factor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from nettwin.engines.learned.training.examples import Example
from nettwin.engines.theory import Theory
from nettwin.errors import FormatError
from nettwin.metrics import Metrics, Table
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario

SCHEDULERS = ("fifo", "sp", "wfq", "drr")


@dataclass
class Made:
    """Rings and lines whose packets take `longer` than theory says."""

    name: str = "made"
    count: int = 10
    longer: float = 1.1
    arrival: str = "poisson"
    first: int = 0  # number of the first sample
    broken: int = -1  # number of the sample whose shard is damaged
    told: list[int] = field(default_factory=list)

    @property
    def digest(self) -> str:
        return f"{self.name} {self.count} {self.longer} {self.arrival} {self.first}"

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Example]:
        for number in range(self.first, self.first + self.count):
            if number == self.broken:
                raise FormatError("made/00.npz", "", "is damaged", "Make it again.")
            self.told.append(number)
            yield example(number, self.longer, self.arrival)


def example(number: int, longer: float, arrival: str = "poisson") -> Example:
    """One sample."""
    scenario = generate(
        ("ring", "line")[number % 2],
        nodes=4 + number % 3,
        seed=number,
        load=0.5 + 0.05 * (number % 8),
        classes="three",
        scheduler=SCHEDULERS[number % 4],
        arrival=arrival,
    )
    near = scenario.topology.with_arrays(link_delay_s=scenario.topology.link_delay_s * 0.0)
    scenario = replace(scenario, topology=near)
    second = recorded(scenario, longer * 1.02) if number % 4 == 0 else None
    return Example(number, scenario, recorded(scenario, longer), second)


def recorded(scenario: Scenario, longer: float) -> Metrics:
    """Theory's answer, with mean delays longer by a factor."""
    (found,) = Theory().predict([scenario])
    columns = dict(found.flow.columns)
    columns["owd_mean_s"] = columns["owd_mean_s"] * longer
    return replace(found, flow=Table(columns), method="simulated", engine="made")
