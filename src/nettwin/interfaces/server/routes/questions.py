"""Questions: predict, what-if, failures, explain, optimize; answered as the command line does."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from nettwin.interfaces.server.asking import API, AtDesk, By, asked
from nettwin.interfaces.server.routes import models as m
from nettwin.interfaces.server.routes.about import answers

router = APIRouter(prefix=API, tags=["questions"])
NETWORK = {"name": "NSFNET", "source": "live@1767614400.0", "nodes": 14, "links": 42, "flows": 546}
TOTALS = {"owd_mean_s": 0.0123, "loss_ratio": 0.0, "offered_load_max": 0.83}
SAID = {"engine": "theory", "answered_by": "theory", "because": [], "flagged_flows": 0}
NOTES: dict[str, Any] = {"assumptions": [], "ignored": [], "warnings": []}
PREDICTED = {
    "nettwin": "0.1.0",
    "command": "predict",
    "answers": [{"network": NETWORK, **NOTES, **SAID, "totals": TOTALS, "links": [], "flows": []}],
}
WHATIF = {
    "nettwin": "0.1.0",
    "command": "whatif",
    "network": NETWORK,
    **NOTES,
    "changes": [{"kind": "fail_link", "link": "A<->B"}],
    **SAID,
    "before": {"totals": TOTALS},
    "after": {"totals": TOTALS},
    "links": [],
    "flows": [],
}
FAILURES = {
    "nettwin": "0.1.0",
    "command": "failures",
    "network": NETWORK,
    "happened": [],
    **NOTES,
    "resilience": {"complete": True, "failures_total": 21, "failures": [], "links": []},
}
EXPLAINED = {
    "nettwin": "0.1.0",
    "command": "explain",
    "network": NETWORK,
    **NOTES,
    **SAID,
    "words": ["The queue A->B:0 makes 61 % of the delay."],
    "causes": [],
}
OPTIMIZED = {
    "nettwin": "0.1.0",
    "command": "optimize",
    "network": NETWORK,
    "happened": [],
    **NOTES,
    "engine": "theory",
    "intent": {"intent": "few"},
    "plan": {"schema": "nettwin-changes-1", "met": True, "changes": [], "bound": 0.66},
}


@router.post("/predict", summary="Predict a network", responses=answers(PREDICTED))
async def predict(request: Request, desk: AtDesk, person: By, body: m.Predict) -> Response:
    """Delay, loss and utilization of every flow, link and queue."""
    kind = "simulate" if body.engine == "packet" else "predict"
    return await asked(request, desk, person, kind, body.model_dump())


@router.post("/whatif", summary="Predict a network after changes", responses=answers(WHATIF))
async def whatif(request: Request, desk: AtDesk, person: By, body: m.WhatIf) -> Response:
    """The network before and after, and the rows that change, the worst first."""
    return await asked(request, desk, person, "whatif", body.model_dump())


@router.post("/failures", summary="Let everything fail in turn", responses=answers(FAILURES))
async def failures(request: Request, desk: AtDesk, person: By, body: m.Failures) -> Response:
    """What each failure breaks, and the worst load of each link with its cause."""
    return await asked(request, desk, person, "failures", body.model_dump())


@router.post("/explain", summary="Explain delay and loss", responses=answers(EXPLAINED))
async def explain(request: Request, desk: AtDesk, person: By, body: m.Explain) -> Response:
    """Where the delay of a flow arises and which flows cause it; the queues that decide."""
    return await asked(request, desk, person, "explain", body.model_dump())


@router.post("/optimize", summary="Search a plan", responses=answers(OPTIMIZED))
async def optimize(request: Request, desk: AtDesk, person: By, body: m.Optimize) -> Response:
    """Changes in a safe order. The job tells the best so far and the bound; cancelled, it gives the
    best plan so far."""
    return await asked(request, desk, person, "optimize", body.model_dump())
