"""Scenario: what the network is."""
