"""Apps: one file per question that people ask of a network."""
