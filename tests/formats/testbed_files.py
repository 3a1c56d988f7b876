"""Makes the small testbed samples of tests/formats/good and broken, and those of the tests."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent
# a line of three routers, r0 - r1 - r2, on two switches. Links: 0 to 2 into r0, r1, r2 from the
# tester; 3 to 5 out of them to it; 6 r0 to switch, 7 on into r1; 8 r1 to switch, 9 on into r2, over
# the trunk 10; 11 and 12 to the tester, from either switch
CAPACITY = [1.0] * 10 + [80.0, 10.0, 10.0]
PATHS = {
    "b'0_1_0'": [0, 6, 7, 4, 11],
    "b'0_1_1'": [0, 6, 7, 4, 11],
    "b'0_2_0'": [10, 0, 6, 7, 8, 10, 9, 5, 12],
    "b'1_2_0'": [1, 8, 10, 9, 5, 12],
}


def arrays(scenarios: int = 2) -> dict[str, Any]:
    """A file's arrays: the same wiring, other rates in each scenario."""
    paths, flows = list(PATHS.values()), len(PATHS)
    rng = np.random.default_rng(5)
    rate = rng.uniform(1e7, 3e8, scenarios * flows)
    size = rng.integers(100, 1450, scenarios * flows) * 8.0
    kinds = np.tile([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [1.0, 0.0]], (scenarios, 1))
    return {
        "scenario_file": np.array(["results_lab_0000-0024.tar.gz"] * scenarios),
        "scenario_id": np.arange(scenarios),
        "flow_offset": np.arange(scenarios + 1) * flows,
        "link_offset": np.arange(scenarios + 1) * len(CAPACITY),
        "path_offset": np.cumsum([0, *(len(path) for path in paths * scenarios)]),
        "path_links": np.concatenate(paths * scenarios).astype(np.int32),
        "link_capacity": np.array(CAPACITY * scenarios, np.float32),
        "delay_ms": rng.uniform(0.06, 20, scenarios * flows).astype(np.float32),
        "flow_traffic": rate[:, None].astype(np.float32),
        "flow_packets": (rate / size)[:, None].astype(np.float32),
        "flow_packet_size": size[:, None].astype(np.float32),
        "flow_type": kinds.astype(np.float32),
        "flow_id": np.array(list(PATHS) * scenarios),
    }


def packed(content: dict[str, Any]) -> bytes:
    """The same as a file, every time the same."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in content.items():
            one = io.BytesIO()
            np.lib.format.write_array(one, np.asanyarray(values), allow_pickle=True)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), one.getvalue())
    return out.getvalue()


def changed(**values: Any) -> bytes:
    """A file with some of its arrays replaced."""
    return packed({**arrays(), **values})


def broken() -> dict[str, bytes]:
    """Files that must be refused, by name."""
    good = arrays()

    def put(name: str, index: Any, value: Any) -> bytes:
        values = good[name].copy()
        values[index] = value
        return changed(**{name: values})

    missing = {name: values for name, values in good.items() if name != "flow_type"}
    return {
        "missing_array.npz": packed(missing),
        "cut_short.npz": packed(good)[:900],
        "pickled.npz": changed(delay_ms=np.array([{}] * 8, object)),
        "negative_delay.npz": put("delay_ms", 2, -1.0),
        "delay_unknown.npz": put("delay_ms", 2, np.nan),
        "no_rate.npz": put("flow_traffic", 1, 0.0),
        "no_capacity.npz": put("link_capacity", 4, 0.0),
        "both_types.npz": put("flow_type", 0, (1.0, 1.0)),
        "link_too_high.npz": put("path_links", 0, 99),
        "path_twice_through.npz": put("path_links", 3, 6),
        "no_tester_port.npz": put("path_links", 4, 5),
        "label.npz": put("flow_id", 0, "b'0-1'"),
        "label_twice.npz": put("flow_id", 1, "b'0_1_0'"),
        "offsets_back.npz": put("path_offset", 3, 2),
        "offsets_short.npz": changed(flow_offset=np.array([0, 8])),
        "words_for_numbers.npz": changed(flow_traffic=np.array(["a"] * 8)),
    }


if __name__ == "__main__":
    (FOLDER / "good/testbed/lab.npz").write_bytes(packed(arrays()))
    for name, data in broken().items():
        (FOLDER / "broken/testbed" / name).write_bytes(data)
