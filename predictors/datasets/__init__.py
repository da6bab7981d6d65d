"""Public data sets of DFT results, read in the format they are published in, into `records`."""
