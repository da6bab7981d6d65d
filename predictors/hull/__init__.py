"""Competing phases: the table, the distance from their hull, and how the table is computed."""
