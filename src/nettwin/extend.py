"""Extend: what packages that add engines, formats, changes or optimizers import from nettwin.

Together with the names in `nettwin` itself and the contract tests in `nettwin.testing` this is all
they need; modules below are arranged as nettwin likes and may move (docs/extend.md).

engines     EngineChoice, HopSplit, Explainable: how people choose one, how its delays come about
            Table: columns of metrics
formats     Format: the contract; PartialNetwork, PartialLink, PartialFlow: a network with
            gaps, which defaults fill
            read_text, write_text: limited reading, atomic writing
changes     find_links, check_value: what edits name, and whether a value is in range
optimizers  Method: what is registered; SegmentRoutingProblem: the array problem; Search:
            what is reported to
networks    SteeredNetwork: what to inherit; NetworkChoice, Opening: how one is chosen and opened
sources     Source: the contract; SourceChoice, SourceOpening, SourceQuality: how one is chosen and
            opened; Port, Series: what it gives
registries  ACTUATORS, CHANGES, ENGINES, FORMATS, NETWORKS, OPTIMIZERS, SOURCES;
            PluginWarning: a member that is not used
"""

from nettwin.formats import FORMATS, Format
from nettwin.formats.files import read_text, write_text
from nettwin.formats.partial_network import PartialFlow, PartialLink, PartialNetwork
from nettwin.interfaces.wiring import ENGINES, EngineChoice
from nettwin.metrics import FLOW_METRICS, LINK_METRICS, QUEUE_METRICS, Table
from nettwin.model import Explainable, HopSplit
from nettwin.optimize.methods import OPTIMIZERS, Method
from nettwin.optimize.problems.segment_routing import SegmentRoutingProblem
from nettwin.optimize.search import Search
from nettwin.physical.applying import SteeredNetwork
from nettwin.physical.network import NetworkChoice, Opening
from nettwin.physical.registry import ACTUATORS, NETWORKS
from nettwin.quantity import Quantity
from nettwin.registry import PluginWarning, Registry
from nettwin.scenario.changes import CHANGES, find_links
from nettwin.scenario.changes.change import check_value
from nettwin.telemetry.registry import SOURCES
from nettwin.telemetry.series import Port, Series
from nettwin.telemetry.source import Opening as SourceOpening
from nettwin.telemetry.source import Quality as SourceQuality
from nettwin.telemetry.source import Source, SourceChoice

__all__ = [
    "ACTUATORS",
    "CHANGES",
    "ENGINES",
    "FLOW_METRICS",
    "FORMATS",
    "LINK_METRICS",
    "NETWORKS",
    "OPTIMIZERS",
    "QUEUE_METRICS",
    "SOURCES",
    "EngineChoice",
    "Explainable",
    "Format",
    "HopSplit",
    "Method",
    "NetworkChoice",
    "Opening",
    "PartialFlow",
    "PartialLink",
    "PartialNetwork",
    "PluginWarning",
    "Port",
    "Quantity",
    "Registry",
    "Search",
    "SegmentRoutingProblem",
    "Series",
    "Source",
    "SourceChoice",
    "SourceOpening",
    "SourceQuality",
    "SteeredNetwork",
    "Table",
    "check_value",
    "find_links",
    "read_text",
    "write_text",
]
