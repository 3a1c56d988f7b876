"""NetworkMap: the canvas on which a network is drawn, as an element of a page."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import numpy as np
from nicegui.element import Element

from nettwin.interfaces.web.map.layers import Paint


class NetworkMap(Element, component="network_map.js"):
    """A network on a canvas: half-links with colors, numbers and marks.

    The topology is fetched from `url` (see `topology.document`), country outlines from `outlines`.
    """

    def __init__(self, url: str, outlines: str, label: str) -> None:
        super().__init__()
        self._props["url"] = url
        self._props["outlines"] = outlines
        self._props["label"] = label
        self.classes("nt-map")

    def paint(self, paint: Paint) -> None:
        """Color the links."""
        self.run_method(
            "paint",
            {
                "color": _base64(paint.step.astype(np.uint8)),
                "value": _base64(paint.value.astype("<f4")),
                "mark": _base64(paint.mark.astype(np.uint8)),
                "node": _base64(paint.node.astype(np.uint8)),
                "palette": list(paint.layer.palette),
                "unit": paint.layer.suffix,
                "digits": paint.layer.digits,
            },
        )

    def load(self, url: str) -> None:
        """Show another topology, or the same with other links up."""
        self._props["url"] = url
        self.run_method("load", url)

    def choose(self, kind: str, index: int) -> None:
        """Ring a link or a node; none where `kind` is empty."""
        self.run_method("choose", kind, index)

    def only(self, steps: list[int] | None) -> None:
        """Show the links of some steps of the palette; all where it is None."""
        self.run_method("only", steps)

    def fit(self) -> None:
        """Show all of the network."""
        self.run_method("fit")

    def show_node(self, index: int) -> None:
        """Bring a node to the middle."""
        self.run_method("showNode", index)

    def on_pick(self, handler: Callable[[str, int], Any]) -> None:
        """Call a function with what is clicked: `link` or `node` and its number; empty and -1 where
        nothing is."""
        self.on("pick", lambda event: handler(event.args["kind"], int(event.args["index"])))


def _base64(values: np.ndarray[Any, Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")
