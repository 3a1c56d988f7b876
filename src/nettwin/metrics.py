"""Metrics: how a network behaves, as tables per flow, link and queue, and in total.

Delays are one-way (RFC 7679), loss as in RFC 7680; delay variation is the variance of the one-way
delay and says so in its name (RFC 3393 and 5481 know several others).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import UnknownNameError
from nettwin.quantity import Quantity, by_name, frozen

if TYPE_CHECKING:
    import pandas as pd

    from nettwin.scenario.scenario import Scenario

Method = Literal["measured", "simulated", "predicted"]

FLOW_METRICS = by_name(
    Quantity("owd_mean_s", "s", "mean one-way delay of delivered packets", low=0, optional=True),
    Quantity("owd_p50_s", "s", "median one-way delay", low=0, optional=True),
    Quantity("owd_p90_s", "s", "90th percentile of one-way delay", low=0, optional=True),
    Quantity("owd_p99_s", "s", "99th percentile of one-way delay", low=0, optional=True),
    Quantity("pdv_s2", "s2", "variance of one-way delay", low=0, optional=True),
    Quantity("loss_ratio", "", "packets lost over packets sent", low=0, high=1, optional=True),
    Quantity("throughput_bps", "bit/s", "delivered bits a second", low=0, optional=True),
)
# Of links too, but the scenario tells it and no engine: what the routing sends to a link
LINK_DEMAND = by_name(
    Quantity(
        "offered_load",
        "",
        "load offered to the link over its capacity, nothing lost on the path; above 1 it is"
        " overloaded",
        low=0,
    ),
)
LINK_METRICS = by_name(
    Quantity(
        "utilization",
        "",
        "share of time that the port sends: what is carried over the capacity",
        low=0,
        high=1.0001,
        optional=True,
    ),
    Quantity(
        "loss_ratio",
        "",
        "packets refused over packets offered to the port",
        low=0,
        high=1,
        optional=True,
    ),
    Quantity("throughput_bps", "bit/s", "bits sent a second", low=0, optional=True),
)
QUEUE_METRICS = by_name(
    Quantity(
        "utilization",
        "",
        "share of the port's time spent on this queue",
        low=0,
        high=1.0001,
        optional=True,
    ),
    Quantity(
        "occupancy_mean_bits", "bit", "time average of the bits waiting", low=0, optional=True
    ),
    Quantity("occupancy_max_bits", "bit", "most bits that waited", low=0, optional=True),
    Quantity(
        "occupancy_mean_packets",
        "packets",
        "time average of the packets waiting",
        low=0,
        optional=True,
    ),
    Quantity(
        "loss_ratio",
        "",
        "packets refused over packets offered to the queue",
        low=0,
        high=1,
        optional=True,
    ),
    Quantity(
        "delay_mean_s",
        "s",
        "mean time from entering the queue to leaving the port",
        low=0,
        optional=True,
    ),
)


@dataclass(frozen=True)
class Table:
    """Columns of equal length; `low` and `high` bound some of them (`Metrics.confidence` says how
    surely)."""

    columns: Mapping[str, NDArray[np.float64]]
    low: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    high: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("columns", "low", "high"):
            ready = {k: frozen(v, np.float64) for k, v in getattr(self, name).items()}
            object.__setattr__(self, name, ready)

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        try:
            return self.columns[name]
        except KeyError:
            raise UnknownNameError("column", name, self.columns) from None

    def __contains__(self, name: str) -> bool:
        return name in self.columns

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def frame(self, names: tuple[str, ...], kind: str) -> pd.DataFrame:
        """As a pandas table with named rows; bounds become columns `NAME_low` and `NAME_high`."""
        import pandas as pd

        data: dict[str, NDArray[np.float64]] = {}
        for name, values in self.columns.items():
            data[name] = values
            if name in self.low:
                data[f"{name}_low"], data[f"{name}_high"] = self.low[name], self.high[name]
        return pd.DataFrame(data, index=pd.Index(names, name=kind))


@dataclass(frozen=True)
class Metrics:
    """What a network does in a scenario: measured, simulated or predicted.

    Rows follow the scenario's flows, links and queues. NaN is "not known"; a flow that delivers
    nothing has loss 1 and no delay. `provenance` says where the numbers come from: engine, its
    parameters, seed, the scenario's fingerprint, why a simulation stopped. `flagged` marks flows
    whose prediction the engine expects to be off; None where it flags none.
    """

    flow: Table
    link: Table
    queue: Table
    method: Method
    engine: str
    provenance: Mapping[str, Any] = field(default_factory=dict)
    confidence: float = 0.95
    flagged: NDArray[np.bool_] | None = None  # [flows]

    def __post_init__(self) -> None:
        if self.flagged is not None:
            object.__setattr__(self, "flagged", frozen(self.flagged, np.bool_))

    @property
    def answered_by(self) -> str:
        """The engine that answered: of one that chooses among several, the one that was chosen."""
        return str(self.provenance.get("answered_by", self.engine))

    @property
    def because(self) -> tuple[str, ...]:
        """Why the engine that answered is not the one of first choice; empty where it is."""
        return tuple(self.provenance.get("because", ()))

    @property
    def label(self) -> str:
        """The engine for people: `twin (theory)` where a twin let theory answer."""
        own = self.answered_by
        return self.engine if own == self.engine else f"{self.engine} ({own})"

    @property
    def flagged_count(self) -> int:
        """How many flows are flagged."""
        return 0 if self.flagged is None else int(np.count_nonzero(self.flagged))

    def flows(self, scenario: Scenario) -> pd.DataFrame:
        """The flows' metrics as a table, by name; `flagged` where the engine flags any."""
        table = self.flow.frame(scenario.flow_names, "flow")
        if self.flagged is not None:
            table["flagged"] = self.flagged
        return table

    def links(self, scenario: Scenario) -> pd.DataFrame:
        """The links' metrics as a table, by name, after the load that is offered to them."""
        table = self.link.frame(scenario.topology.link_name, "link")
        table.insert(0, "offered_load", scenario.link_offered_load)
        return table

    def queues(self, scenario: Scenario) -> pd.DataFrame:
        """The queues' metrics as a table, by name."""
        return self.queue.frame(scenario.queue_names, "queue")

    def totals(self, scenario: Scenario) -> dict[str, float]:
        """The whole network: delay over delivered and loss over sent packets, and the worst.

        `offered_load_max` is exact and may exceed 1; `utilization_max` is what links carry.
        """
        packets = scenario.traffic.flow_packet_rate_pps
        loss = np.nan_to_num(self.flow["loss_ratio"])
        delay = self.flow["owd_mean_s"]
        known = np.isfinite(delay)
        delivered = np.where(known, packets * (1 - loss), 0.0)
        sent = float(packets.sum())
        utilization = self.link["utilization"] if "utilization" in self.link else np.zeros(0)
        utilization = utilization[np.isfinite(utilization)]
        return {
            "owd_mean_s": _ratio(
                float((delivered * np.where(known, delay, 0.0)).sum()), float(delivered.sum())
            ),
            "owd_worst_flow_s": float(np.nanmax(delay)) if known.any() else np.nan,
            "loss_ratio": _ratio(float((packets * loss).sum()), sent),
            "offered_bps": float(scenario.traffic.flow_rate_bps.sum()),
            "throughput_bps": float(np.nansum(self.flow["throughput_bps"]))
            if "throughput_bps" in self.flow
            else np.nan,
            "offered_load_max": float(scenario.link_offered_load.max(initial=0.0)),
            "utilization_max": float(utilization.max()) if len(utilization) else np.nan,
            "utilization_mean": float(utilization.mean()) if len(utilization) else np.nan,
            "unroutable_flows": float(np.count_nonzero(scenario.paths.status)),
        }


@dataclass(frozen=True)
class Interval:
    """Metrics of one stretch of time, and the network as it was then; a time series is a list of
    them."""

    start_s: float
    end_s: float
    metrics: Metrics
    scenario: Scenario


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
