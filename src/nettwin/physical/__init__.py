"""Physical: networks that are watched and steered.

network      the contract of networks      actuator   that of what makes changes
registry     networks and actuators by name
applying     a plan applied in its order, checked, undone      journal    what was applied, on disk
devices      which router a change is made on
simulated/   a network that runs by packets, on this machine
linux/       routers of Linux and FRR on this machine, with real packets
dry_run      an actuator that only says what it would do  vendor_text  text for routers of others
exporter     counters over HTTP, as Prometheus reads them
"""
