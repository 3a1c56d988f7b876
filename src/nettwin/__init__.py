"""nettwin: a digital twin of communication networks."""
