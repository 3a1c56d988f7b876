Creator "igraph version 0.10 Tue Mar  5 10:00:00 2024"
Version 1
graph
[
  directed 1
  node
  [
    id 0
    name "x"
    lat 1.5
    lon -2.5
  ]
  node
  [
    id 1
    name "y"
  ]
  edge
  [
    source 0
    target 1
    bandwidth "100 Mbit/s"
    latency "3ms"
  ]
  edge
  [
    source 1
    target 0
    bandwidth "OC-48"
    distance_km 200
  ]
]
