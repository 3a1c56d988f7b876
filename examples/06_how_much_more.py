"""Planning: how much can traffic grow before voice misses 30 ms at the 99th percentile?"""

import numpy as np

from nettwin import ScaleTraffic, engine, generate

LIMIT_S = 0.030
network = generate("nsfnet", load=0.5, classes="three", scheduler="sp", seed=7)
voice = network.traffic.flow_class == network.traffic.class_index("voice")
factors = np.arange(1.0, 2.41, 0.1)

grown = [ScaleTraffic(float(factor)).apply(network) for factor in factors]
answers = engine("theory").predict(grown)  # a batch
worst = np.array([metrics.flow["owd_p99_s"][voice].max() for metrics in answers])
data_loss = np.array([metrics.flow["loss_ratio"][~voice].max() for metrics in answers])

kept = factors[worst <= LIMIT_S]
print(f"voice keeps {LIMIT_S * 1e3:.0f} ms up to traffic x {kept.max():.1f}")
print(f"other classes begin to lose over 1 % at x {factors[data_loss > 0.01].min():.1f}")
