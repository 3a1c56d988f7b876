"""Topologies that routers and inventories tell: link-state databases, NetBox, LAGs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from nettwin.errors import FormatError
from nettwin.formats import ImportDefaults, Reading, read
from nettwin.formats.discovered.system_ids import Unsettled, names_of

GOOD = Path(__file__).parent / "good"


def links(reading: Reading) -> dict[str, float]:
    """The cost of each link."""
    topology = reading.scenario.topology
    return dict(zip(topology.link_name, topology.link_weight.tolist(), strict=True))


def quiet(path: Path) -> Reading:
    return read(path, assume=ImportDefaults(load=None))


@pytest.mark.parametrize(
    ("path", "called"),
    [("ospf/ospf_monday.json", "10.254.0.{}"), ("isis/isis_monday.txt", "r{}")],
)
def test_frr_tells_what_was_configured(path: str, called: str) -> None:
    """A ring of four, a second link between 1 and 2, a segment of 2, 3 and 5; router k has costs of
    10 k. Captured from FRR 8.4."""
    reading = quiet(GOOD / path)
    pairs = [(1, 2), (2, 1), (2, 3), (3, 2), (3, 4), (4, 3), (4, 1), (1, 4)]
    pairs += [(2, 5), (5, 2), (3, 5), (5, 3)]
    want = {f"{called.format(a)}->{called.format(b)}": 10.0 * a for a, b in pairs}
    for a, b in ((1, 2), (2, 1), (2, 3), (3, 2)):
        want[f"{called.format(a)}->{called.format(b)}#2"] = 10.0 * a
    assert links(reading) == want
    assert any("3 routers: a link between every two" in words for words in reading.assumptions)


def test_a_failed_link_and_another_cost() -> None:
    """The same routers with a link down and another cost on the second link of 2 to 1."""
    monday, tuesday = (
        quiet(GOOD / f"ospf/ospf_{day}.json").scenario.topology for day in ("monday", "tuesday")
    )
    assert tuesday.link_count == monday.link_count - 2
    two = tuesday.links_between("10.254.0.2", "10.254.0.1")
    assert sorted(tuesday.link_weight[two]) == [20.0, 25.0]


def test_parallel_links_keep_their_other_half() -> None:
    """By subnet: the costs of one cable are of one pair, also where they differ by direction."""
    text = (GOOD / "ospf/ospf_tuesday.json").read_text()
    topology = quiet(GOOD / "ospf/ospf_tuesday.json").scenario.topology
    there, back = (
        topology.link_weight[topology.links_between(*ends)].tolist()
        for ends in (("10.254.0.1", "10.254.0.2"), ("10.254.0.2", "10.254.0.1"))
    )
    data, _ = json.JSONDecoder().raw_decode(text)
    (second,) = (
        lsa for lsa in data["routerLinkStates"]["areas"]["0.0.0.0"]
        if lsa["linkStateId"] == "10.254.0.2"
    )  # fmt: skip
    costs = {
        link["routerInterfaceAddress"]: link["tos0Metric"]
        for link in second["routerLinks"].values()
        if link.get("neighborRouterId") == "10.254.0.1"
    }
    assert costs == {"10.9.1.2": 20, "10.9.5.2": 25}
    assert list(zip(there, back, strict=True)) == [(10.0, 20.0), (10.0, 25.0)]


def test_isis_without_host_names(tmp_path: Path) -> None:
    """Who shares subnets with whom tells which system ID is whose."""
    whole = GOOD / "isis/isis_monday.txt"
    text = whole.read_text()
    bare = tmp_path / "isis.txt"
    bare.write_text(text[text.index("Area X:") :])
    assert links(quiet(bare)) == links(quiet(whole))


def test_isis_capacity_is_the_bandwidth_that_is_told() -> None:
    topology = quiet(GOOD / "isis/isis_monday.txt").scenario.topology
    told = topology.link_capacity_bps[topology.links_between("r1", "r2")]
    assert sorted(told) == pytest.approx([1.76258e8 * 8, 10e9])


def test_ids_that_two_could_have_are_not_guessed() -> None:
    reach = {
        "a": [("1", ".", "00"), ("2", ".", "00")],
        "b": [("0", ".", "00")],
        "c": [("0", ".", "00")],
    }
    none: dict[str, set[str]] = {host: set() for host in reach}
    with pytest.raises(Unsettled, match="1 could be b or c"):
        names_of(reach, none, {"0": "a"})
    found = names_of(reach, none, {"0": "a", "2": "c"})
    assert found == {"0": "a", "2": "c", "1": "b"}


def test_the_json_that_lacks_lsps_says_what_to_give() -> None:
    broken = GOOD.parent / "broken/isis/last-lsp-alone.json"
    with pytest.raises(FormatError, match=r"the last LSP alone.*show isis hostname"):
        read(broken)


@pytest.mark.parametrize("source", ["inventory.json", "pages"])
def test_netbox(source: str) -> None:
    reading = quiet(GOOD / "netbox" / source)
    topology = reading.scenario.topology
    assert set(topology.node_name) == {"par1", "lyo1", "nic1"}
    capacity = dict(zip(topology.link_name, topology.link_capacity_bps.tolist(), strict=True))
    assert capacity["par1:HundredGigE0/0/0/0"] == 100e9
    assert capacity["par1:TenGigE0/0/0/9"] == 10e9  # through a panel
    link = topology.link("par1:HundredGigE0/0/0/0")
    assert topology.link_delay_s[link] == pytest.approx(470e3 / 2e8, rel=0.01)
    other = topology.link("par1:HundredGigE0/0/0/1")  # by the places of the sites
    assert topology.link_delay_s[other] == pytest.approx(391.5e3 / 2e8, rel=0.01)
    if source == "inventory.json":
        assert not topology.link_up[topology.link("lyo1:TenGigE0/0/0/8")]  # planned
    assert any("LAG par1 Bundle-Ether1" in words for words in reading.assumptions)


def test_a_lag_that_is_joined_is_one_link() -> None:
    """As fast as it says; its members, of which one is down, are no links of their own."""
    reading = quiet(GOOD / "neighbors/lag.json")
    topology = reading.scenario.topology
    assert topology.link_name == ("agg1:ae0", "agg2:ae7")
    np.testing.assert_array_equal(topology.link_capacity_bps, 20e9)
    assert any("of 3 members: one link" in words for words in reading.assumptions)


def test_ports_for_management_are_no_links(tmp_path: Path) -> None:
    data = {
        "r1": {
            "HundredGigE0/0/0/1": {"target_device": "r2", "target_port": "Hu0/0/0/1"},
            "MgmtEth0/RP0/CPU0/0": {"target_device": "oob", "target_port": "Ethernet1/7"},
        },
        "r2": {"Ethernet9": {"target_device": "oob", "target_port": "mgmt0"}},
    }
    path = tmp_path / "lldp.json"
    path.write_text(json.dumps(data))
    reading = quiet(path)
    assert reading.scenario.topology.node_name == ("r1", "r2")
    assert any(words.startswith("2 adjacencies of ports for manage") for words in reading.ignored)


def test_netbox_cables_as_csv() -> None:
    topology = quiet(GOOD / "netbox/cables.csv").scenario.topology
    assert topology.link_count == 6
    link = topology.link("par1:HundredGigE0/0/0/0")
    assert topology.link_capacity_bps[link] == 100e9  # as the port is named
    assert topology.link_delay_s[link] == pytest.approx(470e3 / 2e8, rel=0.01)
    assert not topology.link_up[topology.link("nic1:TenGigE0/0/0/7")]
    other = quiet(GOOD / "netbox/import.csv").scenario.topology
    assert other.link_name == ("r1:xe-0/0/0", "r2:xe-0/0/1")
