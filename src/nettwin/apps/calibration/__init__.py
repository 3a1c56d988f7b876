"""Calibration: a twin corrected by what was measured of its network.

corrections   what differs from the plan, and the twin's scenario with it
estimate      the corrections that explain observations best, and how sure they are
calibrated    the twin of a workspace, corrected from its history
trend         how far the twin is off over time, before and after
"""
