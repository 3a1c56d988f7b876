"""Generation: draw, simulate and store the samples of a recipe; what is there is kept."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from nettwin.datasets.drawing import draw_scenario
from nettwin.datasets.networks import real_networks
from nettwin.datasets.recipe import Recipe
from nettwin.datasets.store import Manifest, Sample, begun, write_manifest, write_shard
from nettwin.metrics import Metrics
from nettwin.model import NetworkModel
from nettwin.scenario.scenario import Scenario
from nettwin.workers import in_order_of_completion

# How a scenario is simulated: a model for it, given a seed, a packet budget and a precision
Simulator = Callable[[int, int, float], NetworkModel]
Progress = Callable[[float], None]  # called with the share done, 0 to 1
LOG = logging.getLogger(__name__)
SECOND_SEED = 1_000_003  # added to a sample's number


def generate_dataset(
    recipe: Recipe,
    folder: Path,
    simulator: Simulator,
    *,
    network: str = "",
    jobs: int = 1,
    ray_address: str | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Make the samples of a recipe that a folder lacks; gives the manifest of all of them.

    Each shard is simulated in one process, of `jobs` here or on a Ray cluster, and counts when its
    file is whole: an interrupted run loses at most the shards under way. `network` names what the
    labels are of, where that is not the packet simulator. Raises InputError where the folder holds
    the samples of another recipe or network.
    """
    kept = {**asdict(recipe), "digest": recipe.digest}
    if network:
        kept |= {"network": network, "digest": f"{recipe.digest} {network}"}
    manifest = begun(folder, kept)
    there = set(manifest.samples)
    todo = [n for n in range(recipe.samples) if n not in there]
    groups = [tuple(todo[k : k + recipe.shard]) for k in range(0, len(todo), recipe.shard)]
    work = [(recipe, folder, simulator, group) for group in groups]
    done = len(there)
    LOG.info("%s: %d of %d samples are there", folder, done, recipe.samples)
    for _, (group, entry) in in_order_of_completion(_make_shard, work, jobs, ray_address):
        manifest = Manifest(manifest.recipe, {**manifest.shards, _name(group): entry})
        write_manifest(folder, manifest)
        done += len(group)
        LOG.info("%s written: %d of %d samples", _name(group), done, recipe.samples)
        if progress:
            progress(done / recipe.samples)
    return manifest


def _name(numbers: tuple[int, ...]) -> str:
    return f"{numbers[0]:06d}.npz"


Work = tuple[Recipe, Path, Simulator, tuple[int, ...]]


def _make_shard(work: Work) -> tuple[tuple[int, ...], dict[str, object]]:
    recipe, folder, simulator, numbers = work
    samples = [make_sample(recipe, number, simulator) for number in numbers]
    return numbers, write_shard(folder / _name(numbers), samples)


def make_sample(recipe: Recipe, number: int, simulator: Simulator) -> Sample:
    """Draw and simulate one sample; the same recipe and number give the same sample."""
    scenario = draw_scenario(recipe, number, real_networks())
    budget = _packets(recipe, scenario)

    def simulated(seed: int) -> Metrics:
        return simulator(seed, budget, recipe.precision).predict([scenario])[0]

    chance = np.random.default_rng([recipe.seed, number, 1]).random()
    second = simulated(number + SECOND_SEED) if chance < recipe.second_seeds else None
    return Sample(number, scenario, simulated(number), second)


def _packets(recipe: Recipe, scenario: Scenario) -> int:
    """The packets whose hops make the recipe's packet-hops."""
    paths, rate = scenario.paths, scenario.traffic.flow_packet_rate_pps
    if not rate.sum():
        return 1
    hops = paths.share * np.diff(paths.link_offset) * rate[paths.path_flow]
    return max(int(recipe.packet_hops / max(hops.sum() / rate.sum(), 0.5)), 1)
