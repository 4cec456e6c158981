"""Say whether a container image can be rebuilt to the same digest, and if not, what differs and where."""

__version__ = "0.1.0"
