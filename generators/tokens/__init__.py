"""Crystals as sequences of Wyckoff tokens: there, back, and what a model reads between."""
