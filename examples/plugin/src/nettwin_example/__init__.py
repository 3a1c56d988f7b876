"""What another package adds to nettwin: an engine, a format, a change and an optimizer."""
