"""Capacity planning: how traffic grows, when links and intents run out, the cheapest upgrades.

case       what is asked: growth, modules, costs, budgets     reader    the same as a YAML file
series     forecasts of series, with intervals                history   growth of measured traffic
loads      loads of groups of flows under every failure       hose      what any matrix may do
runout     when links and intents run out                     purchase  what is bought when
upgrade    the cheapest upgrades, checked and repaired        rules     what people do instead
lines      links of both directions, and new ones             words     the answer in words
"""

from __future__ import annotations

from nettwin.apps.capacity.case import Candidate, CapacityCase, Group, Module
from nettwin.apps.capacity.reader import read_case

__all__ = ["Candidate", "CapacityCase", "Group", "Module", "read_case"]
