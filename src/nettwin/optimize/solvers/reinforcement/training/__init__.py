"""Training of the agents; the only part of them that needs PyTorch."""
