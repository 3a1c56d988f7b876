"""Training: what the trainings of models and of agents have in common.

curves       what a training went through, in a file and in TensorBoard
provenance   the version and the commit that trained
"""
