"""Words: what the kinds of changes whose attributes are more than names and numbers take in a line.

set_path FLOW via=B,C                 set_path FLOW links=A->B,B->C share=0.75 via=D share=0.25
set_scheduler LINK wfq voice=4 data=1     set_scheduler LINK sp voice video data
set_buffer LINK 64                    set_buffer LINK 64kB | 10ms | unlimited
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nettwin.errors import ChangeError, InputError
from nettwin.scenario.changes.flows import SetPath
from nettwin.scenario.changes.links import SetBuffer, SetScheduler
from nettwin.scenario.scheduling import BUFFERS, SCHEDULERS, buffers_of
from nettwin.units import size_bits

Data = dict[str, Any]
Taker = Callable[[str, Data], bool]  # takes a word into the data of a change, if it knows it
TAKES = {
    SetPath.kind: "flow (via=NODE,NODE | links=LINK,LINK) [share=PART] ...",
    SetScheduler.kind: "link policy [class=weight ...]",
    SetBuffer.kind: "link (packets | bytes or time with unit | unlimited) [queue=NUMBER]",
}


def take(word: str, data: Data) -> bool:
    """Whether the kind of the change in `data` takes a word in a form of its own; then it is added
    to the data."""
    taker = _TAKERS.get(data["kind"])
    return taker is not None and taker(word, data)


def _path(word: str, data: Data) -> bool:
    name, equals, value = word.partition("=")
    if not equals or name not in ("via", "links", "share"):
        return False
    paths = data.setdefault("paths", [])
    if name != "share":
        paths.append({name: value.split(",")})
    elif not paths:
        raise ChangeError(f"{word!r} follows no path. Write it behind the via= or links= it is of.")
    else:
        try:
            paths[-1]["share"] = float(value)
        except ValueError:
            raise ChangeError(
                f"share of a path is {value!r}: must be a number from 0 to 1. Write share=0.5."
            ) from None
    return True


def _scheduler(word: str, data: Data) -> bool:
    """The policy, then the classes from queue 0 on, each with its weight (of drr: its quantum)."""
    if "link" not in data or word.startswith(("link=", "scheduler=", "{")):
        return False
    if "scheduler" not in data:
        if word not in SCHEDULERS:
            raise ChangeError(
                f"policy of link {data['link']} is {word!r}: must be one of"
                f" {', '.join(SCHEDULERS)}. Name one, or give the scheduler as JSON."
            )
        data["scheduler"] = {"policy": word, "queues": [{}]}
        return True
    scheduler = data["scheduler"]
    if not isinstance(scheduler, dict):
        return False
    policy = SCHEDULERS[scheduler["policy"]]
    if policy.single_queue:
        raise ChangeError(f"{policy.name} has one queue: takes no class {word!r}. Leave it out.")
    classes = scheduler.setdefault("class_queue", {})
    queues = scheduler["queues"] = scheduler["queues"][: len(classes)]
    name, equals, value = word.rpartition("=")
    queue = {}
    if equals and policy.uses_weight:
        queue = {"weight": _number(value, f"weight of class {name}")}
    elif equals and policy.uses_quantum:
        queue = {"quantum_bits": size_or_bits(value)}
    elif equals:
        raise ChangeError(f"{policy.name} takes no weights: class {name} has {value!r}. Remove it.")
    classes[name if equals else word] = len(queues)
    queues.append(queue)
    return True


def _buffer(word: str, data: Data) -> bool:
    if "link" not in data or word.partition("=")[0] in ("link", "queue"):
        return False
    if word == "unlimited":
        data |= dict.fromkeys(BUFFERS, None)
        return True
    if not word[:1].isdigit() or not word[-1:].isalpha():
        return False
    data |= buffers_of(word)
    return True


def size_or_bits(value: str) -> float:
    """Bits from a bare number, or from a size with its unit. Raises InputError."""
    try:
        return float(value)
    except ValueError:
        return size_bits(value)


def _number(value: str, what: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise InputError(f"{what} is {value!r}: must be a number. Write one.") from None


_TAKERS: dict[str, Taker] = {
    SetPath.kind: _path,
    SetScheduler.kind: _scheduler,
    SetBuffer.kind: _buffer,
}
