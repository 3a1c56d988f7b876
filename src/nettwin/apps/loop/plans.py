"""Plans that a workspace knows: kept, found, approved."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import NamedTuple

from nettwin.change_plan import ChangePlan, plan_from_dict, plan_to_dict
from nettwin.errors import InputError, UnknownNameError
from nettwin.repository.repository import Repository
from nettwin.repository.tables import Document

PLAN, FATE = "plan", "fate"
ID_DIGITS = 12
Fate = str  # what became of a plan: applied, kept, rolled back, refused ...


class Known(NamedTuple):
    """A plan of a workspace: when it was made, and what became of it."""

    id: str
    time_s: float
    plan: ChangePlan
    author: str
    network: str  # the configuration that it was made for
    fate: Fate
    why: str


def keep_plan(
    repository: Repository, plan: ChangePlan, time_s: float, author: str, network: str
) -> tuple[str, ChangePlan]:
    """Keep a plan with its author and the configuration that it was made for; its id, and the plan
    as it is kept."""
    plan = replace(plan, notes={**plan.notes, "author": author, "configuration": network})
    data = json.loads(json.dumps(plan_to_dict(plan), default=lambda value: value.item()))
    plan = plan_from_dict(data)
    id = plan.digest[:ID_DIGITS]
    repository.keep(Document(time_s, PLAN, id, json.dumps(data)))
    return id, plan


def keep_fate(repository: Repository, id: str, time_s: float, fate: Fate, why: str = "") -> None:
    """Keep what became of a plan."""
    repository.keep(Document(time_s, FATE, id, json.dumps({"fate": fate, "why": why})))


def known_plans(repository: Repository) -> list[Known]:
    """Every plan, in the order in which they were made."""
    fates = {one.id: json.loads(one.document) for one in repository.records(FATE)}
    found = []
    for one in repository.records(PLAN):
        plan = plan_from_dict(json.loads(one.document))
        fate = fates.get(one.id, {"fate": "open", "why": ""})
        notes = plan.notes
        found.append(
            Known(
                one.id,
                one.time_s,
                plan,
                notes.get("author", ""),
                notes.get("configuration", ""),
                fate["fate"],
                fate["why"],
            )
        )
    return found


def known_plan(repository: Repository, id: str) -> Known:
    """The plan of an id, or of the beginning of one. Raises UnknownNameError, InputError."""
    plans = known_plans(repository)
    found = [known for known in plans if known.id.startswith(id)] if id else []
    if not found:
        raise UnknownNameError("plan", id, [known.id for known in plans])
    if len(found) > 1:
        listed = ", ".join(known.id for known in found)
        raise InputError(f"{id} begins several plans: {listed}. Give more of it.")
    return found[0]
