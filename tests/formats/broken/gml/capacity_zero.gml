graph [
  directed 0
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
  edge [
    source 0
    target 1
    LinkSpeed "2.5"
    LinkSpeedUnits "G"
    LinkLabel "2.5 Gbps"
    LinkSpeedRaw 0
  ]
]
