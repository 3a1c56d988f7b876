"""Demands: the traffic matrix that explains what links counted (traffic matrix estimation).

equations    counters = routing matrix times demands     conservation  what nodes' balances say
priors       gravity, an earlier measured day            covariance    how demands vary, learned
methods      the methods by name                         bayes          priors and counters weighed
timescales   slow and fast parts                         kalman         step by step in time
kernels      sums over the counters that see a pair, compiled

Zhang, Roughan, Duffield and Greenberg, Fast accurate computation of large-scale IP traffic
matrices from link loads, SIGMETRICS 2003.
"""

from __future__ import annotations

from nettwin.apps.demands.estimation import DemandEstimate, estimate_demands
from nettwin.apps.demands.methods import METHODS

__all__ = ["METHODS", "DemandEstimate", "estimate_demands"]
