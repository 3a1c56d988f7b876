"""Linear programming: bounds that hold for every answer, and answers that come near them.

flow_problem      demand that may be split over any paths; what link lengths prove
flow_bound        bounds of it in milliseconds, and of several states of a network
flow_lp           the same exactly, as one linear program
columns           what column generation needs of a problem
segment_columns   paths over midpoints as columns; segment_pricing: the cheapest of them
explicit_columns  explicit paths as columns
master            the linear program over the columns known so far
generate          column generation: the one loop over pricing and master
rounding          whole flows from shares, or from nothing but known paths
segment_flow      what midpoints can reach at best when flows are split, by sweeps over sources
segment_lp        the same by column generation
segment_milp      whole flows exactly: all of them, or those that matter
solving           all of it, one after another, as far as the time goes
linear, paths     the optimizers: midpoints, and explicit paths
highs             the solver
"""
