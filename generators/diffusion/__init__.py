"""Crystals out of noise: a diffusion model of atom types, coordinates and lattice, its adapters, and what steers it."""
