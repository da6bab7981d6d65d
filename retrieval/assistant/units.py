"""Which words are units, and of what?

The program writes every unit. A unit in a model's own words is accepted only where it repeats the one that the
placeholder before it brings along; then it is left out of the answer.
"""

from __future__ import annotations

import re
from functools import lru_cache

from .several import several
from .terms import NAMES

_SAME = {
    "eV": "eV electronvolt electronvolts electron-volt electron-volts",
    "eV/atom": "eV/atom,eV per atom,electronvolts per atom,electronvolt per atom",
    "meV/atom": "meV/atom,meV per atom",
    "eV/f.u.": "eV/f.u.,eV per formula unit",
    "GPa": "GPa gigapascal gigapascals",
    "uC/cm^2": "uC/cm2,\u03bcC/cm2,\u03bcC/cm^2,uC/cm^2,microcoulombs per square centimetre,microcoulombs per square centimeter",
    "C/m^2": "C/m2,C/m^2,coulombs per square metre,coulombs per square meter",
    "MV/cm": "MV/cm,megavolts per centimetre,megavolts per centimeter",
    "K": "K,kelvin,kelvins",
    "mu_B": "mu_B,\u03bcB,\u03bc B,mu B,muB,uB,Bohr magnetons,Bohr magneton",
    "g/cm^3": "g/cm3,g/cm^3,g/cc,grams per cubic centimetre,grams per cubic centimeter",
    "A^3/atom": "A^3/atom,A3/atom,cubic angstroms per atom,cubic angstrom per atom",
    "A": "A,angstrom,angstroms",
    "degC": "degC,\u00b0C,\u00b0 C,deg C,degrees Celsius,degree Celsius,celsius,degrees C",
    "h": "h,hour,hours,hr,hrs",
}
_OTHERS = several(
    "meV keV MeV mRy Ry Ha hartree hartrees rydberg rydbergs kJ kcal kJ/mol kcal/mol mol mole moles MPa kPa TPa Pa "
    "pascal pascals megapascal megapascals kbar Mbar atm bar bars nm pm um mm cm km V mV kV volt volts millivolt "
    "millivolts kilovolt kilovolts Hz THz GHz MHz hertz tesla mT gauss oersted gram grams kg kilogram kilograms mg "
    "metre metres meter meters nanometre nanometres nanometer nanometers micrometre micrometres micron microns "
    "centimetre centimetres centimeter centimeters millimetre millimetres millimeter millimeters picometre picometres "
    "joule joules kilojoule kilojoules calorie calories kilocalorie kilocalories wavenumber wavenumbers degree degrees "
    "fahrenheit minute minutes min mins sec secs day days week weeks month months year years coulomb coulombs "
    "microcoulomb microcoulombs farad farads ohm ohms siemens ampere amperes amp amps watt watts newton newtons debye "
    "dalton daltons amu litre litres liter liters ppm ppb wt at.% millielectronvolt millielectronvolts "
    "kiloelectronvolt kiloelectronvolts megaelectronvolt inch inches foot ounce ounces cc "
    "pound pounds tonne tonnes ton tons stone mile miles yard yards gallon gallons pint "
    "pints psi dyne dynes erg ergs torr knot knots lumen lumens lux candela becquerel sievert henry weber parsec dollar "
    "dollars euro euros cent cents poise fathom fathoms acre acres barn barns"
)
_NEVER_WORDS = ("K", "A", "h")
"""Symbols that are a unit only right after a placeholder; elsewhere they are a letter."""


@lru_cache(maxsize=1)
def surfaces() -> dict[str, str]:
    """Every way of writing a unit, with the unit; words in lower case."""
    known = {word: word for word in _OTHERS}
    for unit, written in _SAME.items():
        for word in written.split("," if "," in written else " "):
            known[word] = unit
    return known


@lru_cache(maxsize=1)
def pattern() -> re.Pattern[str]:
    """A unit at a place in the text, the longest way of writing it first."""
    written = sorted((w for w in surfaces() if w not in _NEVER_WORDS), key=len, reverse=True)
    return re.compile(_alternatives(written))


@lru_cache(maxsize=1)
def after_placeholder() -> re.Pattern[str]:
    """As `pattern`, single letters included."""
    return re.compile(r"[ ]?" + _alternatives(sorted(surfaces(), key=len, reverse=True)))


def unit_of(text: str) -> str | None:
    """The unit that a piece of text writes."""
    known = surfaces()
    text = text.strip()
    return known.get(text) or known.get(text.lower()) or known.get(text[:1].lower() + text[1:])


def repeated(text: str, start: int, unit: str) -> int:
    """Where the text goes on if it repeats a placeholder's unit right behind it; else `start`."""
    if unit.endswith("/atom") and text.startswith(" per atom", start):
        return start + len(" per atom")
    match = after_placeholder().match(text, start)
    return match.end() if match and unit and unit_of(match.group("unit")) == unit else start


def _alternatives(written: list[str]) -> str:
    either = "|".join(_either_case(word) for word in written)
    return rf"(?<![A-Za-z0-9])(?P<unit>{either})(?![A-Za-z0-9])"


def _either_case(word: str) -> str:
    escaped = re.escape(word).replace(r"\ ", "[ ]+")
    plain = word.islower() and len(word) > 3 and word.capitalize() not in NAMES
    return f"(?i:{escaped})" if plain else escaped
