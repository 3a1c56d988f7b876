"""Interfaces: who asks. The command line; `wiring` alone chooses engines."""
