"""Constraint programming: a few flows at the bottleneck choose anew, again and again (CP-SAT).

midpoints, paths     the optimizers: a SegmentRoutingProblem, and an ExplicitPathProblem
assignment           the path of each flow, and others that it may take, as loads on links
segment_assignment, explicit_assignment   the same over midpoints, and of explicit paths
neighborhood         which flows choose, and what they aim at
whole                all flows at once, exactly, where their paths are few
choice               one choice as a program
"""

from nettwin.optimize.solvers.constraint.midpoints import constraint
from nettwin.optimize.solvers.constraint.paths import constraint_paths

__all__ = ["constraint", "constraint_paths"]
