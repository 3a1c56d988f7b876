graph [
  directed 0
  node 5
]
