"""Requests that schemathesis makes of the whole API: whatever comes, no 5xx."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from nettwin.interfaces.server.limits import Limits
from tests.interfaces.server.conftest import Served, served

EVERY = Limits(requests="1000000/minute", jobs="1000000/minute", wait_s=1.0, job_s=20.0)
MAY_BE = {501, 502, 503}  # something is not installed, or was ended: told as problems


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    yield from served(tmp_path_factory.mktemp("schema") / "twin", EVERY)


def faults(desk: Served, examples: int) -> list[str]:
    """What the API answers to random requests, good and bad ones, and should not."""

    async def begun(scope: Any, receive: Any, send: Any) -> None:
        """The application, which the fixture has begun and will end."""
        if scope["type"] != "lifespan":
            await desk.client.app(scope, receive, send)
            return
        for word in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{word}.complete"})

    schema = schemathesis.openapi.from_asgi("/openapi.json", begun)
    found: list[str] = []
    tried = 0
    for operation in (result.ok() for result in schema.get_all_operations()):
        known = {*operation.definition.raw["responses"], "400", "404", "422"}

        def ask(case: Any) -> None:
            nonlocal tried
            tried += 1
            answer = case.call(headers=desk.cyd.headers)
            kind = answer.headers.get("content-type", "")
            if answer.status_code in MAY_BE and kind == "application/problem+json":
                return
            if answer.status_code >= 500 or str(answer.status_code) not in known:  # noqa: B023
                asked = f"{case.method} {case.formatted_path} {case.query} {case.body!r}"
                found.append(f"{asked[:500]}: {answer.status_code} {answer.text[:300]}")

        usual = settings(max_examples=examples, deadline=None, suppress_health_check=[*HealthCheck])
        usual(given(case=operation.as_strategy())(ask))()
    assert tried > 40 * examples // 2
    return found


def test_no_request_is_an_error_of_the_server(desk: Served) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries, about what is sent
        assert faults(desk, 3) == []


@pytest.mark.slow
def test_no_request_of_many_is_an_error_of_the_server(desk: Served) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert faults(desk, 60) == []
