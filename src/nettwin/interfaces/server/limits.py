"""Limits: how much requests may ask for; of a server, the same for everybody."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What one request, one person or one job may take.

    Rates are texts of the library `limits`. `wait_s` is how long a request waits for its job before
    it is told where to look for the answer; `job_s` ends a job. A session of a browser ends after
    `session_s`, or after `idle_s` without a request; a one-time link after `link_s`.
    """

    body_bytes: int = 2 * 2**20
    upload_bytes: int = 64 * 2**20
    unpacked_bytes: int = 256 * 2**20
    files: int = 500  # in an archive
    nodes: int = 20_000
    links: int = 200_000
    flows: int = 2_000_000
    requests: str = "6000/minute"  # a person
    jobs: str = "1200/minute"  # a person; how many may wait is bounded by itself
    logins: str = "10/minute"  # that failed, an address
    refusals: str = "60/minute"  # that are written into the log, an address
    queued_jobs: int = 200
    kept_jobs: int = 1000
    networks: int = 500
    wait_s: float = 10.0
    job_s: float = 900.0
    job_bytes: int = 0  # address space of a process that works on jobs; 0: of this machine's memory
    session_s: float = 12 * 3600.0
    idle_s: float = 3600.0
    link_s: float = 3600.0
    inside: tuple[str, ...] = ()  # networks of inner addresses that sources may have
