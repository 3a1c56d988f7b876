"""The array problems: what is to be chosen, its limits, and the loads that follow.

segment_routing   SR midpoints of flows; segment_flows: where the traffic of each segment goes
explicit_paths    one path a flow, as links
link_weights      IGP weights of links
failover          loads of SR flows in the states of the network that failures make
*_builder         each from a Problem, and its answers back to Changes
"""
