"""How wide is what a value states of itself, as one standard deviation?"""

from __future__ import annotations


def normal_quantile(share: float) -> float:
    """Half width, in standard deviations, of the central interval that holds a share of a normal distribution."""
    from scipy.special import ndtri

    return float(ndtri(0.5 + share / 2))


def stated_deviation(
    uncertainty: float | None, interval: tuple[float, float] | None, coverage: float | None
) -> float | None:
    """A standard deviation from what is stated: the deviation itself, or the normal one of the interval if that is wider.

    Args:
        uncertainty: One standard deviation, if it is stated.
        interval: Lower and upper end, if they are.
        coverage: Share of truths that the interval should hold.

    Returns:
        `None` if nothing is stated, or a width of zero.
    """
    if interval is None or not coverage or not 0 < coverage < 1:
        return uncertainty or None
    return max(uncertainty or 0.0, (interval[1] - interval[0]) / (2 * normal_quantile(coverage))) or None
