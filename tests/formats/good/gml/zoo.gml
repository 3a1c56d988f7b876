# a comment
Creator "Topology Zoo Toolset"
Version 1
graph [
  directed 0
  label "Fjordnet"
  GeoLocation "Norway"
  node [
    id 0
    label "Alta"
    Longitude 10.0
    Latitude 60.0
  ]
  node [
    id 1
    label "M&#252;hl &amp; Co"
    Longitude 11.5
    Latitude 61.0
    Internal 0
  ]
  node [
    id 2
    label "Alta"
    hyperedge 1
  ]
  edge [
    source 0
    target 1
    LinkSpeed "2.5"
    LinkSpeedUnits "G"
    LinkLabel "2.5 Gbps"
    LinkSpeedRaw 2500000000.0
  ]
  edge [
    source 1
    target 2
    LinkSpeed "155"
    LinkSpeedUnits "M"
  ]
  edge [
    source 1
    target 2
    LinkLabel "<10 Gbps"
  ]
  edge [
    source 2
    target 2
  ]
]
