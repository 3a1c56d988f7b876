"""Why is a flow slow? Its delay hop by hop, who causes it, and which queues decide."""

import nettwin

network = nettwin.generate("nsfnet", load=0.97, classes="three", scheduler="sp", seed=7)
network = nettwin.SetCapacity("Houston->Atlanta", 26e6).apply(network)
theory = nettwin.engine("theory")

answer = nettwin.explain_flow(network, theory, ["San Diego->Atlanta/best-effort"])
for sentence in nettwin.in_words(answer):
    print(sentence)

print("\nqueue                    propagation  transmission   waiting")
for part in answer.parts:
    times = (part.propagation_s, part.transmission_s, part.waiting_s)
    print(f"{part.queue:24}", *(f"{1e3 * time:9.3f} ms" for time in times))

print("\nthe whole network:")
print(nettwin.in_words(nettwin.explain_network(network, theory))[0])
