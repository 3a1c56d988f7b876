"""Topology over time: a network as a source tells it now, against what was known of it before.

matching    which nodes and links of both are the same, renamed ones too
events      what changed, one event a change
ports       what telemetry tells: speeds and states
update      the new network: what the source does not tell stays as it was
"""
