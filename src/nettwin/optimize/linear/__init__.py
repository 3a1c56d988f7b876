"""Linear programming: bounds that hold for every answer, and answers that come near them.

flow_problem  demand that may be split over any ways; what link lengths prove
flow_bound    bounds of it in milliseconds, and of several states of a network
flow_lp       the same exactly, as one linear program
"""
