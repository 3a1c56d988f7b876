"""Asked: what questions have in common: a network, changes, an engine, what is told about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from nettwin.interfaces import documents, wiring
from nettwin.interfaces.documents import questions
from nettwin.interfaces.server.jobs.kinds import Work
from nettwin.interfaces.server.references import Found, found
from nettwin.metrics import Metrics
from nettwin.model import NetworkModel
from nettwin.scenario.changes import Change, change_from_dict, parse_change
from nettwin.scenario.scenario import Scenario

KEPT_NETWORKS = 8
PARTS = ("flows", "links", "queues")


def network(work: Work) -> Found:
    """The network that a question is about."""
    return _network(str(work.arguments["network"]), work.folder)


@lru_cache(KEPT_NETWORKS)
def _network(reference: str, folder: Path) -> Found:
    return found(reference, folder)


def changes(given: Sequence[Any]) -> list[Change]:
    """Changes, each a line of text or a mapping. Raises ChangeError, InputError."""
    return [
        parse_change(one) if isinstance(one, str) else change_from_dict(one) for one in given or ()
    ]


def engine(work: Work) -> NetworkModel:
    """The engine that is asked, by name and with its seed where it has one."""
    name = str(work.arguments.get("engine", "theory"))
    settings: dict[str, Any] = {}
    if wiring.choice(name).slow:
        settings["progress"] = telling(work)
    if name == "packet":
        settings["seed"] = int(work.arguments.get("seed", 1))
    return wiring.engine(name, **settings)


def telling(work: Work) -> Callable[[float], None]:
    """What takes the share done."""
    return lambda share: work.tell(share, {})


def notes(of: Found, models: Sequence[NetworkModel]) -> dict[str, Any]:
    """What was assumed, ignored, and what is wrong with the network for these models."""
    return {
        "assumptions": list(of.assumptions),
        "ignored": list(of.ignored),
        "warnings": questions.issues(of.scenario, models),
    }


def about(of: Found, scenario: Scenario | None = None) -> dict[str, Any]:
    """The network, in brief."""
    where = {"source": of.source, "format": of.format, "index": 0}
    return documents.network(of.scenario if scenario is None else scenario, **where)


def answer(work: Work, scenario: Scenario, metrics: Metrics, seconds: float | None) -> Any:
    """Everything that was said of a network, or the tables that were asked for."""
    whole = documents.answer(scenario, metrics, seconds)
    parts = work.arguments.get("parts")
    return whole if parts is None else trimmed(whole, parts)


def trimmed(document: dict[str, Any], parts: Sequence[str]) -> dict[str, Any]:
    """A document without the tables that are not among `parts`."""
    return {k: v for k, v in document.items() if k not in PARTS or k in parts}
