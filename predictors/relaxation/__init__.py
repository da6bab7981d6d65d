"""Crystals come to rest: the batched relaxer and its ways of moving."""
