"""What finished DFT runs teach about the estimates that were made before them."""
