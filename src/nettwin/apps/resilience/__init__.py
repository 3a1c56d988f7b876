"""Resilience: what every failure does to a network, and what to do about it.

resilience   every failure: the worst load of each link, what breaks, in one answer
cases        which failures there are: links, nodes, shared-risk groups, pairs of links
loads        exact offered loads under all of them
prediction   delay, loss and intents under the worst of them
maintenance  take a node or link out of service, and bring it back
customers    whether new traffic fits, which flows it hurts, and how much fits
bottlenecks  which flows fill a link, and what relieves it most
"""
