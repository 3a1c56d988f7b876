"""Every public name; `nettwin` imports them when the first of them is asked for."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from nettwin.apps.capacity.case import CapacityCase
from nettwin.apps.capacity.reader import read_case as read_capacity_case
from nettwin.apps.capacity.runout import RunOuts, run_outs
from nettwin.apps.capacity.upgrade import Upgrade
from nettwin.apps.capacity.upgrade import upgrade as cheapest_upgrade
from nettwin.apps.comparison import Comparison, compare
from nettwin.apps.demands.estimation import DemandEstimate, estimate_demands
from nettwin.apps.explanation.explanation import explain_flow, explain_network, explain_port
from nettwin.apps.explanation.words import in_words
from nettwin.apps.planning import find_plan
from nettwin.apps.resilience.bottlenecks import bottlenecks
from nettwin.apps.resilience.customers import Demand, fit
from nettwin.apps.resilience.maintenance import drain
from nettwin.apps.resilience.resilience import Failure, Resilience, resilience
from nettwin.apps.troubleshooting.advice import repair_plan
from nettwin.apps.troubleshooting.diagnosis import Diagnosis, diagnose
from nettwin.apps.troubleshooting.faults import Fault
from nettwin.apps.troubleshooting.incident import Incident
from nettwin.apps.troubleshooting.rehearsal import rehearsed
from nettwin.apps.whatif import WhatIf, what_if
from nettwin.calculus import delay_bounds
from nettwin.change_plan import ChangePlan
from nettwin.errors import (
    AmbiguousNameError,
    ChangeError,
    FormatError,
    InputError,
    MissingExtraError,
    NettwinError,
    ScenarioError,
    UnknownNameError,
    UnsupportedError,
)
from nettwin.formats import ImportDefaults, Reading, read, read_all, write
from nettwin.formats.change_plan import read_change_plan, write_change_plan
from nettwin.formats.counters import Counters, read_counters
from nettwin.formats.demands import read_demands, scenarios_over_time, write_demands
from nettwin.formats.intent import read_intent
from nettwin.intent.check import check as check_intent
from nettwin.intent.intent import Avoid, Expectation, Intent, Lever, Objective, Prices, Survive
from nettwin.intent.judgement import State, judge
from nettwin.intent.selector import Selector
from nettwin.interfaces.wiring import engine
from nettwin.metrics import Interval, Metrics
from nettwin.model import NetworkModel
from nettwin.optimize.params import SearchParams, read_params
from nettwin.optimize.problem import Problem
from nettwin.optimize.stop import Cancel, Gap, NoProgress, Seconds, Steps, Target
from nettwin.scenario.arrivals import CBR, MMPP, Autocorrelated, OnOff, Poisson, Trace
from nettwin.scenario.changes import (
    AddFlow,
    Change,
    FailBundle,
    FailGroup,
    FailLink,
    FailNode,
    RateLimit,
    RemoveFlow,
    RestoreBundle,
    RestoreGroup,
    RestoreLink,
    RestoreNode,
    ScaleTraffic,
    SetBuffer,
    SetCapacity,
    SetPath,
    SetScheduler,
    SetWeight,
    apply_all,
    change_from_dict,
    change_to_dict,
    parse_change,
)
from nettwin.scenario.generate import generate
from nettwin.scenario.packet_sizes import Binomial, Discrete, Exponential, Fixed, Uniform
from nettwin.scenario.paths import Paths
from nettwin.scenario.routing import Routing, Steer
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import Queue, Scheduler, drr, fifo, strict_priority, wfq
from nettwin.scenario.topology import Link, Node, Topology
from nettwin.scenario.traffic import Flow, Traffic

if TYPE_CHECKING:
    from nettwin.engines.packet import Event, PacketSimulator

__all__ = [
    "CBR",
    "MMPP",
    "AddFlow",
    "AmbiguousNameError",
    "Autocorrelated",
    "Avoid",
    "Binomial",
    "Cancel",
    "CapacityCase",
    "Change",
    "ChangeError",
    "ChangePlan",
    "Comparison",
    "Counters",
    "Demand",
    "DemandEstimate",
    "Diagnosis",
    "Discrete",
    "Event",
    "Expectation",
    "Exponential",
    "FailBundle",
    "FailGroup",
    "FailLink",
    "FailNode",
    "Failure",
    "Fault",
    "Fixed",
    "Flow",
    "FormatError",
    "Gap",
    "ImportDefaults",
    "Incident",
    "InputError",
    "Intent",
    "Interval",
    "Lever",
    "Link",
    "Metrics",
    "MissingExtraError",
    "NettwinError",
    "NetworkModel",
    "NoProgress",
    "Node",
    "Objective",
    "OnOff",
    "PacketSimulator",
    "Paths",
    "Poisson",
    "Prices",
    "Problem",
    "Queue",
    "RateLimit",
    "Reading",
    "RemoveFlow",
    "Resilience",
    "RestoreBundle",
    "RestoreGroup",
    "RestoreLink",
    "RestoreNode",
    "Routing",
    "RunOuts",
    "ScaleTraffic",
    "Scenario",
    "ScenarioError",
    "Scheduler",
    "SearchParams",
    "Seconds",
    "Selector",
    "SetBuffer",
    "SetCapacity",
    "SetPath",
    "SetScheduler",
    "SetWeight",
    "State",
    "Steer",
    "Steps",
    "Survive",
    "Target",
    "Topology",
    "Trace",
    "Traffic",
    "Uniform",
    "UnknownNameError",
    "UnsupportedError",
    "Upgrade",
    "WhatIf",
    "apply_all",
    "bottlenecks",
    "change_from_dict",
    "change_to_dict",
    "cheapest_upgrade",
    "check_intent",
    "compare",
    "delay_bounds",
    "diagnose",
    "drain",
    "drr",
    "engine",
    "estimate_demands",
    "explain_flow",
    "explain_network",
    "explain_port",
    "fifo",
    "find_plan",
    "fit",
    "generate",
    "in_words",
    "judge",
    "parse_change",
    "read",
    "read_all",
    "read_capacity_case",
    "read_change_plan",
    "read_counters",
    "read_demands",
    "read_intent",
    "read_params",
    "rehearsed",
    "repair_plan",
    "resilience",
    "run_outs",
    "scenarios_over_time",
    "strict_priority",
    "wfq",
    "what_if",
    "write",
    "write_change_plan",
    "write_demands",
]

_LATE = {
    "Event": "nettwin.engines.packet",
    "PacketSimulator": "nettwin.engines.packet",
}  # names whose modules are heavy, imported when they are asked for


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATE[name]), name)
