"""Telemetry: what a network already emits, read from many kinds of source into one kind of series.

quantities   what may be measured, with units    series    samples of one quantity at one port
source       the contract; the scale of quality  registry  SOURCES
source_file  YAML: a source and its names        columns   a quantity's column, and its unit
ports        ports to links                      counters  counters to totals over time
links        the load of links on a grid of time findings  what was found, what was done
http         asking a server

One module a kind of source: `prometheus`, ...
"""
