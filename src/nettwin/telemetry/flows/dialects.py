"""Dialects: the names that collectors have for the fields of a flow record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PROTOCOLS: Mapping[str, str] = {
    "1": "icmp", "2": "igmp", "4": "ipip", "6": "tcp", "17": "udp", "47": "gre", "50": "esp",
    "58": "ipv6-icmp", "89": "ospf", "132": "sctp",
}  # fmt: skip


@dataclass(frozen=True)
class Dialect:
    """Of each field of a record the names that it may have, the first that is there is taken."""

    name: str
    fields: Mapping[str, tuple[str, ...]]


NFDUMP = Dialect(
    "nfdump",
    {
        "begin": ("first", "ts"),
        "end": ("last", "te"),
        "arrived": ("received", "tr"),
        "exporter": ("ip4_router", "ip6_router", "ra"),
        "in_port": ("input_snmp", "in"),
        "out_port": ("output_snmp", "out"),
        "source": ("src4_addr", "src6_addr", "sa"),
        "target": ("dst4_addr", "dst6_addr", "da"),
        "protocol": ("proto", "pr"),
        "source_port": ("src_port", "sp"),
        "target_port": ("dst_port", "dp"),
        "octets": ("in_bytes", "ibyt"),
        "packets": ("in_packets", "ipkt"),
        "egress": ("direction", "dir"),
    },
)
PMACCT = Dialect(
    "pmacct",
    {
        "begin": ("timestamp_start", "TIMESTAMP_START", "stamp_inserted", "STAMP_INSERTED"),
        "end": ("timestamp_end", "TIMESTAMP_END", "stamp_updated", "STAMP_UPDATED"),
        "arrived": ("timestamp_arrival", "TIMESTAMP_ARRIVAL"),
        "exporter": ("peer_ip_src", "PEER_SRC_IP"),
        "in_port": ("iface_in", "IN_IFACE"),
        "out_port": ("iface_out", "OUT_IFACE"),
        "source": ("ip_src", "SRC_IP"),
        "target": ("ip_dst", "DST_IP"),
        "protocol": ("ip_proto", "PROTOCOL"),
        "source_port": ("port_src", "SRC_PORT"),
        "target_port": ("port_dst", "DST_PORT"),
        "octets": ("bytes", "BYTES"),
        "packets": ("packets", "PACKETS"),
        "sampling": ("sampling_rate", "SAMPLING_RATE"),
    },
)
GOFLOW2 = Dialect(
    "goflow2",
    {
        "begin": ("time_flow_start_ns", "time_flow_start"),
        "end": ("time_flow_end_ns", "time_flow_end"),
        "arrived": ("time_received_ns", "time_received"),
        "exporter": ("sampler_address",),
        "in_port": ("in_if",),
        "out_port": ("out_if",),
        "source": ("src_addr",),
        "target": ("dst_addr",),
        "protocol": ("proto",),
        "source_port": ("src_port",),
        "target_port": ("dst_port",),
        "octets": ("bytes",),
        "packets": ("packets",),
        "sampling": ("sampling_rate",),
        "egress": ("flow_direction",),
    },
)
NEEDED = ("begin", "source", "target", "octets")
