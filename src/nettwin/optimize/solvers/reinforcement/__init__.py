"""Reinforcement: agents with graph networks, trained on networks of our own making.

agents                  trained agents as optimizers: midpoints of critical demands, IGP weights
midpoint_environment    critical demands one after another; candidates: what each choice would cost
weight_environment      weights raised one link at a time
link_graph              message passing among links; midpoint_policy, weight_policy: on top of it
teachers                who says what to do before there is an agent
agent_file              weights with their card
gym                     the environments for Gymnasium, which alone needs it
training                imitation, then practice; alone needs PyTorch
"""

from nettwin.optimize.solvers.reinforcement.agents import agent, weight_agent

__all__ = ["agent", "weight_agent"]
