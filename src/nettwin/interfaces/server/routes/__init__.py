"""Routes: the resources of the API, version 1, one module each.

models    bodies of requests          about     examples and problems for OpenAPI
"""

from __future__ import annotations

from nettwin.interfaces.server.routes import (
    account,
    capacity,
    catalog,
    health,
    history,
    incidents,
    intents,
    jobs,
    labs,
    networks,
    plans,
    questions,
    sessions,
)

ROUTERS = (
    health.router,
    account.router,
    networks.router,
    questions.router,
    capacity.router,
    labs.router,
    incidents.router,
    sessions.router,
    plans.router,
    intents.router,
    history.router,
    jobs.router,
    catalog.router,
)
