"""Programs: Python code in a process of its own."""

from __future__ import annotations

import subprocess
import sys


def printed(code: str) -> str:
    """What code prints, in a new process; it must succeed."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
