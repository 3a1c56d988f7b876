"""nettwin serve --demo: a live network that is simulated, in a folder that goes again."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from nettwin.errors import NettwinError
from nettwin.interfaces.cli.output import Output

if TYPE_CHECKING:
    from nettwin.interfaces.server.demo.scene import Scene
    from nettwin.interfaces.server.desk import Desk
    from nettwin.interfaces.server.run import Serving


def serve_demo(output: Output, serving: Serving, workers: int) -> None:
    """Serve the demo until Ctrl-C; with CI=true until page, API and loop have answered."""
    from nettwin.interfaces.server.demo.scene import PACE_S, make
    from nettwin.interfaces.server.desk import open_desk
    from nettwin.interfaces.server.run import serve

    alone = os.environ.get("CI", "").lower() in ("1", "true")
    failed: list[str] = []
    over = threading.Event()
    with tempfile.TemporaryDirectory(prefix="nettwin-demo-") as folder:
        scene = make(Path(folder) / "twin")
        desk = open_desk(scene.workspace.folder, workers=workers, pace_s=PACE_S)

        def told(address: str) -> None:
            _say(output, desk, scene, address)
            if alone:
                arguments = (output, desk, scene, address, failed, over)
                threading.Thread(target=_visited, args=arguments, daemon=True).start()

        serve(desk, replace(serving, port=_free(serving)), told=told, until=over)
    if failed:
        raise NettwinError(failed[0])


def _free(serving: Serving) -> int:
    """The port that was asked for, or one that is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((serving.host, serving.port))
        except OSError:
            return 0
    return serving.port


def _say(output: Output, desk: Desk, scene: Scene, address: str) -> None:
    """Where to go, and as whom."""
    from nettwin.interfaces.server.demo.scene import APPROVER, OPERATOR

    output.show(Text(f"nettwin serves the NSFNET demo at {address}", "bold"))
    for name, does in (
        (OPERATOR, "operator: looks, breaks, asks, optimizes, applies"),
        (APPROVER, "approver: approves plans of others (open it in a private window)"),
    ):
        link = f"{address}/login?code={desk.access.link(name)}&next=%2F%3Ftour%3D1"
        output.show(Text.assemble((f"  {name}, {does}\n", ""), (f"  {link}", "cyan")))
    output.show(
        Text(
            "Each link works once; a link's hour over, start again. The engines compile the first"
            " time on a machine, half a minute or so; the page says so. Ctrl-C ends all of it."
        )
    )


def _visited(
    output: Output,
    desk: Desk,
    scene: Scene,
    address: str,
    failed: list[str],
    over: threading.Event,
) -> None:
    """Visit the server, tell what answered, and end it."""
    from nettwin.interfaces.server.demo.scene import OPERATOR
    from nettwin.interfaces.server.demo.visit import visit

    try:
        for words in visit(address, scene.tokens[OPERATOR], desk):
            output.show(Text(words))
    except NettwinError as error:
        failed.append(str(error))
    finally:
        over.set()
