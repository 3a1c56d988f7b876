"""Local search: many small changes, each with the loads that it changes and no others.

segments         SR midpoints, led by prices of links; fewest: the same with fewer flows moved;
                 repaired: limits kept
moves, kernels   rounds of moves of flows, cut into pieces; one move and its loads
repairs          limits kept, flows sent back, paths drawn anew
weights          IGP weights
weight_moves, weight_kernels   changes worth trying; one change and its loads
"""

from nettwin.optimize.solvers.local_search.fewest import fewest
from nettwin.optimize.solvers.local_search.repaired import repaired
from nettwin.optimize.solvers.local_search.segments import segments
from nettwin.optimize.solvers.local_search.weights import weights

__all__ = ["fewest", "repaired", "segments", "weights"]
