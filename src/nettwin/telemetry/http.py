"""HTTP: asking a server for JSON, with credentials that are named and never shown."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from typing import Any

from nettwin.errors import InputError, SourceError
from nettwin.secrets import secret

LARGEST_BYTES = 512 * 2**20


@dataclass(frozen=True)
class Server:
    """A server and how to ask it. `token` and `password` are references (`env:NAME`, `file:PATH`)
    that are looked up at every request, so that a new secret needs no restart."""

    url: str
    username: str = ""
    password: str = ""
    token: str = ""
    ca_file: str = ""
    timeout_s: float = 30.0

    def __post_init__(self) -> None:
        parts = urllib.parse.urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InputError(
                f"url is {self.shown!r}: must be such as http://127.0.0.1:9090. Correct it."
            )
        if parts.password is not None:
            raise InputError(
                f"url {self.shown} holds a password. Write username: and password: env:NAME."
            )

    @property
    def shown(self) -> str:
        """The address as messages show it, without what stands before an @."""
        return self.url.rpartition("@")[2]

    def json(self, path: str, form: Mapping[str, str] | None = None) -> Any:
        """The JSON that a path answers with: GET, or POST of a form. Raises SourceError."""
        body = urllib.parse.urlencode(form).encode() if form else None
        request = urllib.request.Request(self.url.rstrip("/") + path, data=body)
        request.add_header("Accept", "application/json")
        if self.token:
            request.add_header("Authorization", f"Bearer {secret(self.token)}")
        elif self.username:
            word = f"{self.username}:{secret(self.password) if self.password else ''}"
            request.add_header("Authorization", f"Basic {base64.b64encode(word.encode()).decode()}")
        try:
            with self._opener().open(request, timeout=self.timeout_s) as answer:
                content = answer.read(LARGEST_BYTES + 1)
        except urllib.error.HTTPError as error:
            raise SourceError(self._refused(error)) from None
        except (urllib.error.URLError, HTTPException, OSError, ValueError) as error:
            reason = getattr(error, "reason", error) or error
            raise SourceError(
                f"{self.shown} does not answer: {str(reason) or type(error).__name__}. Check the"
                " address, and that the server runs."
            ) from None
        if len(content) > LARGEST_BYTES:
            raise SourceError(f"{self.shown} answers with too much. Ask for a shorter time.")
        try:
            return json.loads(content)
        except ValueError:
            raise SourceError(
                f"{self.shown}{path} answers with what is not JSON. Check the address."
            ) from None

    def _refused(self, error: urllib.error.HTTPError) -> str:
        said = error.read(10_000).decode(errors="replace").strip()
        try:
            said = str(json.loads(said)["error"])
        except (ValueError, KeyError, TypeError):
            said = ""
        remedy = {
            401: "Give credentials: token: env:NAME, or username: and password: env:NAME.",
            403: "Ask for the right to read, or give other credentials.",
            404: "Check the address: it may lack a path such as /prometheus.",
        }.get(error.code, "Check its log.")
        why = f": {said.rstrip('.')}" if said else ""
        return f"{self.shown} answers {error.code} {error.reason}{why}. {remedy}"

    def _opener(self) -> urllib.request.OpenerDirector:
        handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
        if self.url.startswith("https"):
            try:
                context = ssl.create_default_context(cafile=self.ca_file or None)
            except OSError as error:
                raise SourceError(
                    f"ca_file {self.ca_file} cannot be read: {error.strerror}. Correct the path."
                ) from None
            handlers.append(urllib.request.HTTPSHandler(context=context))
        return urllib.request.build_opener(*handlers)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Credentials go to the server that was named, and to no other."""

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        return None
