"""Prepared: examples as tensors on disk, made once, so that training reads what it needs.

A data set becomes a folder, named by its content and by the code that makes the tensors: what was
made by another version is never taken for this one's.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from nettwin.engines.learned.calibration import Case
from nettwin.engines.learned.inputs import Inputs, inputs_of, solved
from nettwin.engines.learned.intervals import QUANTITIES
from nettwin.engines.learned.model_file import FEATURES
from nettwin.engines.learned.recorded import noise_of, recorded
from nettwin.engines.learned.training.batch import (
    Batch,
    Labels,
    batch_of,
    labels_of,
)
from nettwin.engines.learned.training.examples import (
    Example,
    Source,
    family_of,
    joined,
    topology_number,
)
from nettwin.engines.theory.engine import Theory
from nettwin.engines.theory.formulas import Formulas
from nettwin.errors import FormatError
from nettwin.formats.files import read_text, write_bytes, write_text
from nettwin.metrics import Metrics

INDEX = "index.json"
SCORED = QUANTITIES
Floats = NDArray[np.float64]
Progress = Callable[[float], None]


class Prepared(NamedTuple):
    """An example that is ready: where its tensors lie, and what decides on its part."""

    name: str
    path: str
    number: int
    topology: int  # the number of its topology
    family: str
    nodes: int
    flows: int
    load: float  # of the busiest link

    def inputs(self) -> Inputs:
        """What enters a model. Raises FormatError where the file is damaged, as all of these."""
        return Inputs(**self._part("inputs"))

    def labels(self) -> Labels:
        """What is to be learned."""
        return Labels(**self._part("labels"))

    def batch(self) -> Batch:
        """Both, to learn from."""
        return batch_of(self.inputs(), self.labels())

    def said(self, by: str) -> Floats | None:
        """What `theory` or the `second` simulation said of its flows, or what was `recorded`; None
        where there is none. [flows, SCORED]"""
        return self._part("said").get(by)

    def case(self) -> Case:
        """What a model is calibrated with."""
        columns = self._part("said")["recorded"].T
        noise = self._part("noise")
        return Case(self.inputs(), dict(zip(SCORED, columns, strict=True)), noise)

    def _part(self, part: str) -> dict[str, NDArray[Any]]:
        try:
            with safe_open(self.path, framework="np") as file:
                return {
                    name.partition("/")[2]: file.get_tensor(name)
                    for name in file.keys()  # noqa: SIM118, it is not a mapping
                    if name.startswith(part + "/")
                }
        except (SafetensorError, OSError) as error:
            raise FormatError(
                self.path, "", f"is damaged ({error})", "Remove its folder, and train again."
            ) from None


def prepare(
    source: Source,
    folder: Path,
    progress: Progress | None = None,
    formulas: Formulas = Formulas(),  # noqa: B008, frozen
) -> list[Prepared]:
    """The examples of a data set with theory's answer by `formulas`, made where they are not there.

    Raises FormatError where a file of the data set is damaged; what was made until then is kept.
    """
    key = joined([source.digest, _code(), repr(formulas)])[:12]
    home = folder / f"{source.name.replace('/', '-')}-{key}"
    if (home / INDEX).exists():
        return _index(home)
    made = [_one(source, home, example, formulas) for example in _told(source, progress)]
    rows = [item._replace(path=Path(item.path).name) for item in made]
    write_text(home / INDEX, json.dumps(rows) + "\n")
    return made


def _index(home: Path) -> list[Prepared]:
    try:
        rows = [Prepared(*row) for row in json.loads(read_text(home / INDEX))]
        return [row._replace(path=str(home / Path(row.path).name)) for row in rows]
    except (ValueError, TypeError, RecursionError) as error:
        raise FormatError(
            home / INDEX, "", f"is damaged ({error})", "Remove it, and train again."
        ) from None


def _told(source: Source, progress: Progress | None) -> Iterator[Example]:
    for done, example in enumerate(source):
        if progress and len(source):
            progress(min(done / len(source), 1.0))
        yield example


def _one(source: Source, home: Path, example: Example, formulas: Formulas) -> Prepared:
    scenario, metrics = example.scenario, example.metrics
    path = home / f"{example.number:06d}.safetensors"
    load = scenario.link_offered_load
    if not path.exists():
        theory = Theory().predict([scenario])[0]
        parts: dict[str, dict[str, NDArray[Any]]] = {
            "inputs": inputs_of(scenario, solved(scenario, formulas=formulas))._asdict(),
            "labels": labels_of(metrics)._asdict(),
            "said": {"theory": _scored(theory), "recorded": _stacked(recorded(metrics))},
            "noise": noise_of(metrics),
        }
        if example.second is not None:
            parts["said"]["second"] = _scored(example.second)
        arrays = {
            f"{part}/{name}": np.ascontiguousarray(values)
            for part, named in parts.items()
            for name, values in named.items()
        }
        write_bytes(path, save(arrays))
    return Prepared(
        f"{source.name}/{example.number}",
        str(path),
        example.number,
        topology_number(scenario),
        family_of(scenario),
        scenario.topology.node_count,
        scenario.traffic.flow_count,
        float(load.max()) if len(load) else 0.0,
    )


def _scored(metrics: Metrics) -> Floats:
    unknown = np.full(len(metrics.flow), np.nan)
    return _stacked({name: metrics.flow.columns.get(name, unknown) for name in SCORED})


def _stacked(columns: Mapping[str, Floats]) -> Floats:
    return np.stack([columns[name] for name in SCORED], axis=1)


@cache
def _code() -> str:
    """A digest of the code that the tensors come from."""
    engines = Path(__file__).parents[2]
    files: Sequence[Path] = [
        *sorted((engines / "theory").glob("*.py")),
        *sorted((engines.parent / "scenario").rglob("*.py")),
        *(engines / "learned" / f"{name}.py" for name in ("features", "inputs", "recorded")),
        *(Path(__file__).parent / f"{name}.py" for name in ("batch", "prepared")),
    ]
    contents = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    return joined([json.dumps(FEATURES), *contents])
