"""Fuzzing of the readers: `python -m fuzz --list`, `python -m fuzz [FORMAT] --seconds 10`.

A reader may answer any bytes with a scenario or with a NettwinError; every other exception, a hang
or a flood of memory is a finding.

target   one function of bytes for each format        corpus  what it starts from
engine   the search by Atheris, one process a target  mutate  cheap changes for the tests
"""
