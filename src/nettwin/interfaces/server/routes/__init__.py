"""Routes: the resources of the API, version 1, one module each."""

from __future__ import annotations

from nettwin.interfaces.server.routes import health

ROUTERS = (health.router,)
