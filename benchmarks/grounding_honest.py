"""What would a careful model answer? Honest answers, as a good model writes them without knowing the rules by heart."""

from __future__ import annotations

from .grounding_held_out import HELD_OUT_HONEST
from .grounding_script import Case


def _honest(kind: str, question: str, answer: str, *calls: str, held_out: bool = False) -> Case:
    return Case(kind, question, (answer,), calls or ("all",), "deliver", held_out)


_TUNED = (
    _honest(
        "single value", "What is the band gap of SrTiO3?", "The band gap of SrTiO3 is {{mp-5229.band_gap}}."
    ),
    _honest(
        "single value",
        "What is the PBE gap of GaN?",
        "At the PBE level, GaN (mp-804) has a direct band gap of {{mp-804.band_gap.pbe}}.",
    ),
    _honest(
        "single value",
        "Bulk modulus of silicon?",
        "The Voigt-Reuss-Hill bulk modulus of silicon is {{mp-149.bulk_modulus}}.",
    ),
    _honest(
        "single value",
        "How stable is HfO2?",
        "Monoclinic HfO2 (mp-352) lies on the convex hull, with an energy above hull of {{mp-352.energy_above_hull}}.",
    ),
    _honest(
        "single value",
        "Formation energy of NaCl?",
        "**NaCl** has a formation energy of {{mp-22862.formation_energy_per_atom}} eV/atom, which is clearly negative.",
    ),
    _honest(
        "single value",
        "What is the refractive index of strontium titanate?",
        "Strontium titanate has a refractive index of {{mp-5229.refractive_index}}, from its electronic "
        "permittivity of {{mp-5229.dielectric_electronic}}.",
    ),
    _honest(
        "single value",
        "Is GaN's gap direct?",
        "Yes. The records list the gap of GaN as {{mp-804.gap_type}}; it amounts to {{mp-804.band_gap}}.",
    ),
    _honest(
        "method",
        "Compare the PBE and HSE06 band gaps of tetragonal BaTiO3.",
        "For tetragonal BaTiO3 (mp-5986), PBE gives a band gap of {{mp-5986.band_gap.pbe}} and HSE06 gives "
        "{{mp-5986.band_gap.hse06}}. PBE is known to underestimate band gaps, so the hybrid value is likely closer to "
        "experiment.",
    ),
    _honest(
        "method",
        "What is the gap of BaTiO3?",
        "The best value on record for BaTiO3 is {{mp-5986.band_gap.hse06}} with HSE06; the PBE value, "
        "{{mp-5986.band_gap.pbe}}, is smaller, as expected of a semilocal functional.",
    ),
    _honest(
        "comparison",
        "Which has the larger gap, SrTiO3 or GaN?",
        "SrTiO3 has the larger gap: {{mp-5229.band_gap}}, compared with {{mp-804.band_gap}} for GaN.",
    ),
    _honest(
        "comparison",
        "Compare the gaps of NaCl and silicon.",
        "NaCl is a wide-gap insulator with a gap of {{mp-22862.band_gap}}, whereas silicon is a semiconductor with "
        "{{mp-149.band_gap}}.",
    ),
    _honest(
        "comparison",
        "Which BaTiO3 polymorph is more stable?",
        "The tetragonal polymorph (mp-5986) is closer to the hull: its energy above hull is "
        "{{mp-5986.energy_above_hull}}, while the cubic one (mp-2998) lies at {{mp-2998.energy_above_hull}}.",
    ),
    _honest(
        "comparison",
        "Is GaN stiffer than silicon?",
        "Yes, GaN is stiffer: its bulk modulus is {{mp-804.bulk_modulus}}, larger than the {{mp-149.bulk_modulus}} of "
        "silicon. The shear moduli follow the same trend.",
    ),
    _honest(
        "respectively",
        "Give the gaps of SrTiO3 and GaN.",
        "SrTiO3 and GaN have band gaps of {{mp-5229.band_gap}} and {{mp-804.band_gap}}, respectively.",
    ),
    _honest(
        "respectively",
        "Gap and formation energy of SrTiO3?",
        "The band gap and formation energy of SrTiO3 are {{mp-5229.band_gap}} and "
        "{{mp-5229.formation_energy_per_atom}}, respectively.",
    ),
    _honest(
        "respectively",
        "Moduli of GaN?",
        "The bulk and shear moduli of GaN are {{mp-804.bulk_modulus}} and {{mp-804.shear_modulus}}.",
    ),
    _honest(
        "list",
        "List the band gaps of the titanates.",
        "Here are the titanates that I found:\n\n1. BaTiO3, tetragonal (mp-5986): {{mp-5986.band_gap}}\n"
        "2. BaTiO3, cubic (mp-2998): {{mp-2998.band_gap}}\n3. SrTiO3 (mp-5229): {{mp-5229.band_gap}}",
    ),
    _honest(
        "list",
        "Which materials have the widest gaps?",
        "The widest gaps belong to:\n- NaCl: {{mp-22862.band_gap}}\n- polar HfO2 (mp-685097): {{mp-685097.band_gap}}\n"
        "- monoclinic HfO2 (mp-352): {{mp-352.band_gap}}",
    ),
    _honest(
        "list",
        "Tell me about SrTiO3.",
        "SrTiO3:\n* space group: {{mp-5229.spacegroup_symbol}}\n* band gap: {{mp-5229.band_gap}}\n"
        "* bulk modulus: {{mp-5229.bulk_modulus}}\n* dielectric constant: {{mp-5229.dielectric_total}}",
    ),
    _honest(
        "count",
        "How many titanates are known?",
        "There are {{search1.count}} titanates with a gap above the chosen limit in the library.",
        "titanates",
    ),
    _honest(
        "count",
        "How many oxides are near the hull?",
        "{{search1.count}} oxides lie near the hull, that is at most {{search1.energy_above_hull_max}} above it. "
        "One of them is polar HfO2 (mp-685097).",
        "stable",
    ),
    _honest(
        "threshold",
        "Which materials have a band gap above 4 eV?",
        "{{search1.count}} materials in the library have a band gap above 4 eV. The widest gap is that of "
        "{{mp-22862.formula}}, {{mp-22862.band_gap}}.",
        "wide",
    ),
    _honest(
        "threshold",
        "Is the gap of SrTiO3 greater than 1.5 eV?",
        "Yes, the band gap of SrTiO3 is greater than 1.5 eV: the record gives {{mp-5229.band_gap}}.",
    ),
    _honest(
        "threshold",
        "Does silicon have a gap of more than 2 eV?",
        "No. Silicon has a PBE gap of {{mp-149.band_gap}}, so the requirement of more than 2 eV is not met.",
    ),
    _honest(
        "threshold",
        "Find compounds with a gap between 4 and 6 eV.",
        "{{search1.count}} compounds have a gap between 4 and 6 eV. They include an alkali halide, NaCl, and "
        "a polar oxide, HfO2.",
        "wide",
    ),
    _honest(
        "digits in names",
        "Which space group does tetragonal BaTiO3 have?",
        "Tetragonal BaTiO3 crystallises in space group {{mp-5986.spacegroup_symbol}} (number "
        "{{mp-5986.spacegroup_number}}), with {{mp-5986.nsites}} atoms in the primitive cell.",
    ),
    _honest(
        "digits in names",
        "Which polymorphs of HfO2 are there?",
        "HfO2 appears as mp-352, the monoclinic P2_1/c ground state, and as mp-685097, the polar Pca2_1 phase.",
    ),
    _honest(
        "digits in names",
        "Is Fe3O4 magnetic?",
        "Fe3O4 (mp-19306) is ferrimagnetic: its magnetic ordering is listed as {{mp-19306.magnetic_ordering}}, and the "
        "total magnetization of the cell is {{mp-19306.total_magnetization}}.",
    ),
    _honest(
        "digits in names",
        "How is LiFePO4 made?",
        "LiFePO4 is made from Li2CO3, FeC2O4 and NH4H2PO4 by a solid-state route.",
        "lfp",
    ),
    _honest(
        "synthesis",
        "How is LiFePO4 synthesised?",
        "LiFePO4 can be made by a {{recipe-1.synthesis_type}} route. First, {{recipe-1.precursors}} are mixed. The "
        "mixture is then heated at {{recipe-1.step2.temperature}} for {{recipe-1.step2.time}} in "
        "{{recipe-1.step2.atmosphere}}. Finally, it is fired at {{recipe-1.step3.temperature}} for "
        "{{recipe-1.step3.time}}.",
        "lfp",
    ),
    _honest(
        "synthesis",
        "At which temperature is BaTiO3 calcined?",
        "On record is a procedure for BaTiO3 with {{recipe-2.steps}} steps: after mixing BaCO3 and TiO2, the powder is "
        "calcined at {{recipe-2.step2.temperature}} in {{recipe-2.step2.atmosphere}} and sintered at "
        "{{recipe-2.step3.temperature}} for {{recipe-2.step3.time}}.",
        "bto",
    ),
    _honest(
        "nothing found",
        "How is PbTiO3 made?",
        "There is no recipe on record for PbTiO3.",
        "no-recipe",
    ),
    _honest(
        "nothing found",
        "What is the gap of PbTiO3?",
        "No entry for PbTiO3 was found in the library, so I cannot give its band gap.",
        "nothing",
    ),
    _honest(
        "nothing found",
        "Is there a polar lead titanate?",
        "None of the records matches: the search for PbTiO3 returned {{search1.count}} results.",
        "nothing",
    ),
    _honest(
        "hedges",
        "Which materials here are ferroelectric?",
        "Both BaTiO3 and HfO2 have polar polymorphs on record. The first of these, BaTiO3, has a polarization of "
        "{{mp-5986.polarization}}, and polar HfO2 (mp-685097) has {{mp-685097.polarization}}. Note that the "
        "polarization of a ferroelectric depends on strain, temperature and sample quality.",
    ),
    _honest(
        "hedges",
        "Which oxide would you pick for a ferroelectric memory?",
        "One of the most promising options is HfO2: the polar phase is slightly metastable, at "
        "{{mp-685097.energy_above_hull}} above the hull, yet it can be stabilised in thin films. That said, the "
        "records alone do not tell endurance or switching speed.",
    ),
    _honest(
        "hedges",
        "What limits these numbers?",
        "These values come from semilocal density functional theory, which typically underestimates band gaps and "
        "describes only the ideal crystal at low temperature.",
    ),
    _honest(
        "its",
        "Tell me about GaN.",
        "GaN is a wurtzite semiconductor. Its band gap is {{mp-804.band_gap}}, and its density is {{mp-804.density}}.",
    ),
    _honest(
        "its",
        "What do you know of silicon?",
        "Silicon is an elemental semiconductor. It has an indirect gap of {{mp-149.band_gap}} and a bulk modulus of "
        "{{mp-149.bulk_modulus}}.",
    ),
    _honest(
        "its",
        "Describe polar hafnia.",
        "Polar hafnia (mp-685097) is orthorhombic. With a gap of {{mp-685097.band_gap}}, it is a good insulator; the "
        "polarization reaches {{mp-685097.polarization}}.",
    ),
    _honest(
        "style",
        "Is SrTiO3 a good dielectric?",
        "Short answer: yes. SrTiO3 is a quantum paraelectric with a remarkably large permittivity "
        "({{mp-5229.dielectric_total}}), most of which stems from soft phonons; the electronic contribution is only "
        "{{mp-5229.dielectric_electronic}}.",
    ),
    _honest(
        "style",
        "Which of these would you choose for a transparent electrode host?",
        "I would choose NaCl or HfO2 only as insulating layers, since their gaps ({{mp-22862.band_gap}} and "
        "{{mp-352.band_gap}}, respectively) are far too wide for conduction.",
    ),
    _honest(
        "style",
        "What is known about GaN and silicon?",
        "### GaN\n- Band gap: {{mp-804.band_gap}} (direct)\n- Bulk modulus: {{mp-804.bulk_modulus}}\n\n"
        "### Silicon\n- Band gap: {{mp-149.band_gap}} (indirect)\n- Bulk modulus: {{mp-149.bulk_modulus}}",
    ),
    _honest(
        "style",
        "Is polar hafnia stable?",
        "Not quite \u2014 the polar phase of HfO2 (mp-685097) is metastable: it lies {{mp-685097.energy_above_hull}} above "
        "the hull, e.g. because the monoclinic phase (mp-352) packs better.",
    ),
    _honest(
        "style",
        "Why is the gap of silicon so small?",
        "Because silicon\u2019s bonds are purely covalent, the splitting between bonding and antibonding states is modest. "
        "The record lists a gap of {{mp-149.band_gap.pbe}}; semilocal functionals such as PBE tend to give too small a "
        "value.",
    ),
    _honest(
        "style",
        "What is the magnetic state of LiFePO4?",
        "LiFePO4 orders antiferromagnetically ({{mp-19017.magnetic_ordering}}) according to the record, whose cell carries "
        "a total magnetization of {{mp-19017.total_magnetization}}.",
    ),
    _honest(
        "style",
        "Which perovskites do you have?",
        "The perovskites on record are {{mp-5986.formula}}, {{mp-2998.formula}} and {{mp-5229.formula}}.",
    ),
    _honest(
        "style",
        "Compare tetragonal and cubic BaTiO3.",
        "The tetragonal phase (mp-5986) has a PBE gap of {{mp-5986.band_gap.pbe}} and a formation energy of "
        "{{mp-5986.formation_energy_per_atom}}. The cubic phase (mp-2998) has a gap of {{mp-2998.band_gap}} and a formation "
        "energy of {{mp-2998.formation_energy_per_atom}}. The energies differ only slightly, which fits the well-known "
        "phase transition.",
    ),
    _honest(
        "style",
        "Is Fe3O4 a metal?",
        "In this record Fe3O4 is metallic: its PBE band gap is {{mp-19306.band_gap}}. In reality, magnetite is a poor "
        "conductor at low temperature.",
    ),
    _honest(
        "style",
        "Give me the density of GaN and NaCl.",
        "Densities: {{mp-804.density}} for GaN and {{mp-22862.density}} for NaCl.",
    ),
    _honest(
        "style",
        "Rank the alkali halides and nitrides by stiffness.",
        "By bulk modulus, GaN ({{mp-804.bulk_modulus}}) comes before NaCl ({{mp-22862.bulk_modulus}}).",
    ),
    _honest(
        "style",
        "Which oxides here have a polarization on record?",
        "A polarization is on record for tetragonal BaTiO3 ({{mp-5986.polarization}}) and for orthorhombic HfO2 "
        "({{mp-685097.polarization}}). For the others, no value is listed.",
    ),
    _honest(
        "style",
        "What about the gap of barium titanate?",
        "Barium titanate's band gap depends on the functional: {{mp-5986.band_gap.pbe}} with PBE, but "
        "{{mp-5986.band_gap.hse06}} with HSE06.",
    ),
    _honest(
        "synthesis",
        "Summarise the synthesis of LiFePO4.",
        "A published solid-state procedure for LiFePO4 runs as follows:\n1. Mix {{recipe-1.precursors}}.\n"
        "2. Heat at {{recipe-1.step2.temperature}} for {{recipe-1.step2.time}} under {{recipe-1.step2.atmosphere}}.\n"
        "3. Heat at {{recipe-1.step3.temperature}} for {{recipe-1.step3.time}} under {{recipe-1.step3.atmosphere}}.",
        "lfp",
    ),
    _honest(
        "synthesis",
        "Can I make BaTiO3 in air?",
        "Yes: the recipe on record calcines the mixed powders at {{recipe-2.step2.temperature}} in "
        "{{recipe-2.step2.atmosphere}} before sintering at {{recipe-2.step3.temperature}}. It starts from "
        "{{recipe-2.precursors}}.",
        "bto",
    ),
    _honest(
        "count",
        "How many records are there?",
        "The library returned {{search1.count}} records in total; I list the ones with the largest gaps below.\n"
        "* NaCl, {{mp-22862.band_gap}}\n* HfO2 (mp-685097), {{mp-685097.band_gap}}",
    ),
    _honest(
        "threshold",
        "Are there oxides near the hull with a gap over 3 eV?",
        "Yes, for instance HfO2. Its monoclinic form (mp-352) has a gap of {{mp-352.band_gap}} and sits at "
        "{{mp-352.energy_above_hull}} relative to the hull.",
    ),
    _honest(
        "threshold",
        "Which materials have a bulk modulus of at least 170 GPa?",
        "SrTiO3 ({{mp-5229.bulk_modulus}}) and GaN ({{mp-804.bulk_modulus}}) qualify. The question asked for at least "
        "170 GPa.",
    ),
    _honest(
        "synthesis",
        "How is BaTiO3 made?",
        "BaTiO3 is prepared by a {{recipe-2.synthesis_type}} reaction of BaCO3 with TiO2: the mixture is heated at "
        "{{recipe-2.step2.temperature}} for {{recipe-2.step2.time}} in {{recipe-2.step2.atmosphere}}, then at "
        "{{recipe-2.step3.temperature}} for {{recipe-2.step3.time}}.",
        "bto",
    ),
    _honest(
        "style",
        "I need a ferroelectric with a wide gap. Suggestions?",
        "Polar HfO2 stands out. Compared with tetragonal BaTiO3, whose PBE gap is {{mp-5986.band_gap.pbe}}, "
        "it has the wider gap: {{mp-685097.band_gap}}.",
    ),
    _honest(
        "style",
        "Can I trust the gap of Fe3O4?",
        "Only with caution. PBE gives {{mp-19306.band_gap}} for Fe3O4, yet correlated oxides are notoriously "
        "difficult for semilocal functionals; a calculation with a Hubbard correction or a hybrid functional "
        "would be advisable.",
    ),
    _honest(
        "comparison",
        "How do SrTiO3 and BaTiO3 compare?",
        "On the one hand, SrTiO3 is on the hull ({{mp-5229.energy_above_hull}}); on the other, cubic BaTiO3 "
        "(mp-2998) is slightly above it ({{mp-2998.energy_above_hull}}).",
    ),
    _honest(
        "comparison",
        "Is Fe3O4 more magnetic than LiFePO4?",
        "Not in these records: LiFePO4 carries a total magnetization of {{mp-19017.total_magnetization}} per "
        "cell, while Fe3O4 has {{mp-19306.total_magnetization}}. Note that the cells differ in size, so the "
        "comparison is of limited use.",
    ),
    _honest(
        "threshold",
        "Find materials with a gap larger than 4 eV.",
        "The search for gaps larger than 4 eV returned {{search1.count}} materials.",
        "wide",
    ),
    _honest(
        "synthesis",
        "How can I synthesise LiFePO4?",
        "On record is a solid-state synthesis. The precursors, {{recipe-1.precursors}}, are mixed and "
        "pre-heated at {{recipe-1.step2.temperature}} for {{recipe-1.step2.time}} under flowing "
        "{{recipe-1.step2.atmosphere}}. The main firing takes place at {{recipe-1.step3.temperature}} for "
        "{{recipe-1.step3.time}}.",
        "lfp",
    ),
    _honest(
        "synthesis",
        "How can I synthesise LiFePO4?",
        "You could follow the published route for LiFePO4: grind Li2CO3, FeC2O4 and NH4H2PO4 together, "
        "decompose the mixture at {{recipe-1.step2.temperature}}, and anneal the product at "
        "{{recipe-1.step3.temperature}}.",
        "lfp",
    ),
    _honest(
        "style",
        "Why do PBE and HSE06 disagree for BaTiO3?",
        "PBE suffers from self-interaction error, which pushes occupied states up and narrows the gap. HSE06 "
        "mixes in a share of exact exchange and thus opens it. For tetragonal BaTiO3, the record lists "
        "{{mp-5986.band_gap.pbe}} for PBE and {{mp-5986.band_gap.hse06}} for HSE06.",
    ),
    _honest(
        "style",
        "Could NaCl serve as a scintillator host?",
        "Possibly: with a gap of {{mp-22862.band_gap}} NaCl leaves room for activator levels. Keep in mind "
        "that it is hygroscopic.",
    ),
    _honest(
        "style",
        "Could NaCl serve as a scintillator host?",
        "NaCl is used as a host for activators such as thallium. Its gap is {{mp-22862.band_gap}} according "
        "to PBE.",
    ),
    _honest(
        "list",
        "List band gaps of all binary compounds.",
        "The binaries are NaCl ({{mp-22862.band_gap}}), HfO2 (monoclinic mp-352, {{mp-352.band_gap}}), GaN "
        "({{mp-804.band_gap}}) and Fe3O4 ({{mp-19306.band_gap}}).",
    ),
    _honest(
        "synthesis",
        "How is LiFePO4 made?",
        "The paper behind recipe-1 heats a mixture of Li2CO3, FeC2O4 and NH4H2PO4 at "
        "{{recipe-1.step2.temperature}} and then at {{recipe-1.step3.temperature}}.",
        "lfp",
    ),
    _honest(
        "style",
        "Is silicon a good solar absorber?",
        "Silicon is the workhorse of photovoltaics despite its indirect gap. The PBE gap, "
        "{{mp-149.band_gap}}, is well short of the measured one.",
    ),
    _honest(
        "threshold",
        "Is the dielectric constant of SrTiO3 greater than 100?",
        "Yes, the dielectric constant of SrTiO3 is greater than 100; the record has {{mp-5229.dielectric_total}}.",
    ),
)

HONEST = [*_TUNED, *HELD_OUT_HONEST]
