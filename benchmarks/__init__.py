"""Benchmarks: how fast and how true nettwin is, each with its protocol.

`python -m benchmarks list` names them; `python -m benchmarks report` makes docs/benchmarks.md from
the results that are kept under benchmarks/results.

benchmark      Figure, Outcome, Options: what a benchmark takes and gives
suite/         the benchmarks, one module each, found by being there
networks       the networks that they share
report         the results page                 environment    where the figures were taken
"""
