"""Discovered topologies: what routers and inventories tell of which port is joined to which.

adjacencies   ports joined in pairs, told by one end or both, to a network
neighbors     LLDP and CDP neighbors in JSON
openconfig    interfaces, LAGs and LLDP as OpenConfig models them
link_state    adjacencies with costs, to ports that are joined
ospf, isis    link-state databases as FRR shows them; system_ids: which host has which
inventory     devices, interfaces and cables as NetBox exports them; cable_tables: as CSV
records       values of JSON by the names that they have in several tools
"""
