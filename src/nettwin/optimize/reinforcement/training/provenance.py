"""Provenance: which version of nettwin trained an agent, and from which commit."""

from __future__ import annotations

import subprocess
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path


def version() -> str:
    """The version of nettwin."""
    try:
        return installed("nettwin")
    except PackageNotFoundError:
        return ""


def commit() -> str:
    """The commit of the source, with a `+` where files of the agents differ from it; empty where
    unknown."""
    here = Path(__file__).parents[1]
    try:
        found = _git(here, "rev-parse", "HEAD")
        return found + ("+" if _git(here, "status", "--porcelain", "--", ".") else "")
    except (OSError, subprocess.SubprocessError):
        return ""


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", *words], cwd=folder, capture_output=True, text=True, check=True, timeout=10
    )
    return done.stdout.strip()
