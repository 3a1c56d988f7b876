"""The pages of the desk, each by its address and title."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request

from nettwin.interfaces.web.pages import (
    audit,
    capacity,
    data,
    flows,
    incidents,
    jobs,
    labs,
    map,
    models,
    plans,
    sessions,
    settings,
)
from nettwin.interfaces.web.place import Place

Build = Callable[[Place, Request], Awaitable[Any]]
PAGES: tuple[tuple[str, str, Build], ...] = (
    ("/", "Map", map.build),
    ("/sessions", "Sessions", sessions.build),
    ("/flows", "Flows", flows.build),
    ("/plans", "Plans", plans.build),
    ("/data", "Data", data.build),
    ("/models", "Models", models.build),
    ("/incidents", "Incidents", incidents.build),
    ("/capacity", "Capacity", capacity.build),
    ("/labs", "Labs", labs.build),
    ("/jobs", "Jobs", jobs.build),
    ("/audit", "Audit", audit.build),
    ("/settings", "Settings", settings.build),
)
