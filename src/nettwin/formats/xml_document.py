"""XML documents: read within limits, with the line of every element.

No document type, no entities, nothing fetched from elsewhere; size and depth are bounded.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax import SAXException, SAXParseException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl

from nettwin.errors import FormatError
from nettwin.formats.files import read_bytes

LARGEST_BYTES = 64 * 2**20
DEEPEST = 100
MAX_ELEMENTS = 2_000_000
_PROLOG = re.compile(r"\s++|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*+(?:\[[^\]]*+\]\s*+)?>", re.DOTALL)
_START = re.compile(r"<(?:[\w.-]++:)?([\w.-]++)")


@dataclass(slots=True)
class Element:
    """An element: its name without prefix, its attributes, its own text and its children."""

    name: str
    attributes: dict[str, str]
    line: int
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def child(self, name: str) -> Element | None:
        """The first child of a name, if any."""
        return next(self.all(name), None)

    def all(self, name: str) -> Iterator[Element]:
        """The children of a name."""
        return (child for child in self.children if child.name == name)

    def within(self, name: str) -> Iterator[Element]:
        """The elements of a name at any depth below this one."""
        for child in self.children:
            if child.name == name:
                yield child
            yield from child.within(name)

    @property
    def place(self) -> str:
        """Where it begins, as `line 7`."""
        return f"line {self.line}"


def root_name(head: bytes) -> str:
    """The name of the first element, without prefix, in the beginning of a file; "" if none."""
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    text = head.decode("utf-16" if wide else "latin-1", "ignore").removeprefix("ï»¿")
    at = 0
    while skipped := _PROLOG.match(text, at):
        at = skipped.end()
    start = _START.match(text, at)
    return start[1] if start else ""


def load_xml(path: Path) -> Element:
    """The root element of an XML file. Raises FormatError with the line where it is none."""
    from defusedxml.common import DefusedXmlException
    from defusedxml.expatreader import DefusedExpatParser

    data = read_bytes(path)
    if len(data) > LARGEST_BYTES:
        raise FormatError(path, "", f"is larger than {LARGEST_BYTES >> 20} MiB of XML", "Split it.")
    builder = _Builder(path)
    parser = DefusedExpatParser(forbid_dtd=True)
    parser.setContentHandler(builder)
    try:
        parser.parse(io.BytesIO(data))
    except SAXParseException as error:
        place = f"line {error.getLineNumber()}"
        raise FormatError(path, place, error.getMessage(), "Correct the XML there.") from None
    except DefusedXmlException:
        raise FormatError(
            path,
            f"line {parser.getLineNumber()}",
            "holds a document type or entities, which are not read",
            "Remove the <!DOCTYPE ...> part.",
        ) from None
    except (SAXException, ValueError, LookupError) as error:
        raise FormatError(
            path, "line 1", f"is not valid XML ({error})", "Correct the file."
        ) from None
    if builder.root is None:
        raise FormatError(path, "line 1", "holds no element", "Give an XML file.")
    return builder.root


class _Builder(ContentHandler):
    """Makes the tree of elements, within the limits."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._open: list[tuple[Element, list[str]]] = []
        self._count = 0
        self.root: Element | None = None

    def startElement(self, name: str, attrs: AttributesImpl) -> None:
        line = self._locator.getLineNumber() or 1  # type: ignore[attr-defined]
        self._count += 1
        if len(self._open) >= DEEPEST or self._count > MAX_ELEMENTS:
            reason = (
                f"holds more than {MAX_ELEMENTS:,} elements"
                if self._count > MAX_ELEMENTS
                else f"is nested deeper than {DEEPEST} levels"
            )
            raise FormatError(self._path, f"line {line}", reason, "Give a network file.")
        element = Element(name.rpartition(":")[2], dict(attrs.items()), line)
        if self._open:
            self._open[-1][0].children.append(element)
        else:
            self.root = element
        self._open.append((element, []))

    def characters(self, content: str) -> None:
        self._open[-1][1].append(content)

    def endElement(self, name: str) -> None:
        element, parts = self._open.pop()
        element.text = "".join(parts).strip()
