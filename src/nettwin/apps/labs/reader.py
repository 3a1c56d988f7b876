"""Reader: labs from YAML, with the line of whatever is wrong."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from nettwin.apps.labs.lab import SEES, Fault, Lab, Scoring, Variant, Wrong
from nettwin.errors import FormatError, InputError, UnknownNameError
from nettwin.formats import ImportDefaults, read
from nettwin.formats.files import read_text
from nettwin.formats.intent import intent_from
from nettwin.formats.native.checks import Checks, shown
from nettwin.formats.native.document import Document, Place
from nettwin.formats.native.fields import Element, Field
from nettwin.formats.native.reader import read_native
from nettwin.intent import Intent
from nettwin.intent.check import check
from nettwin.quantity import Quantity
from nettwin.scenario.changes import CHANGES, Change, apply_all, parse_change
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario

CATALOG = Path(__file__).with_name("catalog")
LARGEST_BYTES = 2**20
GENERATED = ("generate", "nodes", "seed", "load", "classes", "scheduler", "arrival")
MINUTES = Quantity("minutes", "", "how long it may take", 20.0, above=0.0, high=600.0)
LEVEL = Quantity("level", "", "how hard it is", 1.0, low=1.0, high=5.0)
POINTS = Quantity("points", "", "points", low=0.0, high=100.0)
VARY = Quantity("vary", "share", "by how much flows differ from seed to seed", 0.0, 0.0, 0.2)
LOAD = Quantity("load", "share", "offered load of the busiest link", 0.6, 0.0, 10.0)


def _element(title: str, *fields: Field) -> Element:
    return Element(title, {field.name: field for field in fields})


_VARIANT = (
    Field("fault", "changes", "what is wrong: changes, hidden where they are no `seen:`"),
    Field("solution", "changes", "changes that solve it"),
    Field("wrong", "wrong", "plausible solutions that must fail"),
)
ELEMENTS = {
    "lab": _element(
        "a lab",
        Field("lab", "name", "its short name", required=True),
        Field("title", "text", "its title", required=True),
        Field("story", "text", "what the learner is told", required=True),
        Field("network", "network", "the healthy network", required=True),
        Field("goals", "intent", "what must hold, as an intent", required=True),
        Field("may", "names", "kinds of changes that may be made", required=True),
        Field("see", "names", f"what is seen: {', '.join(SEES)}"),
        Field("hints", "names", "hints, one after another"),
        Field("debrief", "text", "what is said at the end", required=True),
        Field("minutes", "number", MINUTES.meaning, MINUTES),
        Field("level", "number", LEVEL.meaning, LEVEL),
        Field("score", "score", "points"),
        Field("vary", "number", VARY.meaning, VARY),
        Field("variants", "variants", "other faults of the kind"),
        *_VARIANT,
    ),
    "variant": _element("a variant", *_VARIANT),
    "wrong": _element(
        "a wrong solution",
        Field("why", "text", "why it fails", required=True),
        Field("changes", "changes", "its changes", required=True),
    ),
    "score": _element(
        "a score",
        *(
            Field(name, "number", "points", POINTS)
            for name in ("result", "time", "collateral", "hint", "pass")
        ),
    ),
    "generated": _element("a network", *(Field(name, "any", name) for name in GENERATED)),
}


class Part(Document):
    """A part of a document, as if it were one."""

    def __init__(self, whole: Document, place: Place, data: Any) -> None:
        self.path, self._whole, self._place = whole.path, whole, place
        self.data = data

    def line(self, place: Place) -> int | None:
        return self._whole.line((*self._place, *place))


def lab_names() -> list[str]:
    """The labs that nettwin brings."""
    return sorted(path.stem for path in CATALOG.glob("*.yaml"))


def find_lab(name: str) -> Lab:
    """A lab by its name in the catalog, or by its file. Raises UnknownNameError and FormatError."""
    own = CATALOG / f"{name}.yaml"
    if name in lab_names():
        return read_lab(own)
    if not name.endswith((".yaml", ".yml", ".json")) and not Path(name).exists():
        raise UnknownNameError("lab", name, lab_names())
    return read_lab(Path(name))


def read_lab(path: Path) -> Lab:
    """The lab in a file. Raises FormatError with every issue of it."""
    text = read_text(path, LARGEST_BYTES)
    document = Document(path, text)
    checks = Checks()
    if not isinstance(document.data, dict):
        checks.issue((), "is not a mapping", "Begin with `lab: NAME`; see docs/labs.md.")
        checks.end(document)
    lab = _Reader(document, checks).lab(hashlib.sha256(text.encode()).hexdigest())
    checks.end(document)
    return lab


class _Reader:
    """Reads one lab; issues go to `checks`."""

    def __init__(self, document: Document, checks: Checks) -> None:
        self.document, self.checks = document, checks

    def lab(self, digest: str) -> Lab:
        checks = self.checks
        raw = checks.entry(self.document.data, (), ELEMENTS["lab"])
        checks.end(self.document)  # what is missing is told before anything is made of it
        network = self._network(*raw["network"])
        goals = self._goals(*raw["goals"])
        variants = self._variants(raw, network)
        for k, variant in enumerate(variants):
            self._reachable(goals, network, variant, k)
        may = checks.names(*raw["may"])
        for kind in may:
            if kind not in CHANGES:
                checks.unknown(raw["may"][1], "change", kind, CHANGES)
        sees = checks.names(*raw["see"]) if "see" in raw else SEES
        for word in sees:
            if word not in SEES:
                checks.unknown(raw["see"][1], "thing to see", word, SEES)
        for k, variant in enumerate(variants):
            self._allowed(variant, may, k)

        def number(key: str, quantity: Quantity) -> float:
            return (
                checks.number(*raw[key], quantity) if key in raw else float(quantity.default or 0)
            )

        return Lab(
            name=checks.name(*raw["lab"]),
            title=checks.text(*raw["title"]),
            story=checks.text(*raw["story"]).strip(),
            network=network,
            goals=goals,
            variants=variants,
            debriefing=checks.text(*raw["debrief"]).strip(),
            may=may,
            sees=sees,
            hints=checks.names(*raw["hints"]) if "hints" in raw else (),
            minutes=number("minutes", MINUTES),
            level=round(number("level", LEVEL)),
            scoring=self._scoring(*raw["score"]) if "score" in raw else Scoring(),
            path=self.document.path,
            digest=digest,
            vary=number("vary", VARY),
        )

    def _network(self, value: Any, place: Place) -> Scenario:
        """A file beside the lab, a generated network, or a network file in place."""
        try:
            if isinstance(value, str):
                beside = self.document.path.resolve().parent / value
                return read(str(beside)).scenario
            if isinstance(value, dict) and "generate" in value:
                raw = self.checks.entry(value, place, ELEMENTS["generated"])
                self.checks.end(self.document)
                given = {key: item for key, (item, _) in raw.items() if key != "generate"}
                if "load" in given:
                    given["load"] = self.checks.number(*raw["load"], LOAD)
                return generate(str(value["generate"]), **given)
            return read_native(Part(self.document, place, value), ImportDefaults()).scenario
        except FormatError:
            raise
        except (InputError, TypeError) as error:
            reason, _, remedy = str(error).partition(". ")
            line = self.document.line(place)
            where = f"line {line}, network"
            raise FormatError(self.document.path, where, reason, remedy or "Correct it.") from None

    def _goals(self, value: Any, place: Place) -> Intent:
        found = intent_from(Part(self.document, place, value))
        if not found.expect and not found.survive and not found.avoid:
            self.checks.issue(place, "expects nothing", "Add expect, avoid or survive.")
        return found

    def _variants(
        self, raw: dict[str, tuple[Any, Place]], network: Scenario
    ) -> tuple[Variant, ...]:
        found = []
        if "solution" in raw or "fault" in raw:
            found.append(self._variant(raw, (), network))
        if "variants" in raw:
            value, place = raw["variants"]
            for k, item in enumerate(self.checks.listing(value, place)):
                where = (*place, k)
                found.append(
                    self._variant(
                        self.checks.entry(item, where, ELEMENTS["variant"]), where, network
                    )
                )
        if not found:
            self.checks.issue((), "has no solution", "Add fault, solution and wrong, or variants.")
        self.checks.end(self.document)
        return tuple(found)

    def _variant(
        self, raw: dict[str, tuple[Any, Place]], place: Place, network: Scenario
    ) -> Variant:
        for key in ("solution", "wrong"):
            if key not in raw:
                self.checks.issue(place, f"has no {key}", f"Add {key}.")
        faults = self._faults(*raw["fault"]) if "fault" in raw else ()
        faulty = self._applied(network, [f.change for f in faults], raw.get("fault", (0, place))[1])
        solution: tuple[Change, ...] = ()
        if "solution" in raw:
            solution = self._changes(*raw["solution"])
            self._applied(faulty, solution, raw["solution"][1])
        wrong = []
        for item, where in self._items(raw, "wrong"):
            one = self.checks.entry(item, where, ELEMENTS["wrong"])
            if {"why", "changes"} <= set(one):
                changes = self._changes(*one["changes"])
                self._applied(faulty, changes, one["changes"][1])
                wrong.append(Wrong(self.checks.text(*one["why"]), changes))
        if "wrong" in raw and len(wrong) < 2:
            self.checks.issue(raw["wrong"][1], f"has {len(wrong)} entries", "Give at least two.")
        return Variant(faults, solution, tuple(wrong))

    def _items(self, raw: dict[str, tuple[Any, Place]], key: str) -> list[tuple[Any, Place]]:
        if key not in raw:
            return []
        value, place = raw[key]
        return [(item, (*place, i)) for i, item in enumerate(self.checks.listing(value, place))]

    def _faults(self, value: Any, place: Place) -> tuple[Fault, ...]:
        found = []
        for item, where in self._items({"": (value, place)}, ""):
            seen = isinstance(item, dict) and set(item) == {"seen"}
            if change := self._change(item["seen"] if seen else item, where):
                if change.kind.startswith(("fail_", "set_weight", "set_path")) and not seen:
                    reason = f"{change.kind} is hidden, and the routing of all devices tells it"
                    self.checks.issue(where, reason, "Write `seen: ...`.")
                found.append(Fault(change, seen))
        return tuple(found)

    def _changes(self, value: Any, place: Place) -> tuple[Change, ...]:
        found = [self._change(*one) for one in self._items({"": (value, place)}, "")]
        return tuple(change for change in found if change)

    def _change(self, value: Any, place: Place) -> Change | None:
        if not isinstance(value, str):
            reason = f"is {shown(value)}: must be a change in words"
            self.checks.issue(place, reason, "Write such as `set_weight A<->B 10`.")
            return None
        try:
            return parse_change(value)
        except InputError as error:
            self._told(place, error)
            return None

    def _applied(self, network: Scenario, changes: Any, place: Place) -> Scenario:
        try:
            return apply_all(network, changes)
        except InputError as error:
            self._told(place, error)
            return network

    def _told(self, place: Place, error: InputError) -> None:
        reason, _, remedy = str(error).partition(". ")
        self.checks.issue(place, reason, remedy or "Correct it.")

    def _reachable(self, goals: Intent, network: Scenario, variant: Variant, number: int) -> None:
        """Note goals that name what is not there, or that no configuration can meet."""
        faulty = self._applied(network, [f.change for f in variant.faults], ("goals",))
        after = self._applied(faulty, variant.solution, ("goals",))
        for one in check(goals, after).diagnostics:
            if one.kind == "warning":
                continue
            place = one.places[0] if one.places else ()
            self.checks.issue(("goals", *place), one.reason, one.remedy or "Correct the goals.")

    def _allowed(self, variant: Variant, may: tuple[str, ...], number: int) -> None:
        for change in variant.solution:
            if change.kind not in may:
                reason = f"the solution of variant {number + 1} uses {change.kind}"
                self.checks.issue(("may",), reason, f"Add {change.kind} to may.")

    def _scoring(self, value: Any, place: Place) -> Scoring:
        raw = self.checks.entry(value, place, ELEMENTS["score"])
        given = {
            "passing" if key == "pass" else key: self.checks.number(*item, POINTS)
            for key, item in raw.items()
        }
        return Scoring(**given)
