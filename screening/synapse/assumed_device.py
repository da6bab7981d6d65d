"""How much of what published devices of a class do would serve an application?

The bounds on a device are held against the range of its class. The answer is a share of that range, on the scale on which devices
are drawn from it, and never a statement on the crystal.
"""

from __future__ import annotations

from .mechanism_devices import DeviceRange, ranges_of
from .profiles import Bound, Profile
from .requirement import Requirement
from .words import assumed, plain

LEAST_TOLD_SHARE = 0.005  # less of a range is told as its end


def judge_device(profile: Profile, mechanism: str) -> list[Requirement]:
    """Every bound on the device, held against the range of a class.

    Args:
        profile: The application.
        mechanism: The class.

    Raises:
        InputError: no such class.
    """
    ranges = ranges_of(mechanism)
    return [_held(name, bound, mechanism, ranges[name]) for name, bound in profile.device.items()]


def _held(name: str, bound: Bound, mechanism: str, published: DeviceRange) -> Requirement:
    share = published.share_within(bound.low, bound.high)
    reaches = published.reaches(bound.low, bound.high)
    unit = "" if bound.units == "1" else f" {bound.units}"
    has = f"{published.low:.3g} to {published.high:.3g}{unit}"
    return Requirement(
        name=name,
        kind="assumed",
        label=assumed(mechanism),
        status="passed" if reaches else "failed",
        sentence=f"{plain(name)}: published devices have {has}, {_how_much(share, reaches)} that range is {bound.words}",
        margin=2 * share - 1,
        low=bound.low,
        high=bound.high,
        units=bound.units,
        required=False,
        flagged=share < 1,
        share=share,
    )


def _how_much(share: float, reaches: bool) -> str:
    if share >= 1:
        return "all of"
    if share >= LEAST_TOLD_SHARE:
        return f"{share:.0%} of"
    return "the very end of" if reaches else "none of"
