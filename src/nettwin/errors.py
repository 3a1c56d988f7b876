"""The errors of nettwin, one tree:

NettwinError                what a user can understand and mend
├── InputError              something that was given is wrong
│   ├── FormatError         a file: where, why, what to do
│   ├── ScenarioError       a scenario: all its issues at once
│   ├── ChangeError         a change that does not fit its scenario
│   ├── UnknownNameError    a name that is not in a registry or a network
│   └── AmbiguousNameError  a name that several elements answer to
├── NetworkError            a network that does not do what it is asked
│   ├── ApplyError          a change plan that was not applied; what it had changed is undone
│   └── SourceError         a source of telemetry that does not answer
├── ServerError             a server of nettwin that refuses, or does not answer
├── BusyError               another process holds what may have one user only
├── UnsupportedError        a model that must not be trusted with a scenario
└── MissingExtraError       an optional dependency that is not installed
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any


@dataclass(frozen=True, slots=True)
class ValidationIssue:
    """One thing that is wrong: the element, its value, what is allowed and the remedy."""

    element: str
    value: object
    allowed: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.element} is {self.value}: {self.allowed}. {self.remedy}"


class NettwinError(Exception):
    """Base of every error that nettwin raises on purpose."""


class InputError(NettwinError):
    """Something that was given to nettwin is wrong."""


class FormatError(InputError):
    """A file that cannot be read: its path, the place in it, the reason and the remedy."""

    def __init__(self, path: object, place: str, reason: str, remedy: str) -> None:
        self.path, self.place, self.reason, self.remedy = str(path), place, reason, remedy
        where = f"{path}, {place}" if place else f"{path}"
        super().__init__(f"{where}: {reason.rstrip('.')}. {remedy}")


class ScenarioError(InputError):
    """A scenario that contradicts itself; `issues` lists everything found, not the first only."""

    shown = 20

    def __init__(self, issues: Sequence[ValidationIssue]) -> None:
        self.issues = tuple(issues)
        lines = [f"  - {issue}" for issue in self.issues[: self.shown]]
        if len(self.issues) > self.shown:
            lines.append(f"  ... and {len(self.issues) - self.shown} more")
        noun = "issue" if len(self.issues) == 1 else "issues"
        super().__init__(f"{len(self.issues)} {noun} in the scenario:\n" + "\n".join(lines))


class ChangeError(InputError):
    """A change that cannot be applied to the scenario it was given."""


class UnknownNameError(InputError):
    """A name that nothing has; the message offers the nearest known names."""

    def __init__(self, kind: str, name: object, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(known)
        near = difflib.get_close_matches(str(name), self.known, n=3, cutoff=0.5)
        shown = near or list(self.known[:8])
        more = "" if near or len(self.known) <= len(shown) else f" and {len(self.known) - 8} more"
        hint = "did you mean" if near else "known are"
        listed = ", ".join(shown) if shown else "none"
        super().__init__(f'there is no {kind} "{name}"; {hint}: {listed}{more}')


class AmbiguousNameError(InputError):
    """A name that several elements answer to; the message lists what each is called."""

    def __init__(self, kind: str, name: object, choices: Sequence[str], remedy: str) -> None:
        self.kind, self.name, self.choices = kind, name, tuple(choices)
        shown = ", ".join(self.choices[:8])
        more = f" and {len(self.choices) - 8} more" if len(self.choices) > 8 else ""
        super().__init__(f'{kind} "{name}" is several: {shown}{more}. {remedy}')


class NetworkError(NettwinError):
    """A network that does not do what it is asked: a device does not answer or refuses, routes do
    not become stable, something that is needed is not installed."""


class ApplyError(NetworkError):
    """A change plan that was not applied. `undone` tells whether the network is again as before."""

    def __init__(self, message: str, *, undone: bool) -> None:
        self.undone = undone
        super().__init__(message)

    def __reduce__(self) -> Any:  # so that it can come from another process
        return partial(ApplyError, undone=self.undone), (str(self),)


class SourceError(NetworkError):
    """A source of telemetry that does not answer, or not with what it should."""


class ServerError(NettwinError):
    """A server of nettwin that refuses or does not answer. `status` is that of HTTP, 0 where
    nothing came; `problem` is what it told (RFC 9457)."""

    def __init__(
        self, message: str, status: int = 0, problem: Mapping[str, Any] | None = None
    ) -> None:
        self.status, self.problem = status, dict(problem or {})
        super().__init__(message)


class BusyError(NettwinError):
    """Another process holds what may have one user only."""


class UnsupportedError(NettwinError):
    """A model that must not be trusted with a scenario; `reasons` says why."""

    def __init__(self, model: str, reasons: Sequence[str]) -> None:
        self.model, self.reasons = model, tuple(reasons)
        super().__init__(
            f"the engine {model} does not support this scenario: " + "; ".join(reasons)
        )


class MissingExtraError(NettwinError):
    """An optional dependency that is not installed; the message gives the command."""

    def __init__(self, what: str, extra: str) -> None:
        self.extra = extra
        super().__init__(f"{what} needs an extra: pip install 'nettwin[{extra}]'")
