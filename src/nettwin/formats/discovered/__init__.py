"""Discovered topologies: what routers and inventories tell of which port is joined to which.

adjacencies   ports joined in pairs, told by one end or both, to a network
neighbors     LLDP and CDP neighbors in JSON
link_state    OSPF and IS-IS databases in JSON, as FRR shows them
inventory     devices, interfaces and cables as NetBox exports them
records       values of JSON by the names that they have in several tools
"""
