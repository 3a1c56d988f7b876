"""Testbed: mean delays in networks of real devices under bursts of unknown length.

inputs      Scenario -> arrays: what the superposition of burst trains says of each port
forward     what a trained network makes of them, without PyTorch

Training is `nettwin.engines.learned.training.testbed`.
"""
