graph [
  directed 0
  node [ id ]
]
