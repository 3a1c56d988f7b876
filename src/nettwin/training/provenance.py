"""Provenance: which version of nettwin trained a model or an agent, and from which commit."""

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
    """The commit of the source, with a `+` where files differ from it; empty where unknown."""
    root = Path(__file__).parents[3]
    if not (root / ".git").exists():
        return ""
    try:
        found = _git(root, "rev-parse", "HEAD")
        return found + ("+" if _git(root, "status", "--porcelain", "--", "src") else "")
    except (OSError, subprocess.SubprocessError):
        return ""


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", *words], cwd=root, capture_output=True, text=True, check=True, timeout=10
    )
    return done.stdout.strip()
