"""Store: a data set on disk, shards of samples with a manifest of their checksums.

    DIR/manifest.json      schema, recipe, and of each shard its samples and SHA-256
    DIR/00000.npz ...      arrays, no pickle; those of sample 17 begin with `17/`

A sample's scenario is a plan (JSON text as bytes, `17/scenario`); its metrics are the columns of
`nettwin.metrics` (`17/flow/owd_mean_s`, bounds `17/flow.low/...`), a second simulation of it with
another seed stands under `17/second/...`. Shards and manifest are written whole or not at all, so
that a data set that was interrupted can be continued and read at any time.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import FormatError, InputError
from nettwin.formats.files import LARGEST_FILE_BYTES, read_bytes, read_text, write_bytes, write_text
from nettwin.formats.native import native_from_text, native_text
from nettwin.metrics import Metrics, Table
from nettwin.scenario.scenario import Scenario

SCHEMA = "nettwin-dataset-1"
MANIFEST = "manifest.json"
TABLES = ("flow", "link", "queue")
_AGAIN = "Generate the data set again, or copy it whole."


@dataclass(frozen=True)
class Sample:
    """A scenario, what a simulator said of it, and, for some, what it said with another seed."""

    number: int
    scenario: Scenario
    metrics: Metrics
    second: Metrics | None = None


@dataclass(frozen=True)
class Manifest:
    """What a data set holds: the recipe (of recordings: their name), and every shard."""

    recipe: Mapping[str, Any]
    shards: Mapping[str, Mapping[str, Any]]  # file name to {"samples": [...], "sha256": ...}

    @property
    def samples(self) -> list[int]:
        """The numbers of all samples."""
        return sorted(int(n) for shard in self.shards.values() for n in shard["samples"])

    @property
    def recorded(self) -> bool:
        """Whether the samples are recordings that were converted, not drawn from a recipe."""
        return bool(self.recipe.get("recorded", False))


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a data set. Raises FormatError."""
    path = folder / MANIFEST
    try:
        data = json.loads(read_text(path))
        if data.get("schema") != SCHEMA:
            raise ValueError(f"schema is {data.get('schema')!r}, not {SCHEMA}")
        shards = {str(k): dict(v) for k, v in dict(data["shards"]).items()}
        for name, shard in shards.items():
            if Path(name).name != name:
                raise ValueError(f"shard {name!r} lies outside the folder")
            shard["samples"] = [int(n) for n in shard["samples"]]
        recipe = dict(data["recipe"])
        if "samples" in recipe:
            recipe["samples"] = int(recipe["samples"])
        return Manifest(recipe, shards)
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise FormatError(path, "", f"is not a manifest of a data set ({error})", _AGAIN) from None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest in one step."""
    data = {"schema": SCHEMA, "recipe": manifest.recipe, "shards": manifest.shards}
    write_text(folder / MANIFEST, json.dumps(data, indent=1, sort_keys=True) + "\n")


def begun(folder: Path, recipe: Mapping[str, Any]) -> Manifest:
    """The manifest of a folder that holds samples of this recipe (by its digest), or a new one.

    Raises InputError where it holds others.
    """
    if not (folder / MANIFEST).exists():
        manifest = Manifest(recipe, {})
        write_manifest(folder, manifest)
        return manifest
    manifest = read_manifest(folder)
    if manifest.recipe.get("digest") != recipe["digest"]:
        raise InputError(
            f"{folder} holds samples of another recipe or source ({manifest.recipe.get('name')}):"
            " must be the same to go on. Choose another folder."
        )
    return manifest


def write_shard(path: Path, samples: Sequence[Sample]) -> dict[str, Any]:
    """Write a shard; gives its entry in the manifest."""
    arrays: dict[str, NDArray[Any]] = {}
    for sample in samples:
        prefix = f"{sample.number}/"
        text = native_text(sample.scenario).encode()
        arrays[prefix + "scenario"] = np.frombuffer(text, np.uint8)
        arrays |= _arrays(prefix, sample.metrics)
        if sample.second is not None:
            arrays |= _arrays(prefix + "second/", sample.second)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    content = buffer.getvalue()
    write_bytes(path, content)
    digest = hashlib.sha256(content).hexdigest()
    return {"samples": [sample.number for sample in samples], "sha256": digest}


def read_samples(folder: Path, numbers: Sequence[int] | None = None) -> Iterator[Sample]:
    """The samples of a data set (or some of them), shard by shard, checksums verified.

    Raises FormatError where a shard is missing or damaged.
    """
    manifest = read_manifest(folder)
    wanted = None if numbers is None else set(numbers)
    for name, shard in sorted(manifest.shards.items()):
        held = [n for n in shard["samples"] if wanted is None or n in wanted]
        if held:
            yield from _read_shard(folder / name, str(shard["sha256"]), held)


def _read_shard(path: Path, sha256: str, numbers: Sequence[int]) -> Iterator[Sample]:
    content = read_bytes(path)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise FormatError(path, "", "has another checksum than the manifest says", _AGAIN)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as members:
            size = sum(member.file_size for member in members.infolist())
        if size > LARGEST_FILE_BYTES:
            raise ValueError(f"unpacks to more than {LARGEST_FILE_BYTES >> 20} MiB")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            names = arrays.files
            for number in numbers:
                own = f"{number}/"
                found = {n[len(own) :]: arrays[n] for n in names if n.startswith(own)}
                yield _sample(path, number, found)
    except (zipfile.BadZipFile, ValueError, KeyError, TypeError, OSError, EOFError) as error:
        raise FormatError(path, "", f"is damaged ({error})", _AGAIN) from None


def _sample(path: Path, number: int, arrays: Mapping[str, NDArray[Any]]) -> Sample:
    text = arrays["scenario"].tobytes().decode()
    scenario = native_from_text(text, f"{path.name}, sample {number}")
    second = "second/provenance" in arrays
    sample = Sample(
        number, scenario, _metrics("", arrays), _metrics("second/", arrays) if second else None
    )
    for metrics in (sample.metrics, sample.second):
        if metrics is not None:
            _check_rows(scenario, metrics)
    return sample


def _check_rows(scenario: Scenario, metrics: Metrics) -> None:
    """Raise ValueError where metrics do not have a row for each flow, link and queue."""
    topology = scenario.topology
    counts = (scenario.traffic.flow_count, topology.link_count, len(topology.queues.link))
    for name, rows in zip(TABLES, counts, strict=True):
        table: Table = getattr(metrics, name)
        for column, values in (*table.columns.items(), *table.low.items(), *table.high.items()):
            if values.shape != (rows,):
                raise ValueError(f"{name} {column} has shape {values.shape}, not {(rows,)}")


def _arrays(prefix: str, metrics: Metrics) -> dict[str, NDArray[Any]]:
    out: dict[str, NDArray[Any]] = {}
    for name in TABLES:
        table: Table = getattr(metrics, name)
        for part, columns in (("", table.columns), (".low", table.low), (".high", table.high)):
            for column, values in columns.items():
                out[f"{prefix}{name}{part}/{column}"] = values
    said = {
        "method": metrics.method,
        "engine": metrics.engine,
        "confidence": metrics.confidence,
        "provenance": dict(metrics.provenance),
    }
    out[prefix + "provenance"] = np.frombuffer(json.dumps(said).encode(), np.uint8)
    return out


def _metrics(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> Metrics:
    def columns(part: str) -> dict[str, NDArray[Any]]:
        start = f"{prefix}{part}/"
        return {n[len(start) :]: v for n, v in arrays.items() if n.startswith(start)}

    said = json.loads(arrays[prefix + "provenance"].tobytes().decode())
    flow, link, queue = (
        Table(columns(n), columns(f"{n}.low"), columns(f"{n}.high")) for n in TABLES
    )
    return Metrics(
        flow,
        link,
        queue,
        said["method"],
        str(said["engine"]),
        dict(said["provenance"]),
        float(said["confidence"]),
    )
