"""Optimize: search the Changes that meet an Intent.

segment_flows   unit flows of segments, in one or several states of the network
steering        what is about load, as arrays: the problem that every routing method solves
stop, search    when a search ends; the best so far, the bound, progress
"""
