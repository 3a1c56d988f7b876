"""Labeled: data to learn from: data sets of our own, or recordings in any format of networks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from nettwin.datasets.generation import Simulator, make_sample
from nettwin.datasets.recipe import Recipe
from nettwin.datasets.store import MANIFEST, Manifest, Sample, read_manifest, read_samples
from nettwin.errors import FormatError
from nettwin.formats import detect, read_all
from nettwin.formats.files import read_bytes


@dataclass(frozen=True)
class Generated:
    """A data set in shards, of `nettwin dataset generate` or `convert`."""

    folder: Path

    @cached_property
    def manifest(self) -> Manifest:
        """Its manifest. Raises FormatError."""
        return read_manifest(self.folder)

    @property
    def name(self) -> str:
        """That of its recipe."""
        return str(self.manifest.recipe.get("name", self.folder.name))

    @property
    def digest(self) -> str:
        """A digest of its shards' checksums."""
        sums = [str(shard["sha256"]) for _, shard in sorted(self.manifest.shards.items())]
        return hashlib.sha256(" ".join(sums).encode()).hexdigest()

    def __len__(self) -> int:
        return len(self.manifest.samples)

    def __iter__(self) -> Iterator[Sample]:
        return read_samples(self.folder)


@dataclass(frozen=True)
class Redrawn:
    """The first samples of a recipe that nettwin carries, drawn again and simulated shortly: what a
    model was trained on, where the data are not at hand."""

    recipe: Recipe
    simulator: Simulator
    samples: int = 100
    packet_hops: float = 5e6

    @property
    def name(self) -> str:
        """That of its recipe."""
        return self.recipe.name

    @property
    def digest(self) -> str:
        """Of the recipe, and how much is simulated of it."""
        return f"{self.recipe.digest} {self.samples} {self.packet_hops:g}"

    def __len__(self) -> int:
        return self.samples

    def __iter__(self) -> Iterator[Sample]:
        short = replace(self.recipe, packet_hops=self.packet_hops, second_seeds=0.0)
        for number in range(self.samples):
            yield make_sample(short, number, self.simulator)


@dataclass(frozen=True)
class Recorded:
    """Scenarios with recorded metrics, in a file or folder of any format."""

    path: Path

    @property
    def name(self) -> str:
        """The last names of its path."""
        parts = self.path.resolve().parts
        return "/".join(parts[-2:])

    @cached_property
    def digest(self) -> str:
        """A digest of its files' names and contents."""
        digest = hashlib.sha256()
        files = sorted(self.path.rglob("*")) if self.path.is_dir() else [self.path]
        for file in files:
            if file.is_file():
                digest.update(file.relative_to(self.path).as_posix().encode() + b"\0")
                digest.update(hashlib.sha256(read_bytes(file)).digest())
        return digest.hexdigest()

    def __len__(self) -> int:
        return 0  # only known when all are read

    def __iter__(self) -> Iterator[Sample]:
        found = False
        for number, reading in enumerate(read_all(self.path)):
            if reading.metrics is not None:
                found = True
                yield Sample(number, reading.scenario, reading.metrics)
        if not found:
            raise FormatError(
                self.path, "", "has no recorded metrics", "Give recordings, or a data set."
            )


def labeled(path: Path) -> Generated | Recorded:
    """The data at a path. Raises FormatError where there are none."""
    if (path / MANIFEST).is_file():
        data = Generated(path)
        if not len(data):
            raise FormatError(path, "", "holds no samples yet", "Generate some.")
        return data
    detect(path)
    return Recorded(path)
