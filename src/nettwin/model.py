"""NetworkModel: the contract of everything that answers how a network behaves.

One question, one engine: what is compared with one another is answered by the same engine. The
scenarios of one call of `predict` are one question. What asks in several calls takes the model of
`settled` (a search, whose candidates are not known before) or asks within `by_one_engine` (a sweep
over scenarios that are all known).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from nettwin.metrics import Metrics
from nettwin.scenario.scenario import Scenario

T = TypeVar("T")


@runtime_checkable
class NetworkModel(Protocol):
    """Scenarios in, Metrics out."""

    @property
    def name(self) -> str:
        """The engine's name in the registry."""

    def predict(self, scenarios: Sequence[Scenario]) -> list[Metrics]:
        """The metrics of each scenario, in their order, by one engine for all of them. Rows follow
        the scenario's elements."""

    def unsupported(self, scenario: Scenario) -> list[str]:
        """Why this model should not be trusted with a scenario; empty where it may be."""


@runtime_checkable
class Choosing(Protocol):
    """A NetworkModel that has several engines and chooses one for each question."""

    def settled(self, scenarios: Sequence[Scenario]) -> NetworkModel:
        """The engine that supports all of these scenarios, for whatever is asked from now on."""

    def by_one_engine(self, ask: Callable[[NetworkModel], T]) -> T:
        """What `ask` gets from the first engine that supports every scenario it is asked about.

        `ask` is called again, with the next engine, where a scenario turns out to be unsupported.
        """


def settled(model: NetworkModel, scenarios: Sequence[Scenario]) -> NetworkModel:
    """The engine of a model that answers a question about these scenarios and others like them."""
    return model.settled(scenarios) if isinstance(model, Choosing) else model


def by_one_engine(model: NetworkModel, ask: Callable[[NetworkModel], T]) -> T:
    """What `ask` gets from one engine of a model; see `Choosing.by_one_engine`."""
    return model.by_one_engine(ask) if isinstance(model, Choosing) else ask(model)


class HopSplit(NamedTuple):
    """What the packets of each flow meet hop by hop; hops and paths are those of `Scenario.paths`.

    A flow's mean delay is the sum over its paths of `weight` times what the path's hops add up to.
    """

    propagation_s: NDArray[np.float64]  # [hops]
    transmission_s: NDArray[np.float64]  # [hops]
    waiting_s: NDArray[np.float64]  # [hops] in queueing theory
    correction_s: NDArray[np.float64]  # [hops] what the model adds to that waiting
    loss: NDArray[np.float64]  # [hops] part of what comes to the hop that is lost there
    weight: NDArray[np.float64]  # [paths] part of the flow's arrivals; 0 where nothing arrives


@runtime_checkable
class Explainable(Protocol):
    """A NetworkModel that can take its delays apart."""

    def hops(self, scenario: Scenario) -> HopSplit | None:
        """What makes up the delays that it predicts; None where it does not go by hops."""


def beyond_every_model(scenario: Scenario) -> list[str]:
    """The issues of a scenario with any engine: no steady state."""
    topology, queues, load = scenario.topology, scenario.topology.queues, scenario.link_offered_load
    endless = np.isinf(queues.buffer_packets) & np.isinf(queues.buffer_bits)
    links = np.unique(queues.link[endless])
    return [
        f"link {topology.link_name[k]} is offered {load[k]:.0%} of its capacity and has a queue"
        " without limit: its delay grows for ever"
        for k in links[load[links] >= 1.0].tolist()
    ]
