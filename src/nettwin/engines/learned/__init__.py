"""Learned: network models that are trained, and what they have in common."""
