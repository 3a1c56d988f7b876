"""The linux network: real routers in namespaces of this machine, with real traffic; needs root.

network     LinuxNetwork: observe, inject, what it tells   devices    the actuator of its routers
host        the process that holds the routers             routers    what it does, by indices
namespaces  network namespaces and cables                  frr        zebra and ospfd
ports       schedulers as queueing disciplines             addresses  names, addresses, segments
tables      what the kernel has, read
traffic     packets sent and received                      schedule   when they are sent
measuring   from counts to metrics                         history    what was set, on disk
runs        what runs, and removing what was left behind   needs      what a machine must have
"""

from __future__ import annotations

from nettwin.physical.linux.needs import missing
from nettwin.physical.network import Network, NetworkChoice, Opening


def _open(opening: Opening) -> Network:
    from nettwin.errors import NetworkError

    if words := missing():
        raise NetworkError(words)
    from nettwin.physical.linux.network import Linux, LinuxNetwork

    return LinuxNetwork(opening.plan, opening.folder, Linux.of(opening.settings))


LINUX = NetworkChoice(
    "linux",
    "routers of Linux and FRR on this machine, with real packets; needs root",
    _open,
    missing,
)
