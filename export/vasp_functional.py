"""Which functional did a VASP run use? Told by its tags, in an OUTCAR as in a vasprun.xml.

Source: VASP Wiki, GGA, METAGGA, LHFCALC, AEXX, HFSCREEN.
"""

from __future__ import annotations

_GGA = {"PE": "PBE", "PS": "PBEsol", "91": "PW91", "RP": "RPBE", "CA": "LDA", "AM": "AM05"}
"""VASP's GGA tag, and LEXCH of a POTCAR; another one is named as it is."""
_TITLES = {"PAW_PBE": "PE", "PAW_GGA": "91", "PAW": "CA", "US": "CA"}
"""First word of a POTCAR's title."""
_META = {
    "R2SCAN": "R2SCAN",
    "R2SCA": "R2SCAN",
    "SCAN": "SCAN",
    "RSCAN": "RSCAN",
    "MBJ": "MBJ",
    "TPSS": "TPSS",
}
_UNSET = ("", "F", "--", "NONE")
HSE_SCREENING = 0.2
HSE_EXCHANGE = 0.25


def functional_name(
    gga: str,
    lexch: str,
    meta: str = "",
    hybrid: bool = False,
    exchange: float | None = None,
    screening: float | None = None,
    hubbard: bool = False,
) -> str:
    """`PBE`, `PBE+U`, `HSE06`, `R2SCAN`.

    Args:
        gga: The GGA tag; unset (`--`) the POTCARs decide.
        lexch: LEXCH of a POTCAR, or its title (`PAW_PBE Ti_pv 07Sep2000`).
        meta: The METAGGA tag.
        hybrid: LHFCALC.
        exchange: AEXX.
        screening: HFSCREEN, 1/A.
        hubbard: Whether any U is set.
    """
    tag = gga if gga not in _UNSET else _lexch(lexch)
    name = _GGA.get(tag, tag or "DFT")
    if hybrid:
        name = _hybrid(name, exchange, screening)
    elif meta.upper() not in _UNSET:
        name = "meta-GGA" if meta == "T" else _META.get(meta.upper(), meta)
    return f"{name}+U" if hubbard else name


def _lexch(text: str) -> str:
    first = text.split()[0] if text.split() else ""
    return _TITLES.get(first, first)


def _hybrid(base: str, exchange: float | None, screening: float | None) -> str:
    if base != "PBE" or exchange is None or abs(exchange - HSE_EXCHANGE) > 1e-6 or screening is None:
        return "hybrid"
    if abs(screening - HSE_SCREENING) < 1e-3:
        return "HSE06"
    return "PBE0" if screening == 0 else "hybrid"
