"""The live demo: NSFNET under the load of a day, with two weeks of history before it.

scene      the network, its intent, its people, and where the history begins
history    the two weeks, simulated by packets ahead of time (`nettwin demo history`)
past/      those two weeks, as shipped: a data repository
"""
