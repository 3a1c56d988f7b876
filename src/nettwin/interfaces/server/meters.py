"""Meters: figures of the server for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from nettwin.interfaces.server.desk import Desk

REGISTRY = CollectorRegistry()
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
REQUESTS = Counter(
    "nettwin_requests_total", "Requests answered.", ("method", "route", "status"), registry=REGISTRY
)
SECONDS = Histogram(
    "nettwin_request_seconds",
    "Time from a request to the end of its answer.",
    ("method", "route"),
    buckets=BUCKETS,
    registry=REGISTRY,
)
REFUSED = Counter("nettwin_refused_total", "Requests refused.", ("kind",), registry=REGISTRY)
ENDED = Counter("nettwin_jobs_total", "Jobs that ended.", ("kind", "state"), registry=REGISTRY)
WAITING = Gauge("nettwin_jobs_waiting", "Jobs that wait.", registry=REGISTRY)
RUNNING = Gauge("nettwin_jobs_running", "Jobs that run.", registry=REGISTRY)
AGE = Gauge(
    "nettwin_observation_age_seconds",
    "Age of the newest observation by this machine's clock; NaN where there is none.",
    registry=REGISTRY,
)
UP = Gauge("nettwin_live", "1 where the loop of the workspace runs here.", registry=REGISTRY)


def text(desk: Desk) -> bytes:
    """The figures of a desk in Prometheus's text format."""
    WAITING.set(desk.jobs.waiting)
    RUNNING.set(desk.jobs.running)
    UP.set(desk.live is not None)
    return generate_latest(REGISTRY)
