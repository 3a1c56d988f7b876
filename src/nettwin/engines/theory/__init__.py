"""The engine `theory`: queueing theory."""

from nettwin.engines.theory.engine import Theory

__all__ = ["Theory"]
