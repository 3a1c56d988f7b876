"""The group of commands, and the options that they share."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Annotated

from nettwin.errors import InputError
from nettwin.formats import read
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import workspaces as w
from nettwin.interfaces.cli.program import subcommands
from nettwin.scenario.scenario import Scenario
from nettwin.telemetry.polling import Polled
from nettwin.telemetry.source import ALWAYS_S, Source

_AGO = re.compile(r"(\d+(?:\.\d+)?)(s|m|min|h|d)")
_UNITS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}

group = subcommands(
    "data",
    "Telemetry of a network: what a source tells, what is wrong with it, and the history of it.",
    "nettwin data sources",
    "nettwin data check source.yaml --network network.yaml",
    "nettwin data collect source.yaml --workspace twin",
    "nettwin data links --workspace twin",
)

SourceFileArg = Annotated[
    Path,
    o.argument(metavar="SOURCE", help="The YAML file that names a source."),
]
FolderOption = Annotated[
    Path | None,
    o.given(
        "--folder", metavar="DIR", help="Where paths in SOURCE start from. Default: its own folder."
    ),
]
SinceOption = Annotated[
    str | None,
    o.given(
        "--since",
        metavar="TIME",
        help="From when (UTC); or how long ago, such as 6h. Default: where the history ends, or 1h;"
        " of files all.",
    ),
]
UntilOption = Annotated[
    str | None,
    o.given("--until", metavar="TIME", help="Until when (UTC). Default: now."),
]


ForOption = Annotated[
    str | None,
    o.given(
        "--for",
        metavar="TIME",
        help="How long a source is polled that keeps nothing (snmp), such as 10m. Default: once;"
        " of check and map twice its interval.",
    ),
]


NetworkOption = Annotated[
    str | None,
    o.given(
        "--network",
        metavar="FILE",
        help="The network, in any known format. Default: that of the workspace.",
    ),
]
HOUR_S = 3600.0


def network_of(network: str | None, workspace: Path) -> Scenario:
    """The network that is named, or that of the workspace."""
    return read(network).scenario if network else w.opened(workspace).network_now


def span_of(
    opening: Source,
    since: str | None,
    until: str | None,
    usual_s: float | None = None,
    lasting: str | None = None,
) -> tuple[float, float]:
    """From when and until when a source is read: what is asked for; else of a live one from
    `usual_s`, an hour ago if it is None, and all of files. One that is polled is read from now on,
    `lasting` so long. Raises InputError."""
    now_s = time.time()
    if isinstance(opening, Polled):
        if since:
            raise InputError("a source that is polled tells nothing of the past. Leave --since.")
        usual = now_s + 2.5 * opening.every_s
        return now_s, moment_of(until, now_s + _seconds(lasting) if lasting else usual)
    if lasting:
        raise InputError("--for is of sources that are polled, such as snmp. Give --since.")
    begin_s, end_s = ALWAYS_S
    if opening.live:
        begin_s, end_s = now_s - HOUR_S if usual_s is None else min(usual_s, now_s), now_s
    begin_s, end_s = moment_of(since, begin_s), moment_of(until, end_s)
    if begin_s > end_s or (begin_s == end_s and since and until):
        raise InputError("--since must be before --until. Correct one of them.")
    return begin_s, end_s


def moment_of(text: str | None, usual_s: float) -> float:
    """A time, or how long ago (`90m`, `6h`, `7d`), in seconds since 1970. Raises InputError."""
    if text is None:
        return usual_s
    if ago := _AGO.fullmatch(text):
        return time.time() - float(ago[1]) * _UNITS[ago[2]]
    return w.time_of(text)


def _seconds(text: str) -> float:
    """How long, such as 10m. Raises InputError."""
    if match := _AGO.fullmatch(text):
        return float(match[1]) * _UNITS[match[2]]
    raise InputError(f"--for {text}: must be a time such as 90s, 10m or 6h. Correct it.")
