"""Interface names: which are of one port, and what a name tells of its speed.

Vendors and tools abbreviate: `Hu0/0/0/1` and `HundredGigE0/0/0/1` are one port.
"""

from __future__ import annotations

import re

SEPARATOR = ":"  # between the device and the port in the name of a link
MIN_LETTERS = 2  # of an abbreviation
_NAME = re.compile(r"([A-Za-z][A-Za-z-]*?)[ _-]?(\d.*)?")
_GIGABITS = (  # what the letters of an interface begin with: its speed
    ("eighthundredgig", 800.0),
    ("fourhundredgig", 400.0),
    ("twohundredgig", 200.0),
    ("hundredgig", 100.0),
    ("fiftygig", 50.0),
    ("fortygig", 40.0),
    ("twentyfivegig", 25.0),
    ("tengig", 10.0),
    ("twogig", 2.5),
    ("gigabit", 1.0),
    ("fastethernet", 0.1),
    ("hu", 100.0),
    ("fo", 40.0),
    ("te", 10.0),
    ("gi", 1.0),
    ("xe", 10.0),
    ("ge", 1.0),
)
_MANAGEMENT = re.compile(r"(mgmt|management|fxp)", re.IGNORECASE)
_WHOLE = ("hu", "fo", "te", "gi", "xe", "ge")  # which stand alone, not for what begins so


def is_management(interface: str) -> bool:
    """Whether an interface is for management alone, by its name."""
    return bool(_MANAGEMENT.match(interface.strip()))


def port_name(device: str, interface: str) -> str:
    """The name of the link that leaves from a port."""
    return f"{device}{SEPARATOR}{interface}"


def split_interface(name: str) -> tuple[str, str]:
    """The letters and the numbers of an interface's name: `Hu0/0/0/1` is `hu`, `0/0/0/1`."""
    match = _NAME.fullmatch(name.strip())
    if not match or not match[2]:
        return name.strip().casefold(), ""
    return match[1].casefold(), match[2].casefold()


def same_interface(one: str, other: str) -> bool:
    """Whether two names are of one interface, where either may be abbreviated."""
    (a, m), (b, n) = split_interface(one), split_interface(other)
    if m != n:
        return False
    short, long = sorted((a, b), key=len)
    return a == b or (len(short) >= MIN_LETTERS and bool(m) and long.startswith(short))


def speed_of(interface: str) -> float | None:
    """The speed in bit/s that the name of an interface tells; None where it tells none."""
    letters, _ = split_interface(interface)
    for begin, gigabits in _GIGABITS:
        if letters == begin if begin in _WHOLE else letters.startswith(begin):
            return gigabits * 1e9
    return None
