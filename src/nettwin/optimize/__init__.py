"""Optimize: search the Changes that meet an Intent.

optimize        the whole: from a problem to a plan
problem         a scenario, what is wanted of it and who predicts; how candidates are judged
methods         the registry; each method is made of parts that solve one array problem
steering        midpoints of flows as arrays; steering_of: from a problem and back to changes
pathing         explicit paths as arrays; pathing_of: the same for them
weighing        IGP weights as arrays; weighing_of: the same for them
segment_flows   unit flows of segments, in one or several states of the network
routing, guided the two stages of a search: by loads, and by what the model says of moves
levers          what may be changed, and the moves each of them offers
bounds          what no routing can undercut, and the proof that an intent cannot be met
trimming, order fewest changes, and a safe order of them
verification    what another engine refutes is learned from
stop, search    when a search ends; the best so far, the bound, progress

linear, constraint, local_search, reinforcement: how the array problems are solved; hybrid, auto:
several of them in turn
"""
