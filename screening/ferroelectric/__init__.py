"""The ferroelectric screen: polar symmetry, nonpolar parent, polarization, energy difference, verdict."""
