"""Planning: how much can traffic grow before voice misses its limit, and does priority help?"""

import numpy as np

from nettwin import ScaleTraffic, engine, generate

LIMIT_S = 0.034  # 99th percentile of one-way delay
FACTORS = np.arange(1.0, 2.41, 0.1)

for scheduler in ("fifo", "sp"):
    network = generate("nsfnet", load=0.5, classes="three", scheduler=scheduler, seed=7)
    voice = network.traffic.flow_class == network.traffic.class_index("voice")
    grown = [ScaleTraffic(float(factor)).apply(network) for factor in FACTORS]
    answers = engine("theory").predict(grown)  # a batch
    worst = np.array([metrics.flow["owd_p99_s"][voice].max() for metrics in answers])
    kept = FACTORS[worst <= LIMIT_S].max()
    more = " or more" if kept == FACTORS[-1] else ""
    print(f"{scheduler:4}: voice keeps {LIMIT_S * 1e3:.0f} ms up to traffic x {kept:.1f}{more}")
