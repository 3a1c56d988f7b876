"""What real OSPF routers tell of themselves is the network that they were made of."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from nettwin.apps.topology.matching import with_names
from nettwin.apps.topology.update import Updated, update
from nettwin.formats import ImportDefaults, Reading, read
from nettwin.physical.linux import addresses
from nettwin.physical.linux.needs import missing
from nettwin.physical.network import Event, Opening
from nettwin.physical.registry import NETWORKS
from nettwin.scenario.changes import FailLink, SetWeight
from nettwin.scenario.generate import generate

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(bool(missing()), reason=missing() or "this machine has all it needs"),
]


def test_a_link_state_database_of_emulated_routers(tmp_path: Path) -> None:
    """Every link and cost, and after a failure the event."""
    plan = generate("ring", nodes=5, load=0.3, capacity_bps=1e6)
    plan = SetWeight("N2->N3", 7.0).apply(plan)
    settings = {"interval_s": 1.0, "grace_s": 0.2}
    network: Any = NETWORKS["linux"].open(Opening(tmp_path / "net", plan, settings))
    path = tmp_path / "ospf.json"
    called = {addresses.loopback(k): name for k, name in enumerate(plan.topology.node_name)}

    def told(assume: ImportDefaults) -> Reading:
        found = read(path, assume=assume)
        named = found.scenario.with_(topology=with_names(found.scenario.topology, called))
        return Reading(named, found.format, found.source, found.assumptions)

    def updated() -> Updated:
        path.write_text(network._host.link_state(0))
        return update(plan, told, ImportDefaults())

    try:
        assert updated().events == ()
        network.inject(Event(FailLink("N4<->N5")))
        limit = time.monotonic() + 20
        while not (events := updated().events) and time.monotonic() < limit:
            time.sleep(0.5)
        assert [one.words() for one in events] == ["link removed: N4<->N5"]
    finally:
        network.close()
