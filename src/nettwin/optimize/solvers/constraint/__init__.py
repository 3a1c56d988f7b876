"""Constraint programming: a few flows at the bottleneck choose anew, again and again (CP-SAT).

midpoints, midpoint_ways   SR midpoints of a SegmentRoutingProblem, and the paths that they make
paths, path_ways           explicit paths of a Pathing, and which are worth a try
neighborhood               which flows choose, and what they aim at; whole: all of them, exactly
choice                     one choice as a program; paths: what a flow may take, as loads
"""

from nettwin.optimize.solvers.constraint.midpoints import constraint
from nettwin.optimize.solvers.constraint.paths import constraint_paths

__all__ = ["constraint", "constraint_paths"]
