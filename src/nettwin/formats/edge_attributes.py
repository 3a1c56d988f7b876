"""Edge attributes: what the names and values of an edge's attributes say for sure: those of the
Internet Topology Zoo and those that say their unit. A number whose unit is not said is not used.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from nettwin import units
from nettwin.errors import FormatError, InputError
from nettwin.quantity import Quantity
from nettwin.scenario.generate import LIGHT_IN_FIBER_M_PER_S
from nettwin.scenario.topology import LINK

LARGEST = 1e18  # of a rate in bit/s, a delay in s or a weight
SHOWN = 3

_WEIGHT = (
    "igpweight",
    "igpmetric",
    "igpcost",
    "ospfcost",
    "ospfweight",
    "isismetric",
    "metric",
    "weight",
)
_RATE_TEXT = ("linkspeed", "capacity", "bandwidth", "bw", "speed", "linklabel", "label")
# the Topology Zoo writes a rate four times over
_SAME_RATE = ("linkspeed", "linkspeedunits", "linklabel", "linkspeedraw")
_RATE_NAME = re.compile(r"(?:link)?(?:capacity|bandwidth|bw|rate|speed)([kmgt]?)(?:bps|bits|bitps)")
# a one-letter unit must stand apart, so that `delays` is not a delay in seconds
_DELAY_NAME = re.compile(
    r"(?:link|propagation)?[\W_]*(?:delay|latency)(?:[\W_]+(s)|[\W_]*(ms|us|ns))[\W_]*"
)
_LENGTH_NAME = re.compile(r"(?:link)?[\W_]*(?:length|distance|dist)(?:[\W_]+(m)|[\W_]*(km))[\W_]*")
_DELAY_TEXT = ("delay", "latency", "linkdelay", "propagationdelay")
# names that say what they hold, unlike labels: what they say is read, or it is wrong
_EXAMPLES = {
    **dict.fromkeys(("capacity", "bandwidth", "bw"), "a rate such as 10G"),
    **dict.fromkeys(_DELAY_TEXT, "a time such as 5ms"),
}
_PREFIX = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}

_COUNT = re.compile(r"(\d{1,3})\s*[x*]\s*(?=\S)", re.IGNORECASE)
_RATE = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)\s*([kMGT])((?:bit/s|bits/s|bps|b/s|bits?|b|E|bE)?)")
_RATE_LOOSE = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)\s*([kmgt])(bps|bit/s|bits/s)", re.IGNORECASE)
_SDH = re.compile(r"(STM|OC|STS)-?\s?(\d{1,4})c?", re.IGNORECASE)
_SDH_BPS = {"STM": 155.52e6, "OC": 51.84e6, "STS": 51.84e6}
_LINES = {  # lines of one rate each: ITU-T G.702, IEEE 802.3
    "T1": 1.544e6,
    "DS1": 1.544e6,
    "E1": 2.048e6,
    "E3": 34.368e6,
    "T3": 44.736e6,
    "DS3": 44.736e6,
    "FAST ETHERNET": 100e6,
    "GIGABIT ETHERNET": 1e9,
    "GIGE": 1e9,
    "GBE": 1e9,
}


class Origin(NamedTuple):
    """Which attribute said what about an edge, and in which words."""

    what: str
    attribute: str
    text: str


class EdgeFacts(NamedTuple):
    """What the attributes of an edge say; NaN where they say nothing, and how it was said."""

    capacity_bps: float
    delay_s: float
    weight: float
    origins: tuple[Origin, ...]
    used: frozenset[str]  # names of attributes
    unclear: tuple[str, ...]  # such as 'LinkLabel "10-20Gbps"'


def edge_facts(attributes: Mapping[str, str], path: Path, place: str) -> EdgeFacts:
    """What the attributes of an edge say. Raises FormatError on a number that cannot be one."""
    found = _Facts(path, place, attributes)
    return EdgeFacts(
        found.capacity(),
        found.delay(),
        found.weight(),
        tuple(found.origins),
        frozenset(found.used),
        tuple(found.unclear),
    )


def origin_words(origins: Iterable[Origin]) -> Iterator[str]:
    """What was read from which attribute, in words."""
    texts: dict[tuple[str, str], Counter[str]] = {}
    for what, attribute, text in origins:
        texts.setdefault((what, attribute), Counter())[text] += 1
    for (what, attribute), found in texts.items():
        count = found.total()
        noun = "edge" if count == 1 else "edges"
        shown = ", ".join(short(text) for text, _ in found.most_common(SHOWN))
        yield f"{what} of {count} {noun}: what {attribute} says ({shown})"


def number(text: str, path: Path, place: str, name: str, quantity: Quantity) -> float:
    """A number in the range of a quantity. Raises FormatError that names the attribute."""
    try:
        value = math.nan if "_" in text else float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise FormatError(path, place, f"{name} is {short(text)}", "It must be a finite number.")
    if not quantity.valid(value):
        raise FormatError(
            path, place, f"{name} is {short(text)}: {quantity.allowed}", "Correct it, or remove it."
        )
    return value


def label_rate_bps(text: str) -> float:
    """The rate that a label such as `10 Gbps`, `2x2.5G`, `STM-16` or `OC-48` surely means; else
    NaN."""
    label = " ".join(text.split())
    times = 1.0
    if count := _COUNT.match(label):
        times, label = float(count[1]), label[count.end() :]
    if rate := _RATE.fullmatch(label) or _RATE_LOOSE.fullmatch(label):
        return times * float(rate[1]) * _PREFIX[rate[2].lower()] or math.nan
    if sdh := _SDH.fullmatch(label):
        return times * float(sdh[2]) * _SDH_BPS[sdh[1].upper()] or math.nan
    return times * _LINES.get(label.upper(), math.nan)


def _rate_bps(text: str) -> float:
    """A rate with its unit, above 0; NaN for anything else."""
    try:
        rate = math.nan if is_number(text) else units.rate_bps(text)
    except InputError:
        return math.nan
    return rate if 0 < rate <= LARGEST else math.nan


def is_number(text: str) -> bool:
    """Whether a text is a finite number without a unit."""
    try:
        return len(text) < 400 and math.isfinite(float(text))
    except ValueError:
        return False


def plain_name(name: str) -> str:
    """An attribute's name in lower case without signs: `Link_Speed` and `linkSpeed` are one."""
    return re.sub(r"[\W_]+", "", name).lower()


def short(text: str) -> str:
    """A value for an error, quoted and cut."""
    return repr(text if len(text) <= 40 else text[:37] + "...")


class _Facts:
    """Reads the attributes of one edge, noting what was used and what is not certain."""

    def __init__(self, path: Path, place: str, attributes: Mapping[str, str]) -> None:
        self._path, self._place, self._attributes = path, place, attributes
        self._plain = {plain_name(name): name for name in attributes}
        self.origins: list[Origin] = []
        self.used: set[str] = set()
        self.unclear: list[str] = []

    def capacity(self) -> float:
        found = self._capacity()
        if not math.isnan(found):
            self.used |= {self._plain[plain] for plain in _SAME_RATE if plain in self._plain}
        return found

    def _capacity(self) -> float:
        for plain, name in self._plain.items():
            match = _RATE_NAME.fullmatch(plain)
            if (match or plain == "linkspeedraw") and self._attributes[name].strip():
                factor = _PREFIX[match[1]] if match else 1.0
                return self._take("capacity", name, LINK["capacity_bps"], factor)
        return self._capacity_of_text()

    def _capacity_of_text(self) -> float:
        unit = self._attributes.get(self._plain.get("linkspeedunits", ""), "")
        for plain in _RATE_TEXT:
            name = self._plain.get(plain)
            if name is None or not (text := self._attributes[name].strip()):
                continue
            rate = label_rate_bps(text + unit if plain == "linkspeed" else text)
            if math.isnan(rate) and plain in _EXAMPLES:
                rate = _rate_bps(text)
            if math.isfinite(rate):
                self.used.add(name)
                said = f"{text} {unit}".strip() if plain == "linkspeed" else text
                self.origins.append(Origin("capacity", name, said))
                return rate
            self._doubt(name)
        return math.nan

    def delay(self) -> float:
        what = "propagation delay"
        for name in (n for n, text in self._attributes.items() if text.strip()):
            if match := _DELAY_NAME.fullmatch(name.lower()):
                factor = units.TIMES[match[1] or match[2]]
                return self._take(what, name, LINK["delay_s"], factor)
            if match := _LENGTH_NAME.fullmatch(name.lower()):
                factor = (1.0 if match[1] else 1e3) / LIGHT_IN_FIBER_M_PER_S
                return self._take(f"{what} (light in fiber)", name, LINK["delay_s"], factor)
        for plain in _DELAY_TEXT:
            named = self._plain.get(plain)
            if named is None or not (text := self._attributes[named].strip()):
                continue
            try:
                delay = units.time_s(text) if text[-1].isalpha() else math.nan
            except InputError:
                delay = math.nan
            if 0 <= delay <= LARGEST:
                self.used.add(named)
                self.origins.append(Origin(what, named, text))
                return delay
            self._doubt(named)
        return math.nan

    def weight(self) -> float:
        name = next((self._plain[plain] for plain in _WEIGHT if plain in self._plain), None)
        if name is None or not self._attributes[name].strip():
            return math.nan
        return self._take("IGP weight", name, LINK["weight"], 1.0)

    def _take(self, what: str, name: str, quantity: Quantity, factor: float) -> float:
        value = number(self._attributes[name], self._path, self._place, name, quantity) * factor
        if value > LARGEST:
            reason = f"{name} is {short(self._attributes[name])}, too large for any network"
            raise FormatError(self._path, self._place, reason, "Correct it, or remove it.")
        self.used.add(name)
        self.origins.append(Origin(what, name, self._attributes[name].strip()))
        return value

    def _doubt(self, name: str) -> None:
        """Note a value that says nothing certain. Raises FormatError where it had to say what its
        name tells; a number alone is certain but for its unit."""
        text, example = self._attributes[name].strip(), _EXAMPLES.get(plain_name(name))
        if example and not is_number(text):
            reason = f"{name} is {short(text)}: must be {example}"
            raise FormatError(self._path, self._place, reason, "Correct it, or remove it.")
        self.used.add(name)
        self.unclear.append(f"{name} {short(self._attributes[name].strip())}")
