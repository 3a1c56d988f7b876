"""SNDlib, XML and native: units, capacity to be planned, coordinates, demands as they are."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from nettwin.errors import FormatError
from nettwin.formats import ImportDefaults, Reading, detect, read

GOOD = Path(__file__).parent / "good"
XML, NATIVE = GOOD / "sndlib-xml", GOOD / "sndlib"
NAMES = ("abilene", "geant", "germany50", "india35", "nobel-eu", "nobel-germany", "polska")


def capacities(reading: Reading) -> list[float]:
    return reading.scenario.topology.link_capacity_bps.tolist()


def test_capacity_that_is_not_installed_is_planned_for_the_demands() -> None:
    # loads: 60 and 10 on the one link, 60 + 150 on the other; at most 60 %: 100 and 350 Mbit/s
    reading = read(XML / "dimensioned.xml")
    assert capacities(reading) == [155e6, 155e6, 465e6, 465e6]
    assert reading.scenario.topology.node_name == ("Ålund", "Berg", "Cape")
    assert reading.scenario.traffic.flow_rate_bps.tolist() == [60e6, 150e6, 10e6]
    told = "\n".join(reading.assumptions)
    assert "unit of capacities and demands: Mbit/s, as the file names none" in told
    assert "capacity of 2 of 2 links: none is installed" in told
    assert {"set-up costs of links", "admissible paths of demands"} <= set(reading.ignored)


def test_the_planned_load_is_the_one_assumed() -> None:
    reading = read(XML / "dimensioned.xml", assume=ImportDefaults(load=1.0))
    assert capacities(reading) == [155e6, 155e6, 310e6, 310e6]
    assert reading.scenario.link_offered_load.max() <= 1.0


def test_what_is_installed_counts_and_an_overload_is_told_not_scaled() -> None:
    reading = read(XML / "installed.xml")
    assert capacities(reading) == [10e9, 10e9, 2.5e9, 2.5e9]
    assert reading.scenario.traffic.flow_rate_bps.tolist() == [3.5e9]
    assert any("offer the busiest link 140 %" in text for text in reading.assumptions)
    assert "demands of 0 or from a node to itself: 2" in reading.ignored
    assert "capacity modules that may be added to what is installed" in reading.ignored


def test_pixels_are_no_coordinates() -> None:
    for path in (XML / "pixels.xml", NATIVE / "pixels.txt"):
        reading = read(path)
        assert np.isnan(reading.scenario.topology.node_latitude_deg).all()
        assert "coordinates of nodes: places in a drawing, not on Earth" in reading.ignored
        assert any(text.startswith("traffic: synthetic") for text in reading.assumptions)


def test_native_text_with_meta_comments_and_routing_units() -> None:
    reading = read(NATIVE / "network.txt")
    topology = reading.scenario.topology
    assert topology.node_name == ("Alta", "Berg", "Cape")
    assert topology.node_longitude_deg.tolist() == [10.0, 11.5, 12.0]
    assert capacities(reading) == [155e6, 155e6, 622e6, 622e6]
    assert reading.scenario.traffic.flow_rate_bps.tolist() == [60e6, 100e6]
    assert {"granularity: 5min", "sections ADMISSIBLE_PATHS"} <= set(reading.ignored)


def test_both_ways_of_writing_give_the_same_network(tmp_path: Path) -> None:
    native = tmp_path / "n.txt"
    native.write_text(
        "?SNDlib native format; type: network; version: 1.0\n"
        "NODES (\n Ålund ( 10 60 )\n Berg ( 11.5 61 )\n Cape ( 12 59 )\n)\n"
        "LINKS (\n L1 ( Ålund Berg ) 0 0 0 0 ( 40 1 155 1 )\n"
        " L2 ( Berg Cape ) 0 0 0 3 ( 40 1 155 1 )\n)\n"
        "DEMANDS (\n D1 ( Ålund Cape ) 1 60 UNLIMITED\n D2 ( Berg Cape ) 1 150 UNLIMITED\n"
        " D3 ( Cape Ålund ) 1 10 UNLIMITED\n)\n",
        encoding="utf-8",
    )
    xml = read(XML / "dimensioned.xml").scenario
    assert read(native).scenario.fingerprint() == xml.fingerprint()


@pytest.mark.parametrize("name", NAMES)
def test_the_library_itself_is_read(shared_data: Path, name: str) -> None:
    path = shared_data / "sndlib" / f"{name}.xml"
    assert detect(path).name == "sndlib-xml"
    reading = read(path)
    text = path.read_text(encoding="latin-1")
    scenario = reading.scenario
    assert scenario.topology.link_count == 2 * text.count("<link id=")
    assert scenario.traffic.flow_count == text.count("<demand id=")
    assert not scenario.routing_problems()
    assert (scenario.topology.link_delay_s > 0).all()
    overloaded = scenario.link_offered_load.max() > 1
    assert overloaded == (name == "abilene")
    assert overloaded == any("offer the busiest link" in text for text in reading.assumptions)
    assert overloaded or scenario.link_offered_load.max() <= 0.6 + 1e-9


@pytest.mark.parametrize("path", [XML / "dimensioned.xml", NATIVE / "network.txt"])
def test_a_damaged_file_gives_a_network_or_a_clear_error(tmp_path: Path, path: Path) -> None:
    data = path.read_bytes()
    chance = random.Random(1)
    for _ in range(150):
        damaged = bytearray(data[: chance.randrange(len(data))] if chance.random() < 0.3 else data)
        for _ in range(chance.randrange(4)):
            damaged[chance.randrange(len(damaged) or 1) : chance.randrange(len(data))] = bytes(
                chance.choices(b"()<>/&#0x9-eE. \n\xff\0", k=chance.randrange(3))
            ) + bytes(damaged[-chance.randrange(1, 90) :])
        copy = tmp_path / "damaged"
        copy.write_bytes(damaged)
        try:
            read(copy, format=path.parent.name)
        except FormatError as error:
            assert error.reason
            assert error.remedy
