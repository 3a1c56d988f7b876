"""Reinforcement: agents on graph networks that choose midpoints and raise IGP weights.

Environments and policies work on arrays and need no PyTorch; `training` does. No trained agent
ships yet: an agent that was trained is read from its file.
"""
