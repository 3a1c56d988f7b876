"""Models of request bodies, with examples; what a body may hold and nothing else."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Reference = Annotated[
    str,
    Field(
        max_length=100,
        description="live, live@TIME, plan, session:ID, session:ID:base, or the id of an upload",
        examples=["live", "plan", "session:0a1b2c3d4e"],
    ),
]
ChangeText = Annotated[str, Field(max_length=4000, examples=["fail_link A<->B"])]
ChangeGiven = ChangeText | dict[str, Any]
Changes = Annotated[
    list[ChangeGiven],
    Field(
        max_length=10_000,
        description="changes, each a line of text or a mapping (GET /api/v1/kinds lists them)",
        examples=[["fail_link A<->B", "scale_traffic 1.3"]],
    ),
]
EngineName = Annotated[str, Field(max_length=100, examples=["theory", "twin", "packet"])]
IntentText = Annotated[
    str,
    Field(
        max_length=2**20,
        description="an intent in YAML or JSON; `workspace` for the one in force",
        examples=[
            "workspace",
            "expect:\n  - {measure: offered_load, at_most: 80 %}\n",
        ],
    ),
]
Parts = Annotated[
    list[Literal["flows", "links", "queues"]] | None,
    Field(description="which tables to give; all where it is left out", examples=[["links"]]),
]


FailureKind = Literal["link", "node", "srlg", "pair"]


class Body(BaseModel):
    """A request's body."""

    model_config = ConfigDict(extra="forbid", str_max_length=2**20, allow_inf_nan=False)


class Predict(Body):
    """What to predict."""

    network: Reference = "live"
    engine: EngineName = "theory"
    seed: int = Field(1, ge=0, lt=2**31)
    parts: Parts = None


class WhatIf(Predict):
    """Which changes to make."""

    changes: Changes


class Failures(Body):
    """What fails: every link, node, shared-risk group, or two links at once."""

    network: Reference = "live"
    kinds: list[FailureKind] = Field(["link"], min_length=1, max_length=4)
    happened: Changes = Field([], validate_default=False)
    intent: IntentText | None = None
    engine: EngineName = "theory"
    loads: bool = Field(False, description="loads and traffic cut off alone: no engine is asked")
    pairs: int = Field(200, ge=0, le=100_000)
    seed: int = Field(1, ge=0, lt=2**31)


class Explain(Body):
    """What to explain: a flow, a queue, a link, or the whole network."""

    network: Reference = "live"
    flow: (
        Annotated[str, Field(max_length=1000)]
        | Annotated[list[Annotated[str, Field(max_length=1000)]], Field(min_length=2, max_length=2)]
        | None
    ) = Field(None, description="a flow's name, or its two ends", examples=[["A", "B"]])
    queue: str | None = Field(None, max_length=1000, examples=["A->B:0"])
    link: str | None = Field(None, max_length=1000, examples=["A->B"])
    halve: bool = False
    top: int = Field(10, ge=1, le=1000)
    engine: EngineName = "theory"
    seed: int = Field(1, ge=0, lt=2**31)


class Troubleshoot(Body):
    """Which observations are the incident: the last ones until a time; those before tell what is
    usual. `network` says as of which state the question is asked."""

    network: Reference = "live"
    at_s: float | None = Field(None, ge=0, le=1e11, description="seconds since 1970")
    before: int = Field(12, ge=0, le=1000)
    during: int = Field(2, ge=1, le=100)
    engine: EngineName = "theory"
    seed: int = Field(1, ge=0, lt=2**31)


class Watch(Body):
    """Which time is watched, and how often there may be a false alarm; the first `usual` intervals
    (a third where it is not said) tell what is usual."""

    network: Reference = "live"
    since_s: float | None = Field(None, ge=0, le=1e11)
    until_s: float | None = Field(None, ge=0, le=1e11)
    usual: int | None = Field(None, ge=1, le=10_000_000)
    false_alarms: float = Field(1.0, gt=0, le=1e6)
    engine: EngineName = "theory"
    seed: int = Field(1, ge=0, lt=2**31)


class Optimize(Body):
    """What to search for, how and for how long."""

    network: Reference = "live"
    intent: IntentText | None = "workspace"
    happened: Changes = Field([], validate_default=False)
    method: str = Field("auto", max_length=100)
    seconds: float = Field(5.0, ge=0.05, le=600.0)
    gap: float | None = Field(None, ge=0.0, le=1.0)
    verify: bool | None = None
    engine: EngineName = "theory"
    seed: int = Field(1, ge=0, lt=2**31)


class Capacity(Body):
    """A capacity case (YAML or JSON, see docs/capacity.md), and what must hold as traffic grows."""

    case: Annotated[str, Field(max_length=2**20, examples=["capacity: next\ngrowth: 30%\n"])]
    network: Reference = "live"
    intent: IntentText | None = None
    engine: EngineName = "theory"
    seed: int = Field(1, ge=0, lt=2**31)


class RunOut(Capacity):
    """When it runs out: how far to look."""

    years: float = Field(10.0, gt=0.0, le=50.0)


class Upgrade(Capacity):
    """What to buy: how long to search."""

    seconds: float = Field(60.0, ge=1.0, le=600.0)


class LabBegin(Body):
    """Which fault of a lab is drawn."""

    seed: int = Field(1, ge=0, lt=2**31)


class LabCheck(Body):
    """All changes that are made on the network of a lab, those of before as well."""

    changes: Changes = Field([], validate_default=False)


class SessionBegin(Body):
    """Which network to copy."""

    network: Reference = "live"
    name: str = Field("", max_length=100, examples=["what if Palo Alto fails"])


class SessionChanges(Body):
    """Changes to make in a session."""

    changes: Changes


class Proposal(Body):
    """A plan: of a session, of the answer of a job that optimized, or as a document."""

    session: str | None = Field(None, max_length=20, examples=["0a1b2c3d4e"])
    job: str | None = Field(None, max_length=20)
    plan: dict[str, Any] | None = None


class IntentGiven(Body):
    """An intent and the network that it is held against."""

    intent: IntentText
    network: Reference = "live"
    engine: EngineName = "theory"


class Happening(Body):
    """Something that is let happen to a simulated network."""

    change: ChangeGiven
    hidden: bool = Field(False, description="the network behaves so, and does not tell it")


class SourceGiven(Body):
    """A source of telemetry to try: a Prometheus server."""

    url: str = Field(max_length=2000, examples=["https://prometheus.example.net"])
    devices: dict[str, str] = Field({}, max_length=10_000)
    links: dict[str, dict[str, str]] = Field({}, max_length=10_000)
    network: Reference = "plan"
    hours: float = Field(1.0, gt=0.0, le=24 * 31)
