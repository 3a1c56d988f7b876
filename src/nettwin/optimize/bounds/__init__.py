"""What no answer can undercut.

lower_bound   the lower bound printed beside an answer, for each lever, and proofs of infeasibility
proving       the same in the little time that a search leaves for it
"""
