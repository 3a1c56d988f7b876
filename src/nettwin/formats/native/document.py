"""Document: a YAML or JSON text as plain data, and the line of everything in it.

Network files, intents, changes and change plans are read by it. YAML is taken from the events of
ruamel's parser and never constructed: there are no tags, no anchors and aliases (a few lines of
which can stand for gigabytes) and no objects. Scalars follow the core schema of YAML 1.2, so that
`no` and `on` are text.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nettwin.errors import FormatError
from nettwin.formats.native.rows import Lifted, lifted

Place = tuple[str | int, ...]

LARGEST_YAML_CHARACTERS = 32 * 2**20
DEEPEST = 24
LONGEST_TEXT = 65536
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,30})")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
_JSON_GAP = re.compile(r"[ \t\n\r,:]*")


class Table(dict[str, Any]):
    """A mapping that remembers which keys were given twice."""

    repeated: tuple[str, ...] = ()


class Document:
    """A text that was read: its data, and where each part of it stands."""

    def __init__(self, path: Path, text: str) -> None:
        self.path, self._text = path, text
        self._lines: dict[Place, int] | None = None
        self._is_json = text.lstrip()[:1] in ("{", "[")
        self.data: Any = None
        if self._is_json:
            try:
                self.data = json.loads(text, object_pairs_hook=_table)
            except (ValueError, RecursionError) as error:
                self._is_json = False
                if path.name.lower().endswith(".json") or isinstance(error, RecursionError):
                    raise _json_error(path, error) from None
        self._lifted: Lifted | None = None
        if not self._is_json:
            self._read_yaml()

    def line(self, place: Place) -> int | None:
        """The line of a part, counted from 1; the nearest part around it where it is not there."""
        if self._is_json:
            return self._text.count("\n", 0, _json_offset(self._text, place)) + 1
        apart = self._lifted
        if apart is not None and place[:1] == ("flows",) and len(place) > 1:
            before = apart.items[: int(place[1])]
            if apart.items[len(before)]:
                return apart.row_line[sum(before)]
            place = ("flows", len(before) - sum(before), *place[2:])
        if self._lines is None:
            self._lines = {}
            _yaml(self.path, self._text if apart is None else apart.text, self._lines)
        for end in range(len(place), -1, -1):
            if place[:end] in self._lines:
                found = self._lines[place[:end]]
                return found if apart is None else apart.lines[found - 1]
        return None

    def plain(self) -> Any:
        """The data of a document that has no schema. Raises FormatError for a key given twice."""
        self._refuse_repeated(self.data, ())
        return self.data

    def _refuse_repeated(self, value: Any, place: Place) -> None:
        if isinstance(value, Table):
            for key in value.repeated:
                line = self.line((*place, key))
                raise FormatError(
                    self.path, f"line {line}", f"has the key {key} twice", "Keep one of them."
                )
        if isinstance(value, dict):
            for key, part in value.items():
                self._refuse_repeated(part, (*place, key))
        elif isinstance(value, list):
            for number, part in enumerate(value):
                self._refuse_repeated(part, (*place, number))

    def _read_yaml(self) -> None:
        apart = lifted(self._text, frozenset(_SPECIAL))
        if apart is not None:
            try:
                data = _yaml(self.path, apart.text, None)
            except FormatError:
                data = None  # told again with the lines of the whole text
            rest = data.get("flows") if isinstance(data, dict) else None
            if isinstance(rest, list) and len(rest) == apart.items.count(False):
                self.data, self._lifted = data, apart
                data["flows"] = apart.table if not rest else apart.merged(rest)
                return
        self.data = _yaml(self.path, self._text, None)


def _table(pairs: list[tuple[str, Any]]) -> Table:
    table = Table(pairs)
    if len(table) < len(pairs):
        seen: set[str] = set()
        table.repeated = tuple(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return table


def _json_error(path: Path, error: Exception) -> FormatError:
    if isinstance(error, json.JSONDecodeError):
        reason = f"is not valid JSON: {error.msg[:1].lower()}{error.msg[1:]}"
        return FormatError(path, f"line {error.lineno}", reason, "Correct it there or just before.")
    if isinstance(error, RecursionError):
        return FormatError(path, "", "is nested too deep", "Check its brackets.")
    return FormatError(path, "", "holds a number of too many digits", "Write it as 1e9.")


def _json_offset(text: str, place: Place) -> int:
    """Where a part (with its key) begins in JSON text that is known to be sound."""
    at = begin = _skip(text, 0)
    for step in place:
        for key, key_at, value_at in _members(text, at):
            if key == step:
                at, begin = value_at, key_at
                break
        else:
            break
    return begin


def _members(text: str, at: int) -> Iterator[tuple[str | int, int, int]]:
    """The keys (or positions) of a JSON value with where they and their values begin."""
    if text[at] not in "{[":
        return
    decode = json.JSONDecoder().raw_decode
    position, inside = 0, _skip(text, at + 1)
    while text[inside] not in "}]":
        key: str | int = position
        begin = inside
        if text[at] == "{":
            key, inside = decode(text, inside)
            inside = _skip(text, inside)
        yield key, begin, inside
        inside = _skip(text, decode(text, inside)[1])
        position += 1


def _skip(text: str, at: int) -> int:
    gap = _JSON_GAP.match(text, at)
    return gap.end() if gap else at


def _yaml(path: Path, text: str, lines: dict[Place, int] | None) -> Any:
    """The data of YAML text; `lines`, where given, receives the line of each part."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError

    if len(text) > LARGEST_YAML_CHARACTERS:
        limit = LARGEST_YAML_CHARACTERS >> 20
        raise FormatError(path, "", f"is YAML of more than {limit} MiB", "Save it as .json.")
    builder = _Builder(path, YAML(typ="safe", pure=True).parse(text), lines)
    try:
        return builder.document()
    except FormatError:
        raise
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}" if mark else ""
        raise FormatError(
            path,
            place,
            f"is not valid YAML: {error.problem or error.context}",
            "Correct it there or just before; quote text with special characters.",
        ) from None
    except Exception as error:
        # the parser lets slip errors of many kinds on hostile text
        reason = str(getattr(error, "reason", "")) or "it cannot be parsed"
        raise FormatError(
            path, f"line {builder.at}", f"is not valid YAML: {reason}", "Write plain text there."
        ) from None


class _Builder:
    """Builds plain data from parser events."""

    def __init__(self, path: Path, events: Iterator[Any], lines: dict[Place, int] | None) -> None:
        self.path, self.events, self.lines = path, events, lines
        self.at = 1  # the line it has come to

    def document(self) -> Any:
        from ruamel.yaml import events as kinds

        data, documents = None, 0
        for event in self.events:
            if isinstance(event, kinds.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._error(event, "begins a second document", "Keep one a file.")
                data = self._value(next(self.events), ())
        return data

    def _error(self, event: Any, reason: str, remedy: str) -> FormatError:
        return FormatError(self.path, f"line {event.start_mark.line + 1}", reason, remedy)

    def _value(self, event: Any, place: Place) -> Any:
        from ruamel.yaml import events as kinds

        self.at = event.start_mark.line + 1
        if self.lines is not None:
            self.lines.setdefault(place, self.at)
        if isinstance(event, kinds.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise self._error(
                event, "has an anchor or alias (& or *)", "Repeat the text, or quote it."
            )
        if getattr(event, "tag", None) not in (None, "!"):
            raise self._error(event, f"has the tag {event.tag}", "Remove it, or quote the text.")
        if len(place) > DEEPEST:
            raise self._error(event, "is nested too deep", "Check its brackets and indents.")
        if isinstance(event, kinds.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, kinds.SequenceStartEvent):
            items: list[Any] = []
            while not isinstance(event := next(self.events), kinds.SequenceEndEvent):
                items.append(self._value(event, (*place, len(items))))
            return items
        pairs: list[tuple[str, Any]] = []
        while not isinstance(event := next(self.events), kinds.MappingEndEvent):
            if not isinstance(event, kinds.ScalarEvent):
                raise self._error(event, "has a key that is not text", "Write `key: value`.")
            key = event.value
            self._value(event, (*place, key))  # notes its line, refuses anchors and tags
            pairs.append((key, self._value(next(self.events), (*place, key))))
        return _table(pairs)

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        if len(text) > LONGEST_TEXT:
            reason = f"is a text of {len(text)} characters, at most {LONGEST_TEXT} are allowed"
            raise self._error(event, reason, "Shorten it.")
        if event.style is not None:  # in quotes, or a block
            return text
        if text in _SPECIAL:
            return _SPECIAL[text]
        if _INT.fullmatch(text):
            return int(text)
        return float(text) if _plain_float(text) else text


def _plain_float(text: str) -> bool:
    # 007 is a name rather than the number 7
    return bool(_FLOAT.fullmatch(text)) and not re.fullmatch(r"[-+]?0[0-9]+", text)
