"""Quantities: what telemetry may tell of a port or between two nodes, each with its unit.

A counter only grows, until it wraps or its device starts anew; a gauge is a number at its time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple


class TelemetryQuantity(NamedTuple):
    """Something that is measured: its name, unit, kind and meaning."""

    name: str
    unit: str
    kind: Literal["counter", "gauge"]
    meaning: str


QUANTITIES: Mapping[str, TelemetryQuantity] = {
    quantity.name: quantity
    for quantity in (
        TelemetryQuantity("out_octets", "octet", "counter", "octets that the port sent"),
        TelemetryQuantity("in_octets", "octet", "counter", "octets that the port received"),
        TelemetryQuantity("out_packets", "packet", "counter", "packets that the port sent"),
        TelemetryQuantity("in_packets", "packet", "counter", "packets that the port received"),
        TelemetryQuantity("out_drops", "packet", "counter", "packets that full queues refused"),
        TelemetryQuantity("out_errors", "packet", "counter", "packets lost to errors in sending"),
        TelemetryQuantity("in_errors", "packet", "counter", "packets received with errors"),
        TelemetryQuantity("out_bps", "bit/s", "gauge", "rate that the port sends at"),
        TelemetryQuantity("in_bps", "bit/s", "gauge", "rate that the port receives at"),
        TelemetryQuantity("speed_bps", "bit/s", "gauge", "speed of the port; 0 is not known"),
        TelemetryQuantity("up", "", "gauge", "1 where the port is up, anything else where not"),
        TelemetryQuantity("owd_mean_s", "s", "gauge", "one-way delay from device to target"),
        TelemetryQuantity("rtt_s", "s", "gauge", "round-trip time between device and target"),
        TelemetryQuantity("loss_ratio", "", "gauge", "share of probes lost to the target"),
        TelemetryQuantity(
            "flow_octets", "octet", "gauge", "octets of a flow record, from device to target"
        ),
    )
}
