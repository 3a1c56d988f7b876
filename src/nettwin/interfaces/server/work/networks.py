"""Networks: an upload read within limits, and a network written as a file of some format."""

from __future__ import annotations

import base64
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from nettwin.errors import FormatError, InputError
from nettwin.formats import FORMATS
from nettwin.formats import read as read_network
from nettwin.formats import write as write_network
from nettwin.formats.files import write_text
from nettwin.interfaces import documents
from nettwin.interfaces.server.jobs.kinds import Work
from nettwin.interfaces.server.limits import Limits
from nettwin.interfaces.server.networks import Networks
from nettwin.interfaces.server.work import asked

TEXT = "utf-8"


def read(work: Work) -> dict[str, Any]:
    """Read an upload, keep it as a network file, and tell what was assumed."""
    limits = Limits(**work.arguments["limits"])
    networks = Networks(work.folder / "networks", limits)
    id = str(work.arguments["upload"])
    given = networks.given(id)
    with tempfile.TemporaryDirectory(dir=given.parents[1]) as folder:
        source = _unpacked(given, Path(folder), limits) if _is_zip(given) else given
        format, index = work.arguments.get("format"), int(work.arguments.get("index", 0))
        try:
            reading = read_network(source, format=format, index=index)
        except FormatError as error:  # told of the name that it was given, not of our folders
            reason = error.reason.replace(f"{folder}/", "")
            raise FormatError(given.name, error.place, reason, error.remedy) from None
    scenario, topology = reading.scenario, reading.scenario.topology
    for what, count, most in (
        ("nodes", topology.node_count, limits.nodes),
        ("links", topology.link_count, limits.links),
        ("flows", scenario.traffic.flow_count, limits.flows),
    ):
        if count > most:
            raise InputError(f"{given.name} has {count:,} {what}: may have {most:,}. Send less.")
    place = given.parents[1]
    write_network(scenario, place / "network.yaml", format="native")
    about = {
        "name": str(work.arguments.get("name") or scenario.name or given.name),
        "file": given.name,
        "format": reading.format,
        "person": str(work.arguments.get("person", "")),
        "assumptions": list(reading.assumptions),
        "ignored": list(reading.ignored),
        "nodes": topology.node_count,
        "links": topology.link_count,
        "flows": scenario.traffic.flow_count,
        "fingerprint": scenario.fingerprint(),
        "recorded": reading.metrics is not None,
    }
    write_text(place / "about.json", json.dumps(about))
    return {"id": id, **about}


def write(work: Work) -> dict[str, Any]:
    """A network as a file; text, or base64 where it is none."""
    of = asked.network(work)
    name = str(work.arguments.get("format", "native"))
    format = FORMATS.named(name)
    if not format.writes:
        able = ", ".join(f.name for f in FORMATS.values() if f.writes)
        raise InputError(f"the format {name} can only be read. Name one of {able}.")
    suffix = format.suffixes[0] if format.suffixes else ""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"network{suffix}"
        write_network(of.scenario, path, format=name)
        if path.is_dir():
            raise InputError(f"the format {name} is a folder: it is no single file. Name another.")
        content = path.read_bytes()
    try:
        return {"file": f"network{suffix}", "text": content.decode(TEXT)}
    except UnicodeDecodeError:
        return {"file": f"network{suffix}", "base64": base64.b64encode(content).decode()}


def describe(work: Work) -> dict[str, Any]:
    """A network with its nodes and links, without an engine: for maps and lists."""
    of = asked.network(work)
    scenario, topology = of.scenario, of.scenario.topology
    offered = scenario.link_offered_load
    return documents.headed(
        "network",
        {
            "network": asked.about(of),
            **asked.notes(of, []),
            "nodes": [
                {
                    "node": name,
                    "latitude_deg": float(topology.node_latitude_deg[k]),
                    "longitude_deg": float(topology.node_longitude_deg[k]),
                    "up": bool(topology.node_up[k]),
                }
                for k, name in enumerate(topology.node_name)
            ],
            "links": [
                {
                    "link": topology.link_name[k],
                    "source": topology.node_name[topology.link_source[k]],
                    "target": topology.node_name[topology.link_target[k]],
                    "capacity_bps": float(topology.link_capacity_bps[k]),
                    "delay_s": float(topology.link_delay_s[k]),
                    "weight": float(topology.link_weight[k]),
                    "up": bool(topology.link_live[k]),
                    "offered_load": float(offered[k]),
                }
                for k in range(topology.link_count)
            ],
        },
    )


def _is_zip(path: Path) -> bool:
    """Whether a file is an archive that holds a network's files, and is no format's own."""
    return zipfile.is_zipfile(path) and not path.name.endswith(".npz")


def _unpacked(path: Path, folder: Path, limits: Limits) -> Path:
    """The files of an archive in a folder; the one file where there is one. Raises FormatError for
    an archive that is too large once unpacked, or leads out of the folder."""

    def wrong(reason: str) -> FormatError:
        return FormatError(path.name, "", reason, "Pack the network's files, and nothing else.")

    try:
        with zipfile.ZipFile(path) as archive:
            members = [one for one in archive.infolist() if not one.is_dir()]
            if len(members) > limits.files:
                raise wrong(f"holds {len(members)} files, at most {limits.files} are taken")
            if sum(one.file_size for one in members) > limits.unpacked_bytes:
                raise wrong(f"is larger than {limits.unpacked_bytes >> 20} MiB once unpacked")
            left = limits.unpacked_bytes
            for one in members:
                target = (folder / one.filename).resolve()
                if not target.is_relative_to(folder.resolve()):
                    raise wrong(f"holds a file outside of it: {one.filename[:80]}")
                with archive.open(one) as packed:
                    content = packed.read(left + 1)  # what the head says may be a lie
                left -= len(content)
                if left < 0:
                    raise wrong(f"is larger than {limits.unpacked_bytes >> 20} MiB once unpacked")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise wrong(f"cannot be unpacked: {error}") from None
    files = [one for one in folder.rglob("*") if one.is_file()]
    if not files:
        raise wrong("is empty")
    if len(files) == 1:
        return files[0]
    folders = {one.parent for one in files}
    return folders.pop() if len(folders) == 1 else folder
