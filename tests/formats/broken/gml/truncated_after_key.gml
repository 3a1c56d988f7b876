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
    Type