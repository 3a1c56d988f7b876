"""Engines: how a network behaves. Each is a NetworkModel; `nettwin.interfaces.wiring` chooses."""
