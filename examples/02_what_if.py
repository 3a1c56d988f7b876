"""What if a link fails? The same network before and after, the worst flows first."""

import nettwin

network = nettwin.generate("nsfnet", load=0.6, seed=7)
theory = nettwin.engine("theory")

worst = nettwin.resilience(network, theory).failures[0]
print(f"worst single failure: {worst.name}, busiest link then {worst.busiest_link}")

answer = nettwin.what_if(network, worst.changes, theory)
print("links that get busier:")
for link in answer.links[:3]:
    print(f"  {link.name:22} {link.offered_load_before:6.1%} -> {link.offered_load_after:6.1%}")
