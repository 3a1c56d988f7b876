"""Network calculus: delays that no delivered packet exceeds, from the scenario alone.

arrival_curves   what a flow sends at most in any time
port_bounds      what a port makes its packets wait at most
delay_bounds     both from hop to hop, until they agree
"""

from nettwin.calculus.delay_bounds import Bounds, bounds, delay_bounds

__all__ = ["Bounds", "bounds", "delay_bounds"]
