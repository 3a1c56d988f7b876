"""Curves: what a training went through, JSON lines in a file, and TensorBoard where it is there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from nettwin.formats.files import write_text

NAME = "curve.jsonl"


class Curves:
    """Appends to `curve.jsonl` in a folder; what lies beyond the step to go on from is cut off."""

    def __init__(self, folder: Path, step: int) -> None:
        self.path = folder / NAME
        write_text(self.path, "".join(f"{line}\n" for line in _until(self.path, step)))
        self.file = self.path.open("a", encoding="utf-8")
        self.board = _board(folder / "tensorboard", step)

    def add(self, step: int, values: Mapping[str, float | str]) -> None:
        """The values at a step; words are for the file alone."""
        if not values:
            return
        self.file.write(json.dumps({"step": step, **values}) + "\n")
        self.file.flush()
        if self.board is not None:
            for name, value in values.items():
                if not isinstance(value, str):
                    self.board.add_scalar(name, value, step)

    def flush(self) -> None:
        """Everything to the disk."""
        self.file.flush()
        if self.board is not None:
            self.board.flush()

    def __enter__(self) -> Curves:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.file.close()
        if self.board is not None:
            self.board.close()


def _until(path: Path, step: int) -> list[str]:
    """The lines of a curve up to a step; one that was cut short ends it."""
    kept: list[str] = []
    if step and path.exists():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                if int(json.loads(line)["step"]) > step:
                    break
            except (ValueError, KeyError, TypeError):
                break
            kept.append(line)
    return kept


def _board(folder: Path, step: int) -> Any:
    """A writer for TensorBoard; None where it is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=step or None)
