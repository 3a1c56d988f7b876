graph [
  directed 0
  node [
    id 0
    label "Ålta"
    Longitude 10.0
    Latitude 60.0
  ]
]
