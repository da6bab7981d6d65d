"""Hysteron finds and ranks candidate materials for neuromorphic devices."""

__version__ = "0.1.0"
