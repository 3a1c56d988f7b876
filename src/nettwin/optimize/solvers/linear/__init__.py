"""Linear programming: bounds that hold for every answer, and answers that come near them.

flow_problem  demand that may be split over any ways; what link lengths prove
flow_bound    bounds of it in milliseconds, and of several states of a network
flow_lp       the same exactly, as one linear program
paths          what demands may take, priced: midpoints
master        the linear program over the paths known so far
generate      column generation: the one loop over pricing and master
rounding      whole flows from shares, or from nothing but known paths
segment_lp    what midpoints can reach at best, whatever their number
segment_milp  whole flows exactly: all of them, or those that matter
path_ways     explicit paths, priced
solving       all of it, one after another, as far as the time goes
linear, paths the optimizers: midpoints, and explicit paths
highs         the solver
"""
