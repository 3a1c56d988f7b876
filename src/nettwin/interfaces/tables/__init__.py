"""Tables for people: what a network engineer reads at a glance, the worst first.

style       look, alignment and color by severity     answers      one network, one engine
changes     before and after, failures                agreement    engines against one another
facts       what a network is, what a registry holds  plans        what an optimizer found
"""
