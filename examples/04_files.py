"""Files: what a source does not say is assumed, and every assumption is told."""

import tempfile
from pathlib import Path

import nettwin

ZOO = """graph [
  label "three"
  node [ id 0 label "Oslo" Latitude 59.91 Longitude 10.75 ]
  node [ id 1 label "Bergen" Latitude 60.39 Longitude 5.32 ]
  node [ id 2 label "Trondheim" Latitude 63.43 Longitude 10.4 ]
  edge [ source 0 target 1 ]
  edge [ source 0 target 2 ]
]
"""

with tempfile.TemporaryDirectory() as folder:
    source = Path(folder) / "norway.gml"
    source.write_text(ZOO)
    reading = nettwin.read(source, assume=nettwin.ImportDefaults(capacity_bps=1e9))
    print(f"{reading.scenario} read as {reading.format}")
    for line in reading.assumptions:
        print(f"  assumed: {line}")

    plan = Path(folder) / "norway.yaml"
    nettwin.write(reading.scenario, plan)
    same = nettwin.read(plan).scenario.fingerprint() == reading.scenario.fingerprint()
    print(f"written as a network file and read again: {'the same' if same else 'changed'}")
