"""What simulations say of a scenario, with how surely: repeated until mean, p99 and loss are known.

Each simulation has a seed of its own, so that phases of periodic sources differ as well; what is
known is the mean of them, and its error follows from how far they differ. Answers are kept in a
folder, by the fingerprint of the scenario, so that another run costs nothing.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.benchmark import say
from nettwin.engines.packet import PacketSimulator
from nettwin.formats.files import read_bytes, write_bytes
from nettwin.scenario.scenario import Scenario
from nettwin.workers import in_order_of_completion

Floats = NDArray[np.float64]
QUANTITIES = ("owd_mean_s", "owd_p50_s", "owd_p90_s", "owd_p99_s", "pdv_s2", "loss_ratio")
AIMED = ("owd_mean_s", "owd_p99_s", "loss_ratio")
RUNS = 8
PACKETS = (50_000, 200_000, 800_000, 3_200_000)  # of a run, from one attempt to the next
PRECISION = 0.01  # standard error over the value
OF_FLOWS = 0.95  # that are known then
MIN_LOSS = 1e-3  # smaller losses are known to PRECISION of this
STARVED = 0.99  # loss from which on the delay of what arrives says nothing
SEED = 90_001


class Truth(NamedTuple):
    """What is known of each flow. [QUANTITIES, flows] each; NaN where nothing arrived."""

    value: Floats
    error: Floats  # relative standard error; of losses over the larger of them and MIN_LOSS

    def known(self, quantity: str) -> NDArray[np.bool_]:
        """Flows of which a quantity is known to PRECISION. [flows]"""
        row = QUANTITIES.index(quantity)
        good = np.isfinite(self.value[row]) & (self.error[row] <= PRECISION)
        loss = self.value[QUANTITIES.index("loss_ratio")]
        return np.asarray(good if quantity == "loss_ratio" else good & (loss < STARVED))

    def error_of(self, quantity: str) -> Floats:
        """The absolute standard errors of a quantity. [flows]"""
        least = MIN_LOSS if quantity == "loss_ratio" else 0.0
        return np.asarray(
            self.error[QUANTITIES.index(quantity)] * np.maximum(np.abs(self.of(quantity)), least)
        )

    def of(self, quantity: str) -> Floats:
        """The values of a quantity. [flows]"""
        return np.asarray(self.value[QUANTITIES.index(quantity)])


def truths(
    scenarios: Sequence[Scenario],
    cache: Path | None,
    jobs: int = 1,
    packets: Sequence[int] = PACKETS,
) -> list[Truth]:
    """The truth of each scenario, simulated where a folder does not have it yet."""
    found: dict[int, Truth] = {}
    for k, scenario in enumerate(scenarios):
        path = _path(cache, scenario)
        if path and path.exists():
            found[k] = _read(path)
    todo = [k for k in range(len(scenarios)) if k not in found]
    if found:
        say(f"{len(found)} of {len(scenarios)} networks were simulated before")
    work = [(k, scenarios[k], tuple(packets)) for k in todo]
    for done, (_, (k, truth)) in enumerate(in_order_of_completion(_one, work, jobs), start=1):
        path = _path(cache, scenarios[k])
        if path:
            _write(path, truth)
        found[k] = truth
        if done % 10 == 0 or done == len(todo):
            say(f"{len(found)} of {len(scenarios)} networks simulated")
    return [found[k] for k in range(len(scenarios))]


def _one(work: tuple[int, Scenario, tuple[int, ...]]) -> tuple[int, Truth]:
    number, scenario, packets = work
    return number, simulated(scenario, packets)


def simulated(scenario: Scenario, packets: Sequence[int] = PACKETS) -> Truth:
    """The truth of a scenario from simulations of more and more packets, until enough is known."""
    for count in packets:
        truth = _of_runs(scenario, count)
        if all(_share_known(truth, name) >= OF_FLOWS for name in AIMED):
            break
    return truth


def _share_known(truth: Truth, quantity: str) -> float:
    row = QUANTITIES.index(quantity)
    with np.errstate(invalid="ignore"):
        told = np.isfinite(truth.value[row])
        if quantity != "loss_ratio":
            told &= truth.value[QUANTITIES.index("loss_ratio")] < STARVED
        good = truth.error[row] <= PRECISION
    return float(good[told].mean()) if told.any() else 1.0


def _of_runs(scenario: Scenario, packets: int) -> Truth:
    each = []
    for k in range(RUNS):
        simulator = PacketSimulator(seed=SEED + k, precision=0.0, max_packets=packets, jobs=1)
        flow = simulator.run(scenario).metrics.flow
        each.append([flow[name] for name in QUANTITIES])
    runs = np.array(each, np.float64)  # [runs, quantities, flows]
    value = runs.mean(axis=0)  # unknown where one run had no packet of a flow
    deviation = runs.std(axis=0, ddof=1) / np.sqrt(RUNS)
    least = np.zeros((len(QUANTITIES), 1))
    least[QUANTITIES.index("loss_ratio")] = MIN_LOSS
    with np.errstate(invalid="ignore", divide="ignore"):
        return Truth(value, deviation / np.maximum(np.abs(value), least))


def _path(cache: Path | None, scenario: Scenario) -> Path | None:
    return cache / f"{scenario.fingerprint()}.npz" if cache else None


def _write(path: Path, truth: Truth) -> None:
    held = io.BytesIO()
    np.savez_compressed(held, value=truth.value, error=truth.error)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, held.getvalue())


def _read(path: Path) -> Truth:
    with np.load(io.BytesIO(read_bytes(path)), allow_pickle=False) as found:
        return Truth(found["value"], found["error"])


def drawn(
    draw: Callable[[np.random.Generator], Scenario], seed: int, count: int
) -> Iterable[Scenario]:
    """So many scenarios, each of a generator of its own: the first are the same for any count."""

    def each() -> Iterator[Scenario]:
        for number in range(count):
            yield draw(np.random.default_rng([seed, number]))

    return each()
