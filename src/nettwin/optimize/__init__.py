"""Optimize: search the Changes that meet an Intent.

optimize        the whole: from a problem to a change plan
problem         a scenario, what is wanted of it and who predicts; how candidates are judged
methods         the registry; each method is made of solvers, one for each array problem
params          the constants of a search, how its time is spent among them
search, stop    the best so far, the bound, progress; when a search ends
problems/       what is to be chosen, as arrays: SR midpoints, explicit paths, IGP weights; each has
                a builder, from a Problem and back to Changes
solvers/        how array problems are solved: local_search, linear (column generation), constraint
                (CP-SAT), reinforcement; hybrid and auto run several of them in turn
model_guided/   what a NetworkModel says of single moves decides: delay, loss, queues, failures
bounds/         what no routing can undercut, and the proof that an intent cannot be met
finishing/      fewest changes, their safe order, and what another engine refutes
"""
