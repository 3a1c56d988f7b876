"""The closed loop: a network is kept as its intent wants it.

loop        the steps, one after another: observe, predict, judge, optimize, verify, approve,
            pre-check, apply, post-check, keep or roll back
state       where it stands, on disk              plans      the plans that it knows
checks      what a measurement tells surely       flapping   links that go up and down
"""
