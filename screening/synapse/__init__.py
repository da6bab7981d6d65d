"""Which synaptic application could use a material, and how well would an assumed device of its mechanism class serve there?

A crystal does not tell a device's levels, spreads or asymmetry. They come from an assumed device of a stated mechanism class,
within ranges of published devices, and whatever is computed from them says so.
"""
