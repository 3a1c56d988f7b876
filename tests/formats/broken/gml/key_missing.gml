graph [
  directed 0
  node [
    id 0
    label "Alta"
    Longitude 10.0
    Latitude 60.0
  ]
  [ id 1 ]
]
