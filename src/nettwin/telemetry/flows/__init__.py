"""Flows: records of what was sent from whom to whom, as routers export and daemons collect them.

records    flow records as arrays, and what is wrong with them
dialects   the names that collectors have for the fields of a record
rows       the fields of records in a file
files      the sources: files of nfdump, pmacct and goflow2
prefixes   the node that an address belongs to
gathering  records summed by interval: of exporters, of pairs of nodes, of ports
factors    what exporters' flows must be multiplied by
reconcile  what flows add up to against what counters tell, link by link
"""
