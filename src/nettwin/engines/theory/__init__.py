"""The engine `theory`: queueing theory."""
