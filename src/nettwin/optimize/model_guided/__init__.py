"""Searches that ask a NetworkModel about every move.

guided   the climb: moves of all levers, ranked by what the model predicts
levers/  what may be changed (paths, weights, queues, rates ...), and the moves each offers
"""
