"""Template: nettwin.toml as `nettwin init` writes it, with a comment on everything."""

from __future__ import annotations

TEMPLATE = """\
# One twin of one network. Every command takes --workspace with this folder.
nettwin = 1
name = "{name}"

[network]
kind = "simulated"            # nettwin network list shows the kinds
plan = "network.yaml"         # the network as it was planned
interval_s = 60               # how long each measurement lasts, in the network's time
# Settings of the simulated network:
simulated_s = 1.0             # so much of each interval is simulated by packets, and stands for it
convergence_s = 0.2           # after so long routers have heard of a failure
error = 0.05                  # how far capacity, delay, overhead and demand may be from the plan
seed = 1                      # of what is drawn: the errors, the load, the packets
start = "2026-01-05T12:00:00+00:00"   # where the network's time begins
# demands = "demands.csv"     # measured demands to repeat; without them: a curve over day and week
# Secrets are named, never written: password = "env:ROUTER_PASSWORD", or "file:~/.router"

[repository]
folder = "repository"         # the history: observations, plans, events
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
INTENT = """\
intent: no link above its limit
minimize: [offered_load]
expect:
  - {measure: offered_load, at_most: 80 %}
change:
  with: [segments]
"""
