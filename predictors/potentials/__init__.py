"""Other people's potentials, and this project's as an ASE calculator."""
