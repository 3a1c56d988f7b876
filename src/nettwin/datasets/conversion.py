"""Conversion: recordings become a data set like a generated one, verified and quick to read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from nettwin.datasets.labeled import Generated, Recorded
from nettwin.datasets.store import Manifest, Sample, begun, write_manifest, write_shard
from nettwin.errors import FormatError, InputError
from nettwin.formats import read_all

SHARD_SAMPLES = 32
SHARD_FLOWS = 50_000  # a shard ends earlier where its samples are large
Progress = Callable[[float], None]  # called with the share done, 0 to 1


def store_recordings(
    source: Recorded, folder: Path, progress: Progress | None = None
) -> tuple[Manifest, int]:
    """Store recordings in shards; gives the manifest and how many scenarios had no metrics.

    A sample has the number that it has in the source. An interrupted conversion goes on after the
    last whole shard. Raises FormatError, naming the recording, where one is bad (the shards before
    it stay), and InputError where the folder holds other samples or lies in the source.
    """
    if folder.resolve().is_relative_to(source.path.resolve()):
        raise InputError(
            f"{folder} lies in {source.path}: must lie outside. Choose another folder."
        )
    recipe = {"name": source.name, "digest": source.digest, "recorded": True}
    manifest = begun(folder, recipe)
    there, left_out = set(manifest.samples), 0
    waiting: list[Sample] = []

    def store() -> Manifest:
        name = f"{waiting[0].number:06d}.npz"
        entry = write_shard(folder / name, waiting)
        longer = Manifest(manifest.recipe, {**manifest.shards, name: entry})
        write_manifest(folder, longer)
        waiting.clear()
        return longer

    for sample in recorded_samples(source, progress):
        left_out += sample is None
        if sample is None or sample.number in there:
            continue
        waiting.append(sample)
        flows = sum(s.scenario.traffic.flow_count for s in waiting)
        if len(waiting) >= SHARD_SAMPLES or flows >= SHARD_FLOWS:
            manifest = store()
    if waiting:
        manifest = store()
    if not manifest.samples:
        raise FormatError(source.path, "", "has no recorded metrics", "Give recordings.")
    manifest = Manifest({**recipe, "samples": len(manifest.samples)}, manifest.shards)
    write_manifest(folder, manifest)
    return manifest, left_out


def recorded_samples(source: Recorded, progress: Progress | None = None) -> Iterator[Sample | None]:
    """The recordings of a source one by one; None for a scenario without metrics."""
    sizes = _sizes(source.path)
    total, seen = sizes[str(source.path)] or 1, set[str]()
    for number, reading in enumerate(read_all(source.path)):
        seen.add(max((f for f in sizes if reading.source.startswith(f)), key=len, default=""))
        metrics = reading.metrics
        yield None if metrics is None else Sample(number, reading.scenario, metrics)
        if progress:
            progress(min(sum(sizes.get(file, 0) for file in seen) / total, 1.0))


def _sizes(path: Path) -> dict[str, int]:
    """The bytes of a file, or of everything in a folder: each file and each folder in it."""
    if not path.is_dir():
        return {str(path): path.stat().st_size}
    sizes = {str(path): 0}
    for file in path.rglob("*"):
        if file.is_file():
            size = file.stat().st_size
            for place in (file, *file.parents[: len(file.parts) - len(path.parts)]):
                sizes[str(place)] = sizes.get(str(place), 0) + size
    return sizes


def samples_of(source: Generated | Recorded, progress: Progress | None = None) -> Iterator[Sample]:
    """The samples of any labeled data, with its progress."""
    if isinstance(source, Recorded):
        yield from (s for s in recorded_samples(source, progress) if s is not None)
        return
    count = len(source)
    for done, sample in enumerate(source, start=1):
        yield sample
        if progress:
            progress(done / count)
