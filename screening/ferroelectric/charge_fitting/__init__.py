"""How the effective charges are fitted to DFT, checked on what the fit has not seen, and written down."""
