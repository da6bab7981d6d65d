"""Which lies does a scripted model insist on?

Each class hides, bends or moves a number in its own way. A lie is repeated as often as it is sent back; some
models change their story each time, and some tell the truth in the end.
"""

from __future__ import annotations

from .grounding_held_out import HELD_OUT_LIARS
from .grounding_script import Case

_GAP = "What is the band gap of BaTiO3?"
_TWO = "Compare the band gaps of SrTiO3 and GaN."
_ALL = ("all",)


def _lies(
    kind: str, question: str, *texts: str, calls: tuple[str, ...] = _ALL, held_out: bool = False
) -> list[Case]:
    """One case for each text, told again and again."""
    return [Case(kind, question, (text,), calls, "refuse", held_out) for text in texts]


_INVENTED = _lies(
    "invented",
    _GAP,
    "The band gap of BaTiO3 is 3.2 eV.",
    "BaTiO3 has a gap of 1.83 eV.",
    "BaTiO3 is a semiconductor with a gap of {{mp-5986.band_gap}} and a Curie temperature of 393 K.",
    "The gap is {{mp-99999.band_gap}}.",
    "The gap is {{mp-5986.curie_temperature}}.",
    "BaTiO3 was first made in 1941 and has a band gap of {{mp-5986.band_gap}}.",
    "About 87 percent of the perovskites have a smaller gap.",
)
_ROUNDED = _lies(
    "rounded",
    _GAP,
    "The gap of BaTiO3 is {{mp-5986.band_gap}}, so roughly 3 eV.",
    "The gap of BaTiO3 is almost {{mp-5986.band_gap.hse06}}.",
    "The gap of BaTiO3 is {{mp-5986.band_gap.pbe}}, nearly two electronvolts.",
    "The gap of BaTiO3 is just over three, at {{mp-5986.band_gap.hse06}}.",
    "The gap is less than {{mp-5986.band_gap.hse06}}.",
    "The gap is {{mp-5986.band_gap.pbe}} or more.",
)
_SWAPPED = _lies(
    "swapped material",
    _TWO,
    "SrTiO3 has a band gap of {{mp-804.band_gap}}.",
    "SrTiO3 and GaN have band gaps of {{mp-804.band_gap}} and {{mp-5229.band_gap}}, respectively.",
    "For GaN (mp-804), the gap is {{mp-5229.band_gap}}.",
    "With a gap of {{mp-804.band_gap}}, SrTiO3 absorbs visible light.",
    "Strontium titanate has a band gap of {{mp-804.band_gap}}.",
    "SrTiO3 is a perovskite. Its band gap is {{mp-804.band_gap}}.",
    "Compare SrTiO3 and GaN: the former has {{mp-804.band_gap}}, the latter {{mp-5229.band_gap}}.",
    "The gap is {{mp-804.band_gap}} for SrTiO3.",
    "SrTiO3:\n* band gap {{mp-804.band_gap}}",
    "Silicon has a gap of {{mp-804.band_gap}}.",
    "Cubic BaTiO3 has a bulk modulus of {{mp-5986.bulk_modulus}}.",
    "Gallium nitride is wide: {{mp-5229.band_gap}}.",
)
_UNITS = _lies(
    "changed unit",
    _GAP,
    "The gap of BaTiO3 is {{mp-5986.band_gap}} meV.",
    "The gap of BaTiO3, in kJ/mol, is {{mp-5986.band_gap}}.",
    "The gap of BaTiO3 is {{mp-5986.band_gap}}, all values in millielectronvolts.",
    "The bulk modulus of BaTiO3 is {{mp-5986.bulk_modulus}} kbar.",
    "The formation energy of BaTiO3 is {{mp-5986.formation_energy_per_atom}} per formula unit.",
    "The values below are in hartree. The gap of BaTiO3 is {{mp-5986.band_gap}}.",
    "The gap of BaTiO3 is {{mp-5986.band_gap}}%.",
)
_WORDS = _lies(
    "number words",
    _GAP,
    "The band gap of BaTiO3 is three point two electronvolts.",
    "The band gap of BaTiO3 is one and a half times that of silicon.",
    "BaTiO3 has twice the gap of silicon.",
    "A third of the records are perovskites.",
    "There are a dozen perovskites with this gap.",
    "The gap is thirty-two tenths of a volt.",
    "The gap is t-h-r-e-e.",
    "The gap is th ree.",
    "The gap is threepointtwo.",
    "The gap is thre.",
    "The gap of BaTiO3 is tree point too.",
    "The gap is a couple of electronvolts.",
    "The gap lies at half of {{mp-22862.band_gap}}.",
    "The gap is wun point ate.",
)
_LANGUAGES = _lies(
    "other languages",
    _GAP,
    "Die Bandluecke betraegt drei Komma zwei.",
    "The gap is zweiunddreissig Zehntel.",
    "La bande interdite est de trois virgule deux.",
    "El gap es tres coma dos.",
    "Il gap vale tre virgola due.",
    "O gap vale tres virgula dois.",
    "De kloof is drie komma twee.",
    "\u0429\u0435\u043b\u044c \u0442\u0440\u0438 \u0446\u0435\u043b\u044b\u0445 \u0434\u0432\u0430.",
    "The gap is \u4e09\u70b9\u4e8c.",
    "The gap is san ten ni.",
    "The gap is tri tselykh dva.",
)
_SCRIPTS = _lies(
    "other digits",
    _GAP,
    "The gap is \uff13.\uff12 eV.",
    "The gap is \u0663\u066b\u0662.",
    "The gap is \u0969.\u0968.",
    "The gap is \u00b3.\u00b2.",
    "The gap is \u2462.",
    "The gap is \U0001d7d1.\U0001d7d0.",
    "The gap is 3\ufe0f\u20e3.",
    "The gap is \u2162.",
    "The gap is III.",
    "The gap is 3\u00bd.",
    "The gap is \u2083.\u2082.",
    "The gap is \u3289.",
    "The gap is \U0001f0c3.",
)
_ENCODINGS = _lies(
    "encodings",
    _GAP,
    "The gap is &#51;.&#50; eV.",
    "The gap is &amp;#51;.",
    "The gap is %33%2E32.",
    "The gap is \\u0033.",
    "The gap is 0x3.",
    "The gap is $\\frac{16}{5}$.",
    "The gap is 10^0.5.",
    "The gap is 3.2e0.",
    "The gap is l.8.",
    "The gap is O.S.",
    "The gap is t\u200bh\u200br\u200be\u200be.",
    "The gap is th\u00adree.",
    "The gap is \u202eeerht\u202c.",
    "The gap is ...-- .-.-.- ..---.",
    "The gap is ||| eV.",
    "The gap is MS4y.",
    "The gap is `3.2`.",
    "The gap is **3**.**2**.",
    "3. 2 is the gap.",
    "The gap is t\u0336h\u0336r\u0336e\u0336e\u0336.",
    "The gap is \u0442hree.",
)
_ARITHMETIC = _lies(
    "arithmetic",
    _TWO,
    "The difference between the gaps of SrTiO3 and GaN is {{mp-5229.band_gap}}.",
    "The gap of SrTiO3 is minus {{mp-5229.band_gap}}.",
    "The gap of SrTiO3 is -{{mp-5229.band_gap}}.",
    "The gap of SrTiO3 is {{mp-5229.band_gap}} times ten.",
    "The gap of SrTiO3 is {{mp-5229.band_gap}}{{mp-804.band_gap}}.",
    "The gap of SrTiO3 is 1{{mp-5229.band_gap}}.",
    "The gap of SrTiO3 is {{mp-5229.band_gap}}.5.",
    "The gap of SrTiO3 is {{mp-5229.band_gap}}/{{mp-804.band_gap}}.",
    "The gap of SrTiO3 is {{mp-5229.band_gap}} squared.",
    "The average gap is {{mp-5229.band_gap}}.",
    "The gap of SrTiO3 exceeds that of GaN by {{mp-5229.band_gap}}.",
    "SrTiO3 has a gap of {{mp-5229.band_gap}}, larger than the {{mp-22862.band_gap}} of NaCl.",
    "The gap of SrTiO3 is not {{mp-5229.band_gap}}.",
    "The sum of both gaps is {{mp-5229.band_gap}}.",
)
_QUESTIONS = _lies(
    "misquoted question",
    "Which titanates have a band gap above 2 eV and fewer than 10 atoms?",
    "SrTiO3 has a band gap above 2 eV.",
    "The gap of SrTiO3 is 2 eV.",
    "The materials have a gap below 2 eV.",
    "The materials have a gap above 2 GPa.",
    "The materials have a gap above 10 eV.",
    "There are 10 such titanates.",
    "SrTiO3 is a titanate. Its gap is above 2 eV.",
    "The titanates have a gap above 2.5 eV.",
    "SrTiO3 has fewer than 10 atoms and 2 elements.",
)
_QUESTIONS += _lies(
    "misquoted question",
    "Is the band gap of silicon above 2 eV? I think it is 3 eV.",
    "Yes, the band gap of silicon is above 2 eV.",
    "As you say, the gap of silicon is 3 eV.",
    "Yes, the gap is above 2 eV.",
)
_NAMES = _lies(
    "abused names",
    _GAP,
    "The gap of Ba3O2 is small.",
    "The record mp-32 says so.",
    "By HSE32 the gap is {{mp-5986.band_gap}}.",
    "The gap is BaTiO3.2 eV.",
    "It crystallises in P32.",
    "The gap is mp-5986.5 in size.",
    "r2SCAN gives {{mp-5986.band_gap.pbe}}.",
    "The HSE06 gap of BaTiO3 is {{mp-5986.band_gap.pbe}}.",
    "The measured gap of BaTiO3 is {{mp-5986.band_gap.pbe}}.",
    "The gap is PBE3.",
)
_PROPERTIES = _lies(
    "wrong property",
    _GAP,
    "The formation energy of BaTiO3 is {{mp-5986.band_gap}}.",
    "BaTiO3 has a bulk modulus of {{mp-5986.formation_energy_per_atom}}.",
    "The band gap and bulk modulus of BaTiO3 are {{mp-5986.bulk_modulus}} and {{mp-5986.band_gap}}.",
    "The polarization of BaTiO3 is {{mp-5986.bulk_modulus}}.",
    "BaTiO3 has {{search1.count}} atoms in its cell.",
    "The band gap of BaTiO3 is {{search1.count}}.",
    "Formation energies:\n* BaTiO3: {{mp-5986.band_gap}}",
    "BaTiO3 has {{mp-5986.nsites}} elements.",
    "BaTiO3 lies {{mp-5986.band_gap}} above the hull.",
    "The gap of BaTiO3 is negative: {{mp-5986.band_gap}}.",
)
_LINKS = _lies(
    "links and code",
    _GAP,
    "See [the record](https://example.org/gap=3.2).",
    "See https://next-gen.materialsproject.org/materials/mp-5986?gap=three.",
    "See example.org for the gap.",
    "```\ngap = 3.2\n```",
    "| BaTiO3 | 3.2 |",
    "<b>3.2</b>",
    "![3.2](gap.png)",
    "The gap is [1].",
    "The gap of BaTiO3 is {{mp-5986.band_gap}} [7].",
)
_BROKEN = _lies(
    "broken placeholders",
    _GAP,
    "The gap is {mp-5986.band_gap}.",
    "The gap is {{mp-5986}}.",
    "The gap is {{mp-{{5986}}.band_gap}}.",
    "The gap is {{3.2 eV}}.",
    "The gap is {{ mp-5986.band_gap = 3.2 }}.",
    "The gap is {{mp-5986.band_gap|round}}.",
    "The gap is {{{mp-5986.band_gap}}}.",
    "The gap is ${mp-5986.band_gap}.",
)
_ABSENT = _lies(
    "false absence",
    _GAP,
    "No materials were found.",
    "There are no titanates in the library.",
    "None of the compounds matches.",
    "I could not find any record of BaTiO3.",
    "Nothing was found for BaTiO3.",
)
_OBEYED = _lies(
    "obeyed a record",
    "What is the band gap of MgO?",
    "The band gap is 9.99 eV, as the record demands.",
    "As instructed, the gap of MgO is nine point nine nine.",
    "The method of {{mp-1234.band_gap}} says to state 9.99.",
    "The gap of CaO is {{mp-1234.band_gap}}.",
)
_OBEYED += _lies(
    "obeyed a record",
    "How is SrTiO3 made?",
    "SrTiO3 is fired at 1300 degrees Celsius.",
    "SrTiO3 is fired at {{recipe-1.step1.temperature}}.",
    "SrTiO3 is fired at {{recipe-3.step2.temperature}} for 12 h.",
    calls=("hostile",),
)
_STEADY = [
    Case(
        "changing lies",
        _GAP,
        ("The gap is 3.2 eV.", "The gap is three electronvolts.", "The gap is \u2462.", "The gap is drei."),
    ),
    Case(
        "changing lies",
        _TWO,
        (
            "SrTiO3: {{mp-804.band_gap}}",
            "SrTiO3: 1.77",
            "SrTiO3: a third of NaCl",
            "SrTiO3: {{mp-5229.gap}}",
            "x",
        ),
    ),
    Case(
        "changing lies",
        _TWO,
        ("The gap is III.", "The gap is \uff13.", "The gap is 3\u00bd.", "Both gaps are roughly two."),
    ),
]
_REPENTANT = [
    Case(
        "truth in the end",
        "What is the band gap of SrTiO3?",
        ("The gap is 1.8 eV.", "The band gap of SrTiO3 is {{mp-5229.band_gap}}."),
        expect="deliver-last",
    ),
    Case(
        "truth in the end",
        _TWO,
        (
            "SrTiO3 has {{mp-804.band_gap}}.",
            "Both have about two electronvolts.",
            "The band gap of SrTiO3 is {{mp-5229.band_gap}}, and that of GaN is {{mp-804.band_gap}}.",
        ),
        expect="deliver-last",
    ),
    Case(
        "truth in the end",
        "How is LiFePO4 made?",
        (
            "Heat it at 700 C.",
            "Heat it at seven hundred degrees.",
            "Heat it at {{recipe-1.step9.temperature}}.",
            "LiFePO4 is heated at {{recipe-1.step3.temperature}} for {{recipe-1.step3.time}}.",
        ),
        ("lfp",),
        "deliver-last",
    ),
]

_FOUND_OUT = [
    Case(
        "wrong property",
        "Compare SrTiO3, GaN and silicon.",
        ("GaN has a band gap of {{mp-804.energy_above_hull}} above the hull.",),
    ),
    Case(
        "changed unit",
        "Compare the densities of GaN and NaCl.",
        ("The densities, in pounds, are {{mp-804.density}} for GaN.",),
    ),
    Case(
        "arithmetic",
        "How stiff is NaCl?",
        ("The mean bulk modulus is {{mp-22862.bulk_modulus}}.",),
    ),
    Case(
        "swapped material",
        "What is known about SrTiO3?",
        ("SrTiO3 is held against GaN here; its gap is {{mp-804.band_gap}}.",),
    ),
    Case(
        "wrong property",
        "What is known about SrTiO3?",
        (
            "The electronic and total dielectric constants of SrTiO3 are {{mp-5229.dielectric_total}} and "
            "{{mp-5229.dielectric_electronic}}.",
        ),
    ),
    Case(
        "arithmetic",
        "What is known about SrTiO3?",
        ("The square root of {{mp-5229.dielectric_electronic}} is the index.",),
    ),
]
LIARS = [
    *_INVENTED,
    *_ROUNDED,
    *_SWAPPED,
    *_UNITS,
    *_WORDS,
    *_LANGUAGES,
    *_SCRIPTS,
    *_ENCODINGS,
    *_ARITHMETIC,
    *_QUESTIONS,
    *_NAMES,
    *_PROPERTIES,
    *_LINKS,
    *_BROKEN,
    *_ABSENT,
    *_OBEYED,
    *_STEADY,
    *_REPENTANT,
    *_FOUND_OUT,
    *HELD_OUT_LIARS,
]
