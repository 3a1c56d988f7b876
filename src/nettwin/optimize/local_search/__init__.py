"""Local search: many small moves, each with the loads that it changes and no others.

segments   SR midpoints, led by prices of links
fewest     the same answer with fewer flows moved
moves      rounds of moves of flows, cut into pieces
kernels    one move and its loads, in machine code
"""

from nettwin.optimize.local_search.fewest import fewest
from nettwin.optimize.local_search.segments import segments

__all__ = ["fewest", "segments"]
