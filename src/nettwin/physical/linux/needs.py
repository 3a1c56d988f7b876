"""Needs: what a machine must have to run the linux network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

FRR = Path("/usr/lib/frr")
KERNEL = {"ipv4": "IPv4", "ipv6": "IPv6", "ipv6/conf/all/seg6_enabled": "SRv6"}
NAMESPACES = ("unshare", "--net", "--mount", "--pid", "--mount-proc", "--fork")


@cache
def missing() -> str:
    """What this machine lacks for routers of Linux, with the remedy; empty where it has all."""
    if not sys.platform.startswith("linux"):
        return "the linux network needs Linux. Use the simulated network."
    if os.geteuid() != 0:
        return "the linux network needs root. Run it as root, or use the simulated network."
    for daemon in ("zebra", "ospfd"):
        if not (FRR / daemon).exists():
            return f"the linux network needs FRR, and {FRR / daemon} is missing. Install frr."
    if find_spec("pyroute2") is None:
        return "the linux network needs pyroute2. Install it with: pip install 'nettwin[live]'."
    if shutil.which("unshare") is None:
        return "the linux network needs the program unshare. Install util-linux."
    for folder, what in KERNEL.items():
        if not Path("/proc/sys/net", folder).exists():
            return f"the linux network needs a kernel with {what}. Use another kernel."
    tried = subprocess.run([*NAMESPACES, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        return (
            f"the linux network needs namespaces, and this machine gives none"
            f" ({tried.stderr.strip()}). Run it where they may be made."
        )
    return ""
