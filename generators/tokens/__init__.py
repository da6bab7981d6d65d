"""Crystals as sequences of Wyckoff tokens: there and back, which of them may be written, and a model that writes them."""
