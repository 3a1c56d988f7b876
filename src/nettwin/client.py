"""Client: a server of nettwin asked from Python.

    from nettwin.client import Client

    with Client("http://127.0.0.1:8080", token) as twin:
        before = twin.predict("live")
        after = twin.whatif(["fail_link A<->B"])
        plan = twin.optimize("workspace", seconds=10, tell=print)

Answers are the documents of the API, which are those of the command line with --json. Work that
takes long is waited for; `tell` hears of its progress. Needs the extra `client`.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

from nettwin.errors import MissingExtraError, ServerError

__all__ = ["Client"]

API = "/api/v1"
WAIT_S = 20
Document = dict[str, Any]
Change = str | Mapping[str, Any]
Tell = Callable[[Document], object]


class Client:
    """A server, by its address and a person's token. Everything raises ServerError where it refuses
    or does not answer"""

    def __init__(
        self,
        url: str,
        token: str = "",
        *,
        timeout_s: float = 60.0,
        ca_file: str | Path | None = None,
    ) -> None:
        try:
            import httpx
        except ImportError:
            raise MissingExtraError("asking a server", "client") from None
        import ssl

        context = ssl.create_default_context(cafile=ca_file) if ca_file else True
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self._error = httpx.HTTPError
        self._http = httpx.Client(
            base_url=url.rstrip("/"),
            headers=headers,
            timeout=timeout_s,
            verify=context,
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    # questions

    def predict(
        self, network: str = "live", *, engine: str = "theory", parts: Sequence[str] | None = None
    ) -> Document:
        """What a network does. `network` is live, live@TIME, plan, session:ID or an upload's id."""
        body = {"network": network, "engine": engine, "parts": parts}
        return self.ask("/predict", body)

    def whatif(
        self,
        changes: Sequence[Change],
        network: str = "live",
        *,
        engine: str = "theory",
        parts: Sequence[str] | None = None,
    ) -> Document:
        """What changes do to a network."""
        body = {"network": network, "changes": list(changes), "engine": engine, "parts": parts}
        return self.ask("/whatif", body)

    def failures(
        self,
        network: str = "live",
        *,
        kinds: Sequence[str] = ("link",),
        engine: str = "theory",
        intent: str | None = None,
        tell: Tell | None = None,
    ) -> Document:
        """What every failure does, the worst first."""
        body = {"network": network, "kinds": list(kinds), "engine": engine, "intent": intent}
        return self.ask("/failures", body, tell)

    def explain(self, network: str = "live", *, engine: str = "theory", **about: Any) -> Document:
        """Where delay and loss arise: `flow`, `queue` or `link`, or the whole network."""
        return self.ask("/explain", {"network": network, "engine": engine, **about})

    def optimize(
        self,
        intent: str | None = "workspace",
        network: str = "live",
        *,
        seconds: float = 5.0,
        tell: Tell | None = None,
        **how: Any,
    ) -> Document:
        """A plan that meets an intent (its text, or `workspace`); `tell` hears the best so far."""
        body = {"network": network, "intent": intent, "seconds": seconds, **how}
        return self.ask("/optimize", body, tell)

    def ask(self, path: str, body: Mapping[str, Any], tell: Tell | None = None) -> Document:
        """A question's answer, waited for as a job where it takes long."""
        prefer = "respond-async" if tell else f"wait={WAIT_S}"
        found = self._send("POST", path, json=dict(body), headers={"prefer": prefer})
        if found.status_code != 202:
            return self._document(found)
        return self.answer(str(found.json()["job"]["id"]), tell)

    # jobs

    def job(self, id: str) -> Document:
        """Where a job stands."""
        found: Document = self._document(self._send("GET", f"/jobs/{_part(id)}"))["job"]
        return found

    def follow(self, id: str) -> Iterator[Document]:
        """A job whenever it moves on, until it has ended."""
        try:
            with self._http.stream("GET", f"{API}/jobs/{_part(id)}/events", timeout=None) as found:
                if found.status_code != 200:
                    found.read()
                    raise _refused(found)
                for line in found.iter_lines():
                    if line.startswith("data: "):
                        yield json.loads(line[6:])
        except self._error as error:
            raise self._silent(error) from None

    def answer(self, id: str, tell: Tell | None = None) -> Document:
        """The answer of a job once it has ended."""
        for job in self.follow(id):
            if tell is not None:
                tell(job)
        return self._document(self._send("GET", f"/jobs/{_part(id)}/answer"))

    def cancel(self, id: str) -> Document:
        """End a job; a search then gives its best so far."""
        return self._document(self._send("DELETE", f"/jobs/{_part(id)}"))

    # networks and sessions

    def upload(
        self, content: bytes | str, file: str, *, name: str = "", format: str | None = None
    ) -> Document:
        """Send a network file; its description, with the id that questions take."""
        query = {"file": file, "name": name} | ({"format": format} if format else {})
        data = content.encode() if isinstance(content, str) else content
        found = self._send("POST", "/networks", params=query, content=data)
        if found.status_code == 202:
            return self.answer(str(found.json()["job"]["id"]))
        return self._document(found)

    def download(self, network: str = "live", format: str = "native") -> bytes:
        """A network as a file; `ietf-network` is RFC 8345."""
        path = f"/networks/{_part(network)}/file"
        found = self._send("GET", path, params={"format": format})
        if found.status_code == 202:
            self.answer(str(found.json()["job"]["id"]))
            found = self._send("GET", path, params={"format": format})
        return bytes(found.content)

    def remove(self, network: str) -> None:
        """Remove an upload."""
        self._send("DELETE", f"/networks/{_part(network)}")

    def begin_session(self, network: str = "live", name: str = "") -> Document:
        """A sandbox of a network; its id."""
        return self._document(
            self._send("POST", "/sessions", json={"network": network, "name": name})
        )

    def change_session(self, id: str, changes: Sequence[Change]) -> Document:
        """Make changes in a session."""
        body = {"changes": list(changes)}
        return self._document(self._send("POST", f"/sessions/{_part(id)}/changes", json=body))

    def compare_session(self, id: str) -> Document:
        """A session and what it began with."""
        found = self._send("GET", f"/sessions/{_part(id)}/comparison")
        if found.status_code == 202:
            return self.answer(str(found.json()["job"]["id"]))
        return self._document(found)

    def discard_session(self, id: str) -> None:
        """Throw a session away."""
        self._send("DELETE", f"/sessions/{_part(id)}")

    # plans

    def plans(self) -> list[Document]:
        """Every plan, the newest first."""
        return list(self.pages("/plans"))

    def plan(self, id: str) -> Document:
        """All of a plan, with its approvals."""
        return self.get(f"/plans/{_part(id)}")

    def propose(
        self,
        *,
        session: str | None = None,
        job: str | None = None,
        plan: Mapping[str, Any] | None = None,
    ) -> Document:
        """Propose the plan of a session, of a job that optimized, or of a document."""
        given = {"session": session, "job": job, "plan": None if plan is None else dict(plan)}
        return self._once("/plans", {k: v for k, v in given.items() if v is not None})

    def verify(self, id: str) -> Document:
        """Judge a plan again on the network as it is now."""
        return self.ask(f"/plans/{_part(id)}/verify", {})

    def approve(self, id: str) -> Document:
        """Approve somebody else's plan."""
        return self._once(f"/plans/{_part(id)}/approval")

    def apply(self, id: str) -> Document:
        """Apply a plan that was approved."""
        return self._once(f"/plans/{_part(id)}/apply")

    def undo(self, id: str) -> Document:
        """Take a plan back."""
        return self._once(f"/plans/{_part(id)}/undo")

    # what there is

    def status(self) -> Document:
        """Where the loop stands, and how old the data is."""
        return self.get("/status")

    def series(self, name: str, **query: Any) -> Document:
        """One series over time: `since_s`, `until_s`, at most `points`."""
        return self.get(f"/observations/series/{quote(name, safe='/')}", **query)

    def get(self, path: str, **query: Any) -> Document:
        """Any resource below /api/v1."""
        return self._document(self._send("GET", path, params=query))

    def pages(self, path: str, **query: Any) -> Iterator[Document]:
        """Every item of a list, page after page."""
        offset: int | None = 0
        while offset is not None:
            page = self.get(path, offset=offset, **query)
            yield from page["items"]
            offset = page["next"]

    # how

    def _once(self, path: str, body: Mapping[str, Any] | None = None) -> Document:
        """A deed under a key: sent again after a broken connection, it happens once."""
        headers = {"idempotency-key": str(uuid.uuid4())}
        for last in (False, True):
            try:
                return self._document(self._send("POST", path, json=body, headers=headers))
            except ServerError as error:
                if last or error.status:
                    raise
        raise AssertionError

    def _send(self, method: str, path: str, **more: Any) -> Any:
        try:
            found = self._http.request(method, f"{API}{path}", **more)
        except self._error as error:
            raise self._silent(error) from None
        if found.status_code >= 400:
            raise _refused(found)
        return found

    def _silent(self, error: Exception) -> ServerError:
        return ServerError(
            f"{self._http.base_url} does not answer: {str(error) or type(error).__name__}."
            " Check the address, and that the server runs."
        )

    @staticmethod
    def _document(found: Any) -> Document:
        try:
            document: Document = found.json()
        except ValueError:
            words = "the server answers with what is no JSON. Check the address."
            raise ServerError(words) from None
        return document


def _part(name: str) -> str:
    """A part of a path."""
    return quote(name, safe="")


def _refused(found: Any) -> ServerError:
    try:
        problem = found.json()
        detail, remedy = str(problem["detail"]), str(problem.get("remedy", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        detail, remedy, problem = f"the server answers {found.status_code}", "", {}
    words = f"{detail.rstrip('.')}. {remedy}".strip()
    return ServerError(words, found.status_code, problem)
