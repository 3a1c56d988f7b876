"""Architecture: what the learned models have in common, and the list of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, cast

from nettwin.engines.learned.answer import Answer
from nettwin.engines.learned.inputs import Inputs
from nettwin.engines.learned.trust import faded
from nettwin.errors import UnknownNameError
from nettwin.formats.weight_file import Weights

Forward = Callable[[Inputs, Sequence[Weights]], Answer]


@dataclass(frozen=True)
class Architecture:
    """An architecture by name. `forward` and `trained` are `module:attribute`, read when needed:
    how it answers (without PyTorch), and its network in training (a torch module). Where its
    networks correct theory, `on_theory`, theory takes over where they expect to be far off."""

    name: str
    title: str
    forward: str
    trained: str
    on_theory: bool = False

    def answer(self, inputs: Inputs, members: Sequence[Weights]) -> Answer:
        """What networks of this architecture, of these weights, say together (see `trust`)."""
        found = self.forwarded(inputs, members)
        return cast(Answer, faded(inputs, found)) if self.on_theory else found

    def forwarded(self, inputs: Inputs, members: Sequence[Weights]) -> Answer:
        """The networks' own answer."""
        return cast(Answer, _attribute(self.forward)(inputs, members))

    def network(self, **settings: Any) -> Any:
        """A network to train; it needs PyTorch."""
        return _attribute(self.trained)(**settings)


ARCHITECTURES: dict[str, Architecture] = {
    architecture.name: architecture
    for architecture in (
        Architecture(
            "gnn",
            "queueing theory corrected by a graph network over queues",
            "nettwin.engines.learned.gnn:answer",
            "nettwin.engines.learned.training.gnn:QueueGraph",
            on_theory=True,
        ),
        Architecture(
            "bayesian",
            "the gnn with weights that are distributions (Bayes by backprop)",
            "nettwin.engines.learned.gnn:answer",
            "nettwin.engines.learned.training.bayesian:Bayesian",
            on_theory=True,
        ),
        Architecture(
            "routenet",
            "message passing between paths and queues in RouteNet's manner, without theory",
            "nettwin.engines.learned.routenet:answer",
            "nettwin.engines.learned.training.routenet:RouteNet",
        ),
        Architecture(
            "rnn",
            "a recurrent network along each path alone, without theory",
            "nettwin.engines.learned.classical:recurrent",
            "nettwin.engines.learned.training.classical:Recurrent",
        ),
        Architecture(
            "mlp",
            "a multilayer perceptron over what is known of each path, without theory",
            "nettwin.engines.learned.classical:perceptron",
            "nettwin.engines.learned.training.classical:Perceptron",
        ),
    )
}


def architecture(name: str) -> Architecture:
    """The entry of ARCHITECTURES with a name. Raises UnknownNameError if there is none."""
    if name not in ARCHITECTURES:
        raise UnknownNameError("architecture", name, ARCHITECTURES)
    return ARCHITECTURES[name]


def _attribute(place: str) -> Callable[..., Any]:
    module, _, name = place.partition(":")
    return cast("Callable[..., Any]", getattr(import_module(module), name))
