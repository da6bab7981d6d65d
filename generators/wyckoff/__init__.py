"""Crystals in the words of their space groups: Wyckoff positions with free coordinates, and free lattice parameters."""
