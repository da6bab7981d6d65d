"""Which space groups allow a crystal to be polar?"""

from __future__ import annotations

POLAR_SPACE_GROUPS: dict[str, range] = {
    "1": range(1, 2),
    "2": range(3, 6),
    "m": range(6, 10),
    "mm2": range(25, 47),
    "4": range(75, 81),
    "4mm": range(99, 111),
    "3": range(143, 147),
    "3m": range(156, 162),
    "6": range(168, 174),
    "6mm": range(183, 187),
}
"""Numbers of the space groups of each polar point group; International Tables A."""


def polar_point_group(spacegroup_number: int | None) -> str | None:
    """Hermann-Mauguin symbol of the point group if it is polar, else `None`."""
    return next((group for group, span in POLAR_SPACE_GROUPS.items() if spacegroup_number in span), None)


def is_polar(spacegroup_number: int | None) -> bool:
    """Whether a space group belongs to one of the ten polar point groups; an unknown one does not."""
    return polar_point_group(spacegroup_number) is not None
