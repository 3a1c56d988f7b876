"""Explanation: why a model says what it says of a flow, a queue, a link or the whole network.

explanation    explain_flow, explain_port, explain_network: what is asked    words    it in words
splitting      a flow's delay as a sum over its hops      causes     who makes a queue's delay
critical       the smallest set of queues that keeps an answer    target    what is explained
"""
