graph [
  directed 0
  node [ label "x" ]
]
