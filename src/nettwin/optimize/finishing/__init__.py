"""What happens to an answer before it becomes a ChangePlan.

fewest_changes   changes that are not needed are taken back
load_deltas      what each change of a path takes from links and puts on others
order            an order in which no step overloads a link
verification     what a second engine refutes is learned from
"""
