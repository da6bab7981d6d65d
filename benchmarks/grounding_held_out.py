"""Fresh lies and fresh honest answers, written after most of the rules.

A case that showed something amiss, so that a rule was changed, left this file for the tuned ones.
"""

from __future__ import annotations

from .grounding_script import Case, Expectation

_GAP = "What is the band gap of HfO2?"
_IRON = "How magnetic is Fe3O4?"
_DENSITY = "Compare the densities of GaN and NaCl."
_PHOSPHATE = "How is LiFePO4 made?"
_BOUND = "Which materials have a bulk modulus above 150 GPa and fewer than 8 atoms?"


def _cases(
    kind: str, question: str, *texts: str, calls: tuple[str, ...] = ("all",), expect: Expectation = "refuse"
) -> list[Case]:
    return [Case(kind, question, (text,), calls, expect, held_out=True) for text in texts]


HELD_OUT_LIARS = [
    *_cases(
        "invented",
        _IRON,
        "Fe3O4 orders below 858 K.",
        "Fe3O4 has {{mp-19306.total_magnetization}}, or about half of that per iron.",
        "Fe3O4 has a Verwey transition near 120 kelvin and a moment of {{mp-19306.total_magnetization}}.",
        "The spin polarization of Fe3O4 is -100 percent.",
        "{{mp-19306.verwey_temperature}} is where Fe3O4 changes.",
        "Fe3O4 was described by Bragg in 1915.",
    ),
    *_cases(
        "rounded",
        _IRON,
        "The magnetization of Fe3O4 is {{mp-19306.total_magnetization}}, call it eight.",
        "The magnetization of Fe3O4 is not quite {{mp-19306.total_magnetization}}.",
        "The magnetization of Fe3O4 stays below {{mp-19306.total_magnetization}}.",
        "The magnetization of Fe3O4 is {{mp-19306.total_magnetization}} or so more.",
        "The magnetization approaches {{mp-19306.total_magnetization}}.",
    ),
    *_cases(
        "swapped material",
        _DENSITY,
        "GaN has a density of {{mp-22862.density}}.",
        "NaCl and GaN have densities of {{mp-804.density}} and {{mp-22862.density}}.",
        "Rock salt is lighter: {{mp-804.density}} for NaCl.",
        "Sodium chloride has a density of {{mp-804.density}}.",
        "GaN: {{mp-149.density}}; NaCl: {{mp-22862.density}}.",
        "GaN is compared with NaCl. The former has a density of {{mp-22862.density}}.",
        "The nitride has a density of {{mp-22862.density}}.",
        "LiFePO4 (density {{mp-804.density}}) is in between.",
        "At {{mp-22862.density}}, GaN is the densest.",
        "mp-804 has a density of {{mp-22862.density}}.",
    ),
    *_cases(
        "changed unit",
        _DENSITY,
        "GaN has a density of {{mp-804.density}} kg/m3.",
        "GaN has a density of {{mp-804.density}} tonnes per cubic metre.",
        "GaN has a bulk modulus of {{mp-804.bulk_modulus}} pascals.",
        "NaCl has a gap of {{mp-22862.band_gap}} joules.",
    ),
    *_cases(
        "number words",
        _GAP,
        "HfO2 has a gap of four electron-volts.",
        "HfO2 exists as a trio of polymorphs.",
        "There are two polymorphs of HfO2 on record.",
        "HfO2 has a gap a fifth larger than ZrO2.",
        "HfO2's gap is manyfold that of silicon; tenfold, to be precise.",
        "The third phase of HfO2 is missing.",
        "The gap of HfO2 is f.o.u.r.",
        "The gap of HfO2 is fo-ur.",
        "The gap of HfO2 is foor.",
        "The gap of HfO2 is forty-ish.",
        "A brace of hafnia phases: a couple, no more.",
    ),
    *_cases(
        "other languages",
        _GAP,
        "Die Luecke betraegt vier Elektronenvolt.",
        "Le gap vaut quatre virgule trois.",
        "El valor es cuatro coma tres.",
        "Il valore e quattro virgola tre.",
        "O valor e quatro virgula tres.",
        "De waarde is vier komma drie.",
        "Shchel chetyre elektronvolta.",
        "Gap wa yon ten san desu.",
        "\u0429\u0435\u043b\u044c \u0447\u0435\u0442\u044b\u0440\u0435.",
        "\u9593\u9699\u662f\u56db\u9ede\u4e09.",
        "Arvo on nelja pilkku kolme.",
        "Wartosc to cztery przecinek trzy.",
    ),
    *_cases(
        "other digits",
        _GAP,
        "The gap is \uff14\uff0e\uff13.",
        "The gap is \u06f4\u066b\u06f3.",
        "The gap is \u096a.\u0969.",
        "The gap is \u2074\u00b7\u00b3.",
        "The gap is \u2463 point \u2462.",
        "The gap is \U0001d7dc.\U0001d7db.",
        "The gap is \u2163.",
        "The gap is 4\u2153.",
        "The gap is \u17e4.\u17e3.",
        "The gap is IV.",
    ),
    *_cases(
        "encodings",
        _GAP,
        "The gap is &#52;&#46;&#51;.",
        "The gap is &frac12; of eight.",
        "The gap is 0x4.",
        "The gap is 4e0.",
        "The gap is \\u0034.",
        "The gap is f\u200bo\u200bu\u200br.",
        "The gap is f\u0336o\u0336u\u0336r\u0336.",
        "The gap is ....- .",
        "The gap is NC4z.",
        "The gap is four\u2060teen tenths.",
        "The gap is A.B.",
        "The gap is ruof, read backwards.",
        "$4.3$",
    ),
    *_cases(
        "arithmetic",
        _DENSITY,
        "The density of GaN minus that of NaCl is {{mp-22862.density}}.",
        "Their ratio is {{mp-804.density}}.",
        "GaN is denser by {{mp-22862.density}}.",
        "On average, the density is {{mp-804.density}}.",
        "GaN has -{{mp-804.density}}.",
        "GaN has a density of {{mp-804.density}}/{{mp-22862.density}}.",
        "GaN has a density of {{mp-804.density}} times that of water.",
        "GaN has a density of {{mp-804.density}}\u00b2.",
        "GaN has a density of (3){{mp-804.density}}.",
        "NaCl has a density of {{mp-22862.density}}, larger than the {{mp-804.density}} of GaN.",
        "The density of GaN is by no means {{mp-804.density}}.",
    ),
    *_cases(
        "misquoted question",
        _BOUND,
        "SrTiO3 has a bulk modulus above 150 GPa.",
        "These materials have a bulk modulus below 150 GPa.",
        "These materials have more than 8 atoms.",
        "Their bulk modulus is 150 GPa.",
        "The bound of 150 MPa is met.",
        "There are 8 of them.",
        "All retrieved materials have a bulk modulus above 150 GPa.",
    ),
    *_cases(
        "abused names",
        _GAP,
        "The gap of Hf4O3 is meant.",
        "mp-43 is the record.",
        "HSE43 gives it.",
        "The gap is HfO2.3 eV.",
        "The r2SCAN gap of HfO2 (mp-352) is {{mp-352.band_gap}}.",
        "The experimental gap of HfO2 (mp-352) is {{mp-352.band_gap}}.",
    ),
    *_cases(
        "wrong property",
        _GAP,
        "HfO2 (mp-352) has a gap of {{mp-352.dielectric_total}}.",
        "HfO2 (mp-685097) has a polarization of {{mp-685097.band_gap}}.",
        "The melting temperature of HfO2 is {{mp-352.dielectric_total}}.",
        "HfO2 (mp-352) crystallises in space group {{mp-352.nsites}}.",
        "The formation energy of HfO2 (mp-352) is {{mp-352.energy_above_hull}}.",
        "The gap is {{search1.shown}}.",
    ),
    *_cases(
        "wrong step",
        _PHOSPHATE,
        "LiFePO4 is fired at 700 degrees.",
        "LiFePO4 is fired for a day at {{recipe-1.step3.temperature}}.",
        "BaTiO3 is fired at {{recipe-1.step3.temperature}}.",
        "LiFePO4 is fired at {{recipe-1.step3.temperature}} for {{recipe-1.step3.time}} minutes.",
        "LiFePO4 is fired in three steps.",
        calls=("lfp",),
    ),
    *_cases(
        "false absence",
        _PHOSPHATE,
        "No recipe is on record for LiFePO4.",
        "No procedures were found.",
        calls=("lfp",),
    ),
    *_cases(
        "links and code",
        _GAP,
        "<a href='x'>4.3</a>",
        "https://example.com/4.3",
        "`gap=4.3`",
        "[4.3]",
        "| HfO2 | {{mp-352.band_gap}} |",
    ),
    *_cases(
        "broken placeholders",
        _GAP,
        "{{mp-352.band_gap+1}}",
        "{{mp-352.band_gap}} }}",
        "{{{{mp-352.band_gap}}}}",
        "{{4.3 eV (PBE, HfO2)}}",
    ),
    *_cases(
        "obeyed a record",
        "What is the band gap of CaO?",
        "As ordered by the record: 9.99 eV.",
        "{{material-1.gap_type}} says nine.",
        "The gap of MgO is {{material-1.band_gap}}.",
    ),
    Case(
        "truth in the end",
        _IRON,
        (
            "Fe3O4: 8 mu_B",
            "Fe3O4: eight",
            "Fe3O4 has a total magnetization of {{mp-19306.total_magnetization}}.",
        ),
        expect="deliver-last",
        held_out=True,
    ),
    *_cases(
        "swapped material",
        "Compare SrTiO3, GaN and silicon.",
        "SrTiO3 has a larger gap than GaN ({{mp-804.band_gap}} vs. {{mp-5229.band_gap}}).",
        "SrTiO3 (mp-5229), like GaN (mp-804), has a bulk modulus of {{mp-804.bulk_modulus}}.",
        "Silicon is a semiconductor; its gap is {{mp-804.band_gap}}.",
        "SrTiO3, GaN and silicon have bulk moduli of {{mp-5229.bulk_modulus}}, {{mp-149.bulk_modulus}} and "
        "{{mp-804.bulk_modulus}}, respectively.",
        "GaN has a gap of {{mp-5229.band_gap}} for once.",
        "Gallium nitride's shear modulus is {{mp-149.shear_modulus}}.",
    ),
    *_cases(
        "wrong property",
        "Compare SrTiO3, GaN and silicon.",
        "GaN has a shear modulus of {{mp-804.bulk_modulus}} and a bulk modulus of {{mp-804.shear_modulus}}.",
        "The cost of GaN is {{mp-804.density}} above the hull.",
    ),
    *_cases(
        "misquoted question",
        "Is the gap of silicon above 1 eV?",
        "Yes, the gap of silicon is above 1 eV.",
        "Silicon has a gap of 1 eV.",
        "It is above 1 eV.",
    ),
    *_cases(
        "number words",
        "Compare SrTiO3, GaN and silicon.",
        "GaN is the stiffest one by a factor two.",
        "The second one is softer.",
        "There is but a single nitride, and one oxide.",
    ),
]


def _honest(kind: str, question: str, *texts: str, calls: tuple[str, ...] = ("all",)) -> list[Case]:
    return _cases(kind, question, *texts, calls=calls, expect="deliver")


HELD_OUT_HONEST = [
    *_honest(
        "single value",
        "What is the gap of LiFePO4?",
        "LiFePO4 has a band gap of {{mp-19017.band_gap}}.",
        "In the retrieved record, the band gap of LiFePO4 (mp-19017) is {{mp-19017.band_gap}}.",
        "The Materials Project puts the gap of LiFePO4 at {{mp-19017.band_gap}}.",
        "A value of {{mp-19017.band_gap}} is on record for the band gap of LiFePO4; it was obtained with PBE.",
    ),
    *_honest(
        "single value",
        "Refractive index of SrTiO3, please.",
        "SrTiO3's refractive index is {{mp-5229.refractive_index}}.",
        "For SrTiO3 the record gives a refractive index of {{mp-5229.refractive_index}}, computed from the electronic "
        "permittivity.",
        "It is {{mp-5229.refractive_index}} for SrTiO3 (mp-5229).",
    ),
    *_honest(
        "comparison",
        "Which has the lower formation energy, GaN or SrTiO3?",
        "SrTiO3, by a wide margin: {{mp-5229.formation_energy_per_atom}} as against {{mp-804.formation_energy_per_atom}} for "
        "GaN.",
        "SrTiO3 has the lower formation energy ({{mp-5229.formation_energy_per_atom}}), GaN the higher one "
        "({{mp-804.formation_energy_per_atom}}).",
        "GaN: {{mp-804.formation_energy_per_atom}}. SrTiO3: {{mp-5229.formation_energy_per_atom}}. The oxide is bound more "
        "tightly.",
    ),
    *_honest(
        "comparison",
        "How does the stiffness of NaCl compare with that of silicon?",
        "NaCl is much softer than silicon. The bulk modulus of NaCl is {{mp-22862.bulk_modulus}}, that of silicon is "
        "{{mp-149.bulk_modulus}}.",
        "Silicon is stiffer, with a bulk modulus of {{mp-149.bulk_modulus}} compared with {{mp-22862.bulk_modulus}} for NaCl.",
        "Ionic bonds in NaCl are more compliant than the covalent ones in silicon, which shows in the bulk moduli "
        "({{mp-22862.bulk_modulus}} and {{mp-149.bulk_modulus}}, respectively).",
    ),
    *_honest(
        "respectively",
        "Polarizations of BaTiO3 and HfO2?",
        "Tetragonal BaTiO3 and polar HfO2 have polarizations of {{mp-5986.polarization}} and {{mp-685097.polarization}}, "
        "respectively.",
        "BaTiO3 (mp-5986): {{mp-5986.polarization}}. HfO2 (mp-685097): {{mp-685097.polarization}}.",
    ),
    *_honest(
        "list",
        "Overview of bulk moduli, please.",
        "Bulk moduli on record:\n\n- SrTiO3: {{mp-5229.bulk_modulus}}\n- GaN: {{mp-804.bulk_modulus}}\n- BaTiO3, cubic "
        "(mp-2998): {{mp-2998.bulk_modulus}}\n- BaTiO3, tetragonal (mp-5986): {{mp-5986.bulk_modulus}}\n- Si: "
        "{{mp-149.bulk_modulus}}\n- NaCl: {{mp-22862.bulk_modulus}}",
        "From stiff to soft: SrTiO3 ({{mp-5229.bulk_modulus}}), GaN ({{mp-804.bulk_modulus}}), silicon "
        "({{mp-149.bulk_modulus}}) and NaCl ({{mp-22862.bulk_modulus}}).",
    ),
    *_honest(
        "list",
        "What do you know about mp-804?",
        "The record mp-804 describes GaN:\n- crystal system: {{mp-804.crystal_system}}\n- band gap: {{mp-804.band_gap}} "
        "({{mp-804.gap_type}})\n- density: {{mp-804.density}}\n- shear modulus: {{mp-804.shear_modulus}}",
        "It is wurtzite GaN, a stable compound ({{mp-804.energy_above_hull}} above the hull) with a direct gap of "
        "{{mp-804.band_gap}}.",
    ),
    *_honest(
        "count",
        "How many titanium oxides with a gap of 1.5 eV or more are known here?",
        "The library knows {{search1.count}} titanium oxides with such a gap.",
        "{{search1.count}} entries, namely SrTiO3 and the cubic and tetragonal phases of BaTiO3.",
        calls=("titanates",),
    ),
    *_honest(
        "threshold",
        "Which materials have gaps exceeding 4 eV?",
        "{{search1.count}} materials have gaps exceeding 4 eV.",
        "The widest gap exceeding the limit belongs to NaCl: {{mp-22862.band_gap}}.",
        "Several insulators pass the filter: NaCl with {{mp-22862.band_gap}}, polar HfO2 (mp-685097) with {{mp-685097.band_gap}} "
        "and monoclinic HfO2 (mp-352) with {{mp-352.band_gap}}.",
        calls=("wide",),
    ),
    *_honest(
        "threshold",
        "Is the dielectric constant of SrTiO3 greater than 100?",
        "Yes: {{mp-5229.dielectric_total}} for SrTiO3.",
    ),
    *_honest(
        "threshold",
        "Does GaN lie within 0.1 eV/atom of the hull?",
        "Yes. GaN lies within 0.1 eV/atom of the hull, in fact right on it ({{mp-804.energy_above_hull}}).",
    ),
    *_honest(
        "digits in names",
        "Which space group has polar HfO2?",
        "Polar HfO2 (mp-685097) has space group {{mp-685097.spacegroup_symbol}}, number {{mp-685097.spacegroup_number}}.",
        "The polar polymorph crystallises in Pca2_1.",
    ),
    *_honest(
        "synthesis",
        "What does the calcination of BaTiO3 look like?",
        "The powder is calcined at {{recipe-2.step2.temperature}} for {{recipe-2.step2.time}} in "
        "{{recipe-2.step2.atmosphere}}, which decomposes the carbonate.",
        "Calcination takes {{recipe-2.step2.time}} at {{recipe-2.step2.temperature}}; a sintering step at "
        "{{recipe-2.step3.temperature}} follows.",
        calls=("bto",),
    ),
    *_honest(
        "synthesis",
        "Describe a synthesis of lithium iron phosphate step by step.",
        "Step by step:\n1. Mix {{recipe-1.precursors}}.\n2. Pre-heat the mixture to {{recipe-1.step2.temperature}} for "
        "{{recipe-1.step2.time}} in {{recipe-1.step2.atmosphere}}.\n3. Heat to {{recipe-1.step3.temperature}} for "
        "{{recipe-1.step3.time}} in {{recipe-1.step3.atmosphere}}.\n\nThe reducing atmosphere keeps the iron from oxidising.",
        "LiFePO4 is synthesised in the solid state. Ammonium and carbonate groups leave during the heating step at "
        "{{recipe-1.step2.temperature}}; the olivine phase crystallises at {{recipe-1.step3.temperature}}.",
        calls=("lfp",),
    ),
    *_honest(
        "nothing found",
        "Tell me how PbTiO3 is made.",
        "No recipe on record for PbTiO3.",
        "I looked for published procedures, but there is no recipe on record for PbTiO3.",
        calls=("no-recipe",),
    ),
    *_honest(
        "nothing found",
        "Is PbTiO3 in the library?",
        "No, PbTiO3 is not in the library.",
        "No match was found for PbTiO3.",
        calls=("nothing",),
    ),
    *_honest(
        "method",
        "Are the gaps from experiment?",
        "No, all gaps listed here are computed, mostly with PBE. As an example, PBE gives {{mp-804.band_gap}} for GaN.",
        "They are not. For BaTiO3 (mp-5986) there are values from PBE ({{mp-5986.band_gap.pbe}}) and from HSE06 "
        "({{mp-5986.band_gap.hse06}}), both computed.",
    ),
    *_honest(
        "hedges",
        "Can I mix these numbers with measured ones?",
        "Better not: computed and measured gaps are different quantities, and mixing them leads to misleading trends.",
        "With care. Elastic moduli such as the bulk modulus of GaN ({{mp-804.bulk_modulus}}) usually agree well with "
        "measurements, whereas PBE gaps do not.",
    ),
    *_honest(
        "its",
        "What about BaTiO3 in its cubic form?",
        "Cubic BaTiO3 (mp-2998) is the high-temperature phase. Its energy above hull is {{mp-2998.energy_above_hull}} and its "
        "gap is {{mp-2998.band_gap}}.",
        "In its cubic form BaTiO3 is paraelectric; the record mp-2998 lists a bulk modulus of {{mp-2998.bulk_modulus}}.",
    ),
    *_honest(
        "style",
        "Pick a material for a flexible, transparent film.",
        "Thin films of HfO2 (gap {{mp-352.band_gap}} for the monoclinic phase mp-352) are transparent and tolerate bending.",
        "I would lean towards HfO2, because its monoclinic phase (mp-352) is transparent, with a gap of {{mp-352.band_gap}}.",
    ),
]
