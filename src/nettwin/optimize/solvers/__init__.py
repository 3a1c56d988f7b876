"""The solvers of array problems, a folder or module for each method.

routing           the stage that all methods share: build the array problem, solve, make changes
local_search/     moves of single flows, kicks, weights
linear/           linear programs by column generation, and whole flows from them
constraint/       CP-SAT over candidate paths
reinforcement/    policies of graph neural networks, trained beforehand
hybrid, auto      several of them in turn
"""
