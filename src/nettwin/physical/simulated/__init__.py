"""The simulated network: it behaves by packets, on this machine, without rights.

network    SimulatedNetwork: observe, inject, what it tells    packets   the packets in motion
devices    its routers, on which changes are made              record    what it keeps on disk
hidden     what the twin does not know of it                   load      how much is sent when
"""

from __future__ import annotations

from nettwin.physical.network import NetworkChoice, Opening
from nettwin.physical.simulated.network import Simulated, SimulatedNetwork


def _open(opening: Opening) -> SimulatedNetwork:
    return SimulatedNetwork(opening.plan, opening.folder, Simulated.of(opening.settings))


SIMULATED = NetworkChoice(
    "simulated", "routers and packets simulated on this machine; needs no rights", _open
)
