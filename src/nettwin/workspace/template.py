"""Template: nettwin.toml as `nettwin init` writes it, with a comment on everything."""

from __future__ import annotations

import json
from collections.abc import Mapping

from nettwin.errors import UnknownNameError

TEMPLATE = """\
# One twin of one network. Every command takes --workspace with this folder.
nettwin = 1
name = "{name}"

[network]
kind = {kind:<22} # nettwin network list shows the kinds
plan = "network.yaml"         # the network as it was planned
{network}# Secrets are named, never written: password = "env:ROUTER_PASSWORD", or "file:~/.router"

[repository]
folder = "repository"         # the history: observations, plans, events; or s3://bucket/twin
error = 0.0                   # so far compacted counters may be from the truth: 0.01 is 1 %
# nettwin repository maintain forgets what is older; 0 keeps it for ever
keep_days = {{observations = 30, counters = 30, rollup_5m = 400, rollup_1h = 0}}

[intents]
files = ["intent.yaml"]       # what is wanted of the network

[loop]
engine = "theory"             # predicts; nettwin models list shows the learned ones
verify = "packet"             # an engine, or "emulation", that looks at every plan; or "none"
method = "auto"               # how plans are searched
seconds = 1.0                 # for so long
tolerance = 0.1               # a measurement may be beyond its prediction by this share
cooldown_s = 600              # after a plan that failed: no other for so long
flaps = 3                     # a link that changed so often ...
flap_window_s = 600           # ... within this time counts as down until it is quiet for as long
approval_s = 3600             # how long an approval holds
confirm_s = 600               # what nobody confirmed after so long is undone

[policy]                      # what the loop may do without a person
auto = {auto}
kinds = ["set_path", "set_weight"]
most_changes = 20             # a plan
most_per_hour = 6
freeze = []                   # such as "Fri 18:00 - Mon 06:00", "2026-12-24 - 2026-12-27" (UTC)

# People, as `nettwin people add NAME --role approver` writes them. Roles: viewer, operator (applies
# and undoes), approver (approves plans of others). Tokens are kept as hashes.
"""
NETWORKS = {
    "simulated": """\
interval_s = 60               # how long each measurement lasts, in the network's time
# Settings of the simulated network:
simulated_s = 1.0             # so much of each interval is simulated by packets, and stands for it
convergence_s = 0.2           # after so long routers have heard of a failure
error = 0.05                  # how far capacity, delay, overhead and demand may be from the plan
seed = 1                      # of what is drawn: the errors, the load, the packets
start = "2026-01-05T12:00:00+00:00"   # where the network's time begins
trough = 0.5                  # load when it is lowest, as a part of the highest
wander = 0.05                 # how far flows stray from that curve
# demands = "demands.csv"     # measured demands to repeat; without them: a curve over day and week
""",
    "linux": """\
interval_s = 5                # how long each measurement lasts
# Settings of the linux network:
grace_s = 1.0                 # packets that are still under way after so long are lost
warmup_s = 0.5                # traffic has run for so long before anything is measured
seed = 1                      # of what is drawn: the packets
""",
}
INTENT = """\
intent: no link above its limit
minimize: [offered_load]
expect:
  - {measure: offered_load, at_most: 80 %}
change:
  with: [segments]
"""


def filled(kind: str, name: str, *, auto: bool, settings: Mapping[str, object]) -> str:
    """nettwin.toml for a kind of network, with some values in place of the usual ones. Raises
    UnknownNameError for one that is not there."""
    text = TEMPLATE.format(
        kind=json.dumps(kind), network=NETWORKS.get(kind, ""), name=name, auto=str(auto).lower()
    )
    left, lines, known = dict(settings), [], []
    for line in text.split("\n"):
        key, _, rest = line.partition(" = ")
        known.append(key)
        if rest and key in left:
            _, _, comment = rest.partition("#")
            made = f"{key} = {json.dumps(left.pop(key))}"
            line = f"{made:<29} #{comment}" if comment else made
        lines.append(line)
    for key in left:
        raise UnknownNameError("setting", key, [one for one in known if one.isidentifier()])
    return "\n".join(lines)
