"""Problems: errors as RFC 9457 tells them, with the remedy."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from nettwin.errors import (
    AmbiguousNameError,
    ApplyError,
    BusyError,
    ChangeError,
    FormatError,
    InputError,
    MissingExtraError,
    NettwinError,
    NetworkError,
    ScenarioError,
    UnknownNameError,
    UnsupportedError,
)

RESOURCES = ("network", "upload", "session", "plan", "job", "answer of the job", "model", "series")
MEDIA_TYPE = "application/problem+json"
PREFIX = "urn:nettwin:problem:"
STATUS: tuple[tuple[type[Exception], int, str], ...] = (
    (UnknownNameError, 404, "unknown-name"),
    (AmbiguousNameError, 409, "ambiguous-name"),
    (FormatError, 422, "format"),
    (ScenarioError, 422, "scenario"),
    (ChangeError, 422, "change"),
    (ApplyError, 409, "not-applied"),
    (NetworkError, 502, "network"),
    (BusyError, 409, "busy"),
    (UnsupportedError, 422, "unsupported"),
    (MissingExtraError, 501, "missing-extra"),
    (InputError, 422, "input"),
    (NettwinError, 422, "input"),
)


class ProblemError(Exception):
    """An answer that is an error: status, what is wrong, what to do about it.

    `kind` names it for programs, the last part of the problem's `type`.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        remedy: str = "",
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status, self.kind, self.detail, self.remedy = status, kind, detail, remedy
        self.headers, self.more = dict(headers or {}), more

    def document(self) -> dict[str, Any]:
        """The problem as a JSON document."""
        return problem(self.status, self.kind, self.detail, self.remedy, **self.more)


def problem(status: int, kind: str, detail: str, remedy: str = "", **more: Any) -> dict[str, Any]:
    """The members of a problem; `remedy` says what to do, in a sentence."""
    found = {
        "type": PREFIX + kind,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    return found | ({"remedy": remedy} if remedy else {}) | more


def of_error(error: BaseException) -> dict[str, Any]:
    """The problem that an error is. What nettwin did not raise on purpose is a 500 that tells no
    more than its kind."""
    for kind, status, name in STATUS:
        if isinstance(error, kind):
            if isinstance(error, UnknownNameError) and error.kind not in RESOURCES:
                status = 422  # of something in what was sent
            detail, remedy = apart(str(error))
            more: dict[str, Any] = {}
            if isinstance(error, ScenarioError):
                more["issues"] = [str(issue) for issue in error.issues[: ScenarioError.shown]]
            return problem(status, name, detail, remedy, **more)
    if isinstance(error, ProblemError):
        return error.document()
    if isinstance(error, RecursionError):
        return problem(422, "too-deep", "what was sent is nested too deeply", "Send less of it.")
    if isinstance(error, MemoryError):
        return problem(413, "too-large", "there is not enough memory for it", "Ask for less.")
    return problem(
        500,
        "internal",
        f"an error in nettwin itself ({type(error).__name__})",
        "Report it with the request id; the server's log has the traceback.",
    )


def apart(words: str) -> tuple[str, str]:
    """What is wrong, and the remedy: by nettwin's custom the last sentence, where there are two."""
    text = words.strip()
    head, dot, last = text.removesuffix(".").rpartition(". ")
    return (head, last + ".") if dot and last[:1].isupper() else (text, "")
