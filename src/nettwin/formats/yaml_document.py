"""YAML documents: read within limits, with the line of everything for errors.

No tags become objects; size, depth and the growth of a document by its aliases are bounded.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.composer import Composer
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent
from ruamel.yaml.nodes import Node
from ruamel.yaml.reader import ReaderError

from nettwin.errors import FormatError
from nettwin.formats.files import read_text

LARGEST_BYTES = 32 * 2**20
DEEPEST = 40
MAX_VALUES = 5_000_000  # aliases counted as often as they are used


def load_yaml(path: Path) -> CommentedMap:
    """The mapping that a YAML file holds. Raises FormatError with the line where it is none."""
    return parse_yaml(read_text(path), path)


def parse_yaml(text: str, path: Path) -> CommentedMap:
    """The mapping that YAML text holds; errors name `path`. Raises FormatError, with the line."""
    if len(text) > LARGEST_BYTES:
        raise FormatError(
            path, "", f"is larger than {LARGEST_BYTES >> 20} MiB of YAML", "Use CSV tables for it."
        )
    yaml = YAML(typ="rt", pure=True)
    yaml.Composer = _LimitedComposer
    yaml.Constructor = _PlacingConstructor
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of style: anchors used twice, numbers of YAML 1.1
            document = yaml.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}" if mark else ""
        reason = _one_line(error.problem or error.context or "is not valid YAML")
        raise FormatError(path, place, reason, "Correct the YAML there.") from None
    except ReaderError as error:
        place = f"line {text.count(chr(10), 0, error.position) + 1}"
        code = error.character if isinstance(error.character, int) else ord(error.character)
        reason = f"holds the control character U+{code:04X}"
        raise FormatError(path, place, reason, "Remove it, or save the file as text.") from None
    except (YAMLError, ValueError, OverflowError, TypeError, AttributeError, KeyError) as error:
        # ruamel.yaml lets what Python raises on strange keys and escapes pass
        reason = f"is not valid YAML ({_one_line(error)})"
        raise FormatError(path, "the document", reason, "Correct the file.") from None
    if not isinstance(document, CommentedMap):
        found = "a list" if isinstance(document, CommentedSeq) else "no mapping"
        raise FormatError(path, "line 1", f"holds {found}", "Begin with a line `key: value`.")
    return document


def line_of(container: Any, key: object = None) -> str:
    """The place of a mapping or list, or of what it holds at a key, as `line 7`; empty if unknown.

    Lines are those of the file, counted from 1.
    """
    marks = getattr(container, "lc", None)
    if marks is None:
        return ""
    try:
        line = marks.line if key is None else marks.data[key][0]
    except (KeyError, TypeError, IndexError):
        line = marks.line
    return "" if line is None else f"line {line + 1}"


class _LimitedComposer(Composer):
    """Counts what it composes; an alias counts as all that it stands for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._depth = 0
        self._values = 0
        self._size: dict[int, int] = {}  # of each finished node, by id; nodes live on in anchors

    def compose_node(self, parent: Any, index: Any) -> Node:
        event = self.parser.peek_event()
        if self._depth >= DEEPEST:
            raise _refusal(f"is nested deeper than {DEEPEST} levels", event)
        if isinstance(event, AliasEvent):
            node: Node = super().compose_node(parent, index)
            if id(node) not in self._size:
                raise _refusal(f"the alias *{event.anchor} stands inside what it stands for", event)
            self._values += self._size[id(node)]
        else:
            before = self._values
            self._values += 1
            self._depth += 1
            node = super().compose_node(parent, index)
            self._depth -= 1
            if node.anchor:
                self._size[id(node)] = self._values - before
        if self._values > MAX_VALUES:
            raise _refusal(f"grows to more than {MAX_VALUES:,} values by its aliases", event)
        return node


class _PlacingConstructor(RoundTripConstructor):
    """Gives the line where a scalar cannot be what it claims to be, such as `2001-99-99`."""

    def construct_object(self, node: Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError, TypeError, AttributeError, KeyError) as error:
            raise _refusal(f"the value cannot be read ({_one_line(error)})", node) from None


def _refusal(problem: str, where: Any) -> MarkedYAMLError:
    return MarkedYAMLError(problem=problem, problem_mark=where.start_mark)


def _one_line(text: object) -> str:
    return " ".join(str(text).split())
