"""Registry of telemetry sources: nettwin's own, and those of other packages."""

from __future__ import annotations

from nettwin.registry import Registry, adopt_choice
from nettwin.telemetry.source import SourceChoice

SOURCES: Registry[SourceChoice] = Registry(
    "telemetry source",
    "nettwin.sources",
    {
        "prometheus": "nettwin.telemetry.prometheus:PROMETHEUS",
        "snmp": "nettwin.telemetry.snmp.source:SNMP",
        "csv": "nettwin.telemetry.tabular:CSV",
        "parquet": "nettwin.telemetry.tabular:PARQUET",
        "influx": "nettwin.telemetry.event_files:INFLUX",
        "gnmic": "nettwin.telemetry.event_files:GNMIC",
        "irtt": "nettwin.telemetry.irtt:IRTT",
        "nfdump": "nettwin.telemetry.flows.files:NFDUMP_CHOICE",
        "pmacct": "nettwin.telemetry.flows.files:PMACCT_CHOICE",
        "goflow2": "nettwin.telemetry.flows.files:GOFLOW2_CHOICE",
    },
    adopt_choice(SourceChoice, "a telemetry source", "a SourceChoice, or open a Source"),
)
