"""Training of the learned models; the only part of them that needs PyTorch."""
