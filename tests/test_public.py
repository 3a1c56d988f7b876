"""The public names: what users may import from nettwin itself."""

from __future__ import annotations

import subprocess
import sys

import pytest

import nettwin

NAMES = """
AddFlow AmbiguousNameError ImportDefaults Autocorrelated Binomial CBR Change ChangeError Comparison
Discrete Exponential FailBundle FailGroup FailLink FailNode Failure Fixed Flow FormatError
InputError Interval Link MMPP Metrics MissingExtraError NettwinError NetworkModel Node OnOff Paths
Poisson Queue RateLimit Reading RemoveFlow RestoreBundle RestoreGroup RestoreLink RestoreNode
Routing ScaleTraffic Scenario ScenarioError Scheduler SetBuffer SetCapacity SetPath SetScheduler
SetWeight Steer Topology Trace Traffic Uniform UnknownNameError UnsupportedError WhatIf __version__
apply_all change_from_dict change_to_dict compare drr engine explain_flow explain_network
explain_port fifo generate in_words parse_change read read_all read_demands scenarios_over_time
Resilience resilience Demand bottlenecks delay_bounds drain fit strict_priority wfq what_if write
Avoid Expectation Intent Lever Objective Prices Selector Survive Cancel Gap NoProgress Seconds Steps
Target Event PacketSimulator State check_intent judge ChangePlan Problem find_plan read_change_plan
read_intent write_change_plan SearchParams read_params Counters DemandEstimate estimate_demands
Diagnosis Fault Incident diagnose rehearsed repair_plan
CapacityCase read_capacity_case RunOuts run_outs Upgrade cheapest_upgrade
read_counters write_demands
""".split()
HEAVY = ("numba", "pandas", "scipy", "matplotlib", "typer", "rich", "torch", "ruamel.yaml")


def test_public_names_are_these_and_no_others() -> None:
    assert sorted(nettwin.__all__) == sorted(NAMES)
    assert all(hasattr(nettwin, name) for name in NAMES)


def test_import_waits_with_heavy_libraries() -> None:
    code = f"import sys, nettwin; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "module", ["formats.partial_network", "formats.native", "interfaces.plots", "units"]
)
def test_a_module_can_be_imported_first(module: str) -> None:
    """Before the package's public names are, though they lead back to it."""
    subprocess.run([sys.executable, "-c", f"import nettwin.{module}"], check=True)
