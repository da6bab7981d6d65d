"""How the report writes numbers, units, formulas and names. Everything that came from outside is escaped."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

from markupsafe import Markup, escape

from ..core.candidate import PropertyValue
from ..core.properties import PROPERTIES
from .crystal import spacegroup_symbol

NOT_COMPUTED = Markup(
    '<span class="absent"><span aria-hidden="true">—</span><span class="sr">not computed</span></span>'
)
MINUS = "−"
UNEVEN = 0.05  # of the longer side of an interval
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)

_UNITS = {
    "1": "",
    "uC/cm^2": "µC/cm²",
    "A": "Å",
    "A^3/atom": "Å³/atom",
    "g/cm^3": "g/cm³",
    "mu_B": "μ_B",
}
_LABELS = {
    "energy_above_hull": "Energy above hull",
    "energy_per_atom": "Energy per atom",
    "formation_energy_per_atom": "Formation energy per atom",
    "polar_nonpolar_energy_difference": "Polar minus nonpolar energy",
    "switching_barrier": "Switching barrier",
    "switching_barrier_per_atom": "Switching barrier per atom",
    "parent_spacegroup_number": "Space group of the nonpolar parent",
    "spacegroup_number": "Space group",
    "distortion_max": "Largest displacement",
    "supply_hhi": "Supply concentration (HHI)",
    "rank_score": "Rank score",
}


def units(text: str) -> str:
    """A unit as it is printed: `uC/cm^2` as µC/cm²; empty if dimensionless."""
    return _UNITS.get(text, text)


def label(name: str) -> str:
    """A property or screen in words: `band_gap` is "Band gap"."""
    return _LABELS.get(name) or name.replace("_", " ").replace("-", " ").capitalize()


def number(value: float | int, decimals: int | None = None) -> str:
    """Three significant digits or so, with a true minus sign; powers of ten where they are needed."""
    if isinstance(value, int):
        return (
            f"{value:,}".replace("-", MINUS).replace(",", "\u2009")
            if abs(value) >= 10000
            else _signed(str(value))
        )
    if not math.isfinite(value):
        return "not finite"
    if decimals is None and value != 0 and (abs(value) < 5e-4 or abs(value) >= 1e6):
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{_signed(mantissa)}×10{_superscript(int(exponent))}"
    return _signed(f"{value:.{decimals_of(value) if decimals is None else decimals}f}")


def decimals_of(value: float) -> int:
    """Decimals that show about three digits, and never fewer than a meV would need below 1."""
    size = abs(value)
    return 0 if size >= 1000 else 1 if size >= 10 else 2 if size >= 1 else 3


def _signed(text: str) -> str:
    zero = not text.strip("-0.")
    return text.lstrip("-") if zero else text.replace("-", MINUS)


def _superscript(value: int) -> str:
    return str(value).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def value_text(found: PropertyValue) -> str:
    """A value with its uncertainty, without unit: `0.012 ± 0.030`, or with an interval that is not even about it."""
    if isinstance(found.value, str):
        return found.value
    if isinstance(found.value, tuple):
        return "(" + ", ".join(number(x) for x in found.value) + ")"
    value = found.value if found.units == "1" else float(found.value)
    if found.uncertainty is not None and not _uneven(found):
        decimals = _decimals_of_spread(found.uncertainty)
        return f"{number(value, decimals)} ± {number(float(found.uncertainty), decimals)}"
    if found.interval is not None:
        low, high = found.interval
        return f"{number(value)} [{number(float(low))}, {number(float(high))}]"
    return number(value)


def _uneven(found: PropertyValue) -> bool:
    """Whether one end of the interval is clearly nearer to the value than the other, as at a gap of nearly zero."""
    if found.interval is None or isinstance(found.value, str | tuple):
        return False
    below, above = found.value - found.interval[0], found.interval[1] - found.value
    return abs(above - below) > UNEVEN * max(above, below)


def _decimals_of_spread(uncertainty: float) -> int:
    """Decimals that show two digits of an uncertainty; the value is not worth more."""
    if not 0 < abs(uncertainty) < math.inf:
        return 3
    return min(9, max(0, 1 - math.floor(math.log10(abs(uncertainty)))))


def formula(text: str) -> Markup:
    """A formula with subscripts: BaTiO<sub>3</sub>."""
    return Markup(re.sub(r"(?<=[A-Za-z)\]])(\d+(?:\.\d+)?)", r"<sub>\1</sub>", str(escape(text))))  # noqa: S704


def spacegroup(international: int | None) -> Markup:
    """The Hermann-Mauguin symbol of a number, set as crystallographers do: `Pca2_1` as Pca2₁."""
    if international is None:
        return NOT_COMPUTED
    symbol = str(escape(spacegroup_symbol(international)))
    symbol = re.sub(r"_(\d)", r"<sub>\1</sub>", symbol)
    symbol = re.sub(r"-(\d)", r'<span class="bar">\1</span>', symbol)
    symbol = _italic_letters(symbol)
    return Markup(f'<span class="hm">{symbol}</span>')  # noqa: S704


def _italic_letters(html: str) -> str:
    """Letters outside tags in italics."""
    parts = re.split(r"(<[^>]+>)", html)
    return "".join(
        part if part.startswith("<") else re.sub(r"([A-Za-z])", r"<i>\1</i>", part) for part in parts
    )


def moment(iso: str) -> str:
    """A time as people write it: `24 November 2026, 02:00 UTC`; as it came if it is no ISO 8601 time."""
    try:
        time = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    if time.tzinfo is not None:
        time = time.astimezone(UTC)
    return f"{time.day} {MONTHS[time.month - 1]} {time.year}, {time:%H:%M}{' UTC' if time.tzinfo else ''}"


def duration(seconds: float | None) -> str:
    """Wall time in words: `4 min 48 s`; empty if unknown."""
    if seconds is None:
        return ""
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def count(value: int, singular: str, plural: str | None = None) -> str:
    """`1 crystal`, `2 crystals`, `no crystals`."""
    word = singular if value == 1 else plural or f"{singular}s"
    return f"{number(value) if value else 'no'} {word}"


def known_property(name: str) -> str:
    """What the property table says of a name; empty if it says nothing."""
    return PROPERTIES[name].description if name in PROPERTIES else ""
