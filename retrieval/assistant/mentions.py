"""Which materials, properties, methods and phases does a sentence speak of, and where?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import gcd

from ...core.properties import method_slug
from . import records
from .ledger import Entry
from .several import several
from .tokens import Token
from .words import element_names

Fits = Callable[[Entry], bool]


@dataclass(frozen=True)
class Mention:
    """Something said at a place of a sentence, and which entries it may be said of.

    Attributes:
        at: Index of its first token.
        last: Index of its last token.
        text: As it stands.
        fits: Whether an entry may be meant.
        formula: Reduced amounts of a material; `None` for other mentions and for ids of the question.
        ref: Of a material named by its id.
        exact: Whether a property's words name one property, not several of a kind.
    """

    at: int
    last: int
    text: str
    fits: Fits
    formula: frozenset[tuple[str, float]] | None = None
    ref: str | None = None
    exact: bool = True


_PROPERTY_PHRASES: dict[str, str] = {
    "band_gap gap_type": "band gap,band gaps,bandgap,bandgaps,energy gap,energy gaps,gap,gaps,gap energy",
    "formation_energy_per_atom": "formation energy,formation energies,energy of formation,energies of formation,"
    "enthalpy of formation,formation enthalpy,formation enthalpies,heat of formation",
    "energy_above_hull": "energy above hull,energy above the hull,energy above the convex hull,energies above the hull,"
    "energies above hull,above the hull,above hull,above the convex hull,hull distance,hull energy,hull energies,"
    "relative to the hull,off the hull,from the hull,from the convex hull,relative to the convex hull,"
    "hull distances,distance to the hull,distance from the hull,distance to hull,distance above the hull,decomposition energy",
    "energy_per_atom": "total energy,total energies",
    "bulk_modulus": "bulk modulus,bulk moduli,incompressibility",
    "shear_modulus": "shear modulus,shear moduli",
    "bulk_modulus shear_modulus": "elastic moduli,elastic modulus",
    "poisson_ratio": "poisson ratio,poisson's ratio,poisson ratios",
    "dielectric_total dielectric_electronic dielectric_ionic": "dielectric constant,dielectric constants,permittivity,"
    "permittivities,relative permittivity",
    "dielectric_total": "total dielectric constant,static dielectric constant,total permittivity,static permittivity",
    "dielectric_electronic": "electronic dielectric constant,electronic permittivity,optical dielectric constant,"
    "high-frequency dielectric constant,electronic part,electronic contribution",
    "dielectric_ionic": "ionic dielectric constant,ionic permittivity,ionic part,ionic contribution",
    "polar_nonpolar_energy_difference": "energy difference,energy differences",
    "refractive_index": "refractive index,refractive indices",
    "piezoelectric_modulus": "piezoelectric modulus,piezoelectric moduli,piezoelectric response,piezoelectric constant,"
    "piezoelectric coefficient",
    "total_magnetization": "magnetization,magnetisation,magnetizations,magnetisations,total magnetization,"
    "total magnetisation,magnetic moment,magnetic moments,total moment",
    "magnetic_ordering": "magnetic ordering,magnetic order",
    "polarization": "polarization,polarisation,spontaneous polarization,spontaneous polarisation,polarizations",
    "coercive_field": "coercive field,coercive fields",
    "switching_barrier switching_barrier_per_atom": "switching barrier,switching barriers",
    "migration_barrier": "migration barrier,migration barriers,hopping barrier,diffusion barrier",
    "vacancy_formation_energy": "vacancy formation energy,vacancy formation energies",
    "transition_temperature": "transition temperature,curie temperature,transition temperatures",
    "density": "density,densities,mass density",
    "volume_per_atom": "volume,volumes,volume per atom,atomic volume",
    "spacegroup_number spacegroup_symbol crystal_system": "space group,space groups,spacegroup,crystal system",
    "resistance_ratio": "resistance ratio,on-off ratio",
    "possible_species": "oxidation states,oxidation state",
    "structure_type": "structure type,structure types,prototype",
    "supply_hhi": "supply concentration,supply risk",
    "nsites": "number of atoms,number of sites",
    "nelements": "number of elements",
    "": "melting point,melting points,melting temperature,boiling point,hardness,young's modulus,tensile strength,"
    "toughness,thermal conductivity,electrical conductivity,conductivity,resistivity,resistance,"
    "work function,lattice constant,lattice constants,lattice parameter,lattice parameters,effective mass,"
    "electron affinity,ionization energy,ionisation energy,debye temperature,heat capacity,cohesive energy,"
    "binding energy,surface energy,radius,mobility,lifetime,endurance,switching speed,set voltage,"
    "breakdown field,critical temperature,neel temperature,thermal expansion,viscosity,entropy,bandwidth,fermi energy,"
    "diffusion coefficient,activation energy,pressure,valence,tolerance factor,thickness,"
    "molar mass,wavelength,frequency,voltage,grain size,particle size,efficiency,figure of merit",
    "temperature": "temperature,temperatures",
    "time": "duration,durations,dwell time,holding time,soaking time",
    "atmosphere": "atmosphere",
    "precursors": "precursors,starting materials",
}
_WORDS_ONLY = frozenset({"gap_type", "spacegroup_symbol", "crystal_system"})
_SHARING = {
    "bulk": frozenset({"bulk_modulus"}),
    "shear": frozenset({"shear_modulus"}),
    "electronic": frozenset({"dielectric_electronic"}),
    "ionic": frozenset({"dielectric_ionic"}),
    "total": frozenset({"dielectric_total"}),
    "static": frozenset({"dielectric_total"}),
}
_SHARED_NOUNS = ("modul", "dielectric", "permittivit", "contribution", "part")
_ANION_ENDINGS = {
    "oxide": "O",
    "nitride": "N",
    "sulfide": "S",
    "sulphide": "S",
    "selenide": "Se",
    "telluride": "Te",
    "fluoride": "F",
    "chloride": "Cl",
    "bromide": "Br",
    "iodide": "I",
    "carbide": "C",
    "hydride": "H",
    "phosphide": "P",
    "arsenide": "As",
    "antimonide": "Sb",
    "silicide": "Si",
    "boride": "B",
    "dioxide": "O",
    "monoxide": "O",
    "pentoxide": "O",
    "disulfide": "S",
    "titanate": "Ti O",
    "niobate": "Nb O",
    "tantalate": "Ta O",
    "zirconate": "Zr O",
    "hafnate": "Hf O",
    "ferrite": "Fe O",
    "manganite": "Mn O",
    "cobaltite": "Co O",
    "cobaltate": "Co O",
    "nickelate": "Ni O",
    "cuprate": "Cu O",
    "vanadate": "V O",
    "molybdate": "Mo O",
    "tungstate": "W O",
    "aluminate": "Al O",
    "gallate": "Ga O",
    "scandate": "Sc O",
    "silicate": "Si O",
    "germanate": "Ge O",
    "stannate": "Sn O",
    "plumbate": "Pb O",
    "phosphate": "P O",
    "sulfate": "S O",
    "carbonate": "C O",
    "nitrate": "N O",
    "borate": "B O",
    "chromate": "Cr O",
    "chromite": "Cr O",
    "ruthenate": "Ru O",
    "iridate": "Ir O",
    "bismuthate": "Bi O",
}
_OXIDE_NAMES = {
    "titania": "Ti O",
    "zirconia": "Zr O",
    "hafnia": "Hf O",
    "alumina": "Al O",
    "silica": "Si O",
    "magnesia": "Mg O",
    "ceria": "Ce O",
    "vanadia": "V O",
    "yttria": "Y O",
    "strontia": "Sr O",
}
_CLASSES = {
    **{word: frozenset(elements.split(" ")[:1]) for word, elements in _ANION_ENDINGS.items()},
    "halide": frozenset({"F", "Cl", "Br", "I"}),
    "chalcogenide": frozenset({"S", "Se", "Te"}),
    "salt": frozenset({"F", "Cl", "Br", "I"}),
}
_SPEAKS_OF_A_MATERIAL = several("has have is shows exhibits with at are was itself crystallises crystallizes")
_NO_NOUNS = several(
    "and or by from to in on as while whereas than versus gives give comes come would should could can"
)
_CONDITIONS = several("low high room ambient elevated finite any this under increasing")
_AS_CONDITIONS = several("temperature temperatures pressure frequency thickness voltage")
_COMPARED = several(
    """
    underestimates underestimate underestimating overestimates overestimate than compared closer near agrees agree with
    to below above versus against reproduces reproduce misses
    """
)
_PHASES: dict[str, frozenset[int]] = {
    **{name: frozenset(range(low, high + 1)) for name, low, high in records.CRYSTAL_SYSTEMS},
    "trigonal": frozenset(range(143, 168)),
    "rhombohedral": frozenset(range(143, 168)),
    "hexagonal": frozenset(range(143, 195)),
    "wurtzite": frozenset({186}),
    "sphalerite": frozenset({216}),
    "rutile": frozenset({136}),
    "anatase": frozenset({141}),
    "brookite": frozenset({61}),
    "rocksalt": frozenset({225}),
    "fluorite": frozenset({225}),
    "amorphous": frozenset({0}),
    "polar": records.POLAR_GROUPS,
}
_METHOD_WORDS = {
    "PBE": "pbe",
    "HSE": "hse",
    "SCAN": "scan",
    "CHGNet": "chgnet",
    "MACE": "mace",
    "measured": "measured",
    "experimental": "measured",
    "experimentally": "measured",
    "experiment": "measured",
    "experiments": "measured",
    "measurement": "measured",
    "measurements": "measured",
    "hybrid": "hse",
}


def anion(word: str) -> frozenset[str]:
    """Elements that `oxides` or `titanate` name; empty for other words."""
    singular = word.removesuffix("s")
    return frozenset((_ANION_ENDINGS.get(singular) or _OXIDE_NAMES.get(singular) or "").split())


def phase_groups(word: str) -> frozenset[int] | None:
    """Space groups of a crystal system or structure type."""
    return _PHASES.get(word)


def materials(tokens: Sequence[Token], elemental: frozenset[str] = frozenset()) -> list[Mention]:
    """Formulas, ids, `{{ref.formula}}` and names such as `barium titanate`.

    Args:
        tokens: Of a sentence.
        elemental: Elements that are a retrieved material by themselves, so that `silicon` names one.
    """
    found = [*_named_materials(tokens), *_spoken_materials(tokens, elemental)]
    return sorted(found, key=lambda mention: mention.at)


def elemental(entries: Iterable[Entry]) -> frozenset[str]:
    """Elements that are a material of the ledger by themselves."""
    held = [composition(entry.formula) for entry in entries if entry.field == "formula"]
    return frozenset(symbol for amounts in held if len(amounts) == 1 for symbol, _ in amounts)


def reduced(amounts: frozenset[tuple[str, float]]) -> frozenset[tuple[str, float]]:
    """Whole amounts divided by what they share: Ti2O4 as TiO2."""
    whole = [round(number) for _, number in amounts]
    if any(abs(w - n) > 1e-6 for w, (_, n) in zip(whole, amounts, strict=True)):
        return amounts
    shared = gcd(*whole) or 1
    return frozenset((element, number / shared) for element, number in amounts)


@lru_cache(maxsize=4096)
def composition(formula: str) -> frozenset[tuple[str, float]]:
    """Reduced amounts of an entry's formula; empty if it has none."""
    return reduced(records.amounts(formula) or frozenset()) if formula else frozenset()


def _named_materials(tokens: Sequence[Token]) -> Iterator[Mention]:
    for i, token in enumerate(tokens):
        if token.name and token.name.kind == "formula" and isinstance(token.name.value, frozenset):
            amounts = reduced(token.name.value)
            yield Mention(i, i, token.text, _same_composition(amounts), formula=amounts)
        elif token.name and token.name.kind == "id":
            ref = str(token.name.value)
            yield Mention(i, i, token.text, lambda entry, ref=ref: entry.ref == ref, ref=ref)
        elif token.entry and token.entry.field in ("formula", "target"):
            entry = token.entry
            yield Mention(i, i, token.text, _same_record(entry), composition(entry.formula), entry.ref)


def _same_composition(amounts: frozenset[tuple[str, float]]) -> Fits:
    return lambda entry: any(composition(formula) == amounts for formula in (entry.formula, *entry.parts))


def _same_record(held: Entry) -> Fits:
    recipe = held.field == "target"
    return lambda entry: entry.ref == held.ref or (recipe and entry.formula == held.formula)


def _spoken_materials(tokens: Sequence[Token], elemental: frozenset[str]) -> Iterator[Mention]:
    names = element_names()
    i = 0
    while i < len(tokens):
        start, elements = i, list[str]()
        while i < len(tokens) and _bare(tokens[i]) in names and not _qualified(tokens, i):
            elements.append(names[_bare(tokens[i])])
            i += 1
        word = _bare(tokens[i]).removesuffix("s") if i < len(tokens) else ""
        if elements and word in _ANION_ENDINGS:
            yield _spoken(tokens, start, i, {*elements, *_ANION_ENDINGS[word].split()})
        elif not elements and _is_subject(tokens, i, word):
            yield _of_class(tokens[i].text, i, _CLASSES[word])
        elif not elements and word in _OXIDE_NAMES:
            yield _spoken(tokens, start, i, set(_OXIDE_NAMES[word].split()))
        elif len(elements) == 1 and (
            _speaks(tokens, i) or (elements[0] in elemental and _stands_alone(tokens, i))
        ):
            yield _spoken(tokens, start, i - 1, set(elements))
        i = max(i, start + 1)


def _bare(token: Token) -> str:
    """A word in lower case, without a possessive ending."""
    return token.lower.removesuffix("'s") if token.kind == "word" else ""


def _is_subject(tokens: Sequence[Token], i: int, word: str) -> bool:
    """`the oxide has`: a class of compounds stands for the material spoken of."""
    return (
        word in _CLASSES
        and _speaks(tokens, i + 1)
        and any(t.lower in ("the", "this") for t in tokens[max(0, i - 3) : i])
    )


def _stands_alone(tokens: Sequence[Token], i: int) -> bool:
    """Whether an element's name is a material here: no noun follows that it only describes."""
    if i >= len(tokens) or tokens[i - 1].lower.endswith("'s"):
        return True
    return tokens[i].kind != "word" or tokens[i].lower in _NO_NOUNS


def _of_class(text: str, at: int, elements: frozenset[str]) -> Mention:
    return Mention(at, at, text, lambda entry: bool(elements & {e for e, _ in composition(entry.formula)}))


def _speaks(tokens: Sequence[Token], i: int) -> bool:
    return i < len(tokens) and tokens[i].lower in _SPEAKS_OF_A_MATERIAL


def _qualified(tokens: Sequence[Token], i: int) -> bool:
    """`lead-free`, `silicon-based`: the element qualifies, it is not the material."""
    return i + 1 < len(tokens) and tokens[i + 1].text == "-"


def _spoken(tokens: Sequence[Token], first: int, last: int, elements: set[str]) -> Mention:
    held = frozenset(elements)
    text = " ".join(token.text for token in tokens[first : last + 1])
    return Mention(first, last, text, lambda entry: {e for e, _ in composition(entry.formula)} == held)


@lru_cache(maxsize=1)
def _phrases() -> dict[tuple[str, ...], frozenset[str]]:
    return {
        tuple(phrase.replace("-", " ").split(" ")): frozenset(fields.split(" "))
        for fields, phrases in _PROPERTY_PHRASES.items()
        for phrase in phrases.split(",")
    }


def properties(tokens: Sequence[Token]) -> list[Mention]:
    """Words for properties, the longest phrase first; `bulk and shear moduli` are two."""
    phrases = _phrases()
    longest = max(map(len, phrases))
    words = [(token.lower, i) for i, token in enumerate(tokens) if token.text != "-"]
    found, k = [], 0
    while k < len(words):
        shared = _with_shared_noun([word for word, _ in words[k : k + 4]])
        if shared:
            found.append(_property(tokens, words[k][1], words[k][1], shared))
            k += 2
            continue
        for length in range(min(longest, len(words) - k), 0, -1):
            said = tuple(word for word, _ in words[k : k + length])
            fields = phrases.get(said) or phrases.get((*said[:-1], said[-1].removesuffix("s")))
            if fields and not _a_condition(words, k):
                found.append(_property(tokens, words[k][1], words[k + length - 1][1], fields))
                k += length
                break
        else:
            k += 1
    return found


def _a_condition(words: Sequence[tuple[str, int]], k: int) -> bool:
    """`at low temperature` says under what, not what."""
    return words[k][0] in _AS_CONDITIONS and k > 0 and words[k - 1][0] in _CONDITIONS


def _with_shared_noun(words: Sequence[str]) -> frozenset[str] | None:
    """What `bulk` means in `bulk and shear moduli`."""
    if len(words) < 4 or words[1] != "and" or words[2] not in _SHARING:
        return None
    return _SHARING.get(words[0]) if words[3].startswith(_SHARED_NOUNS) else None


def _property(tokens: Sequence[Token], first: int, last: int, fields: frozenset[str]) -> Mention:
    text = " ".join(token.text for token in tokens[first : last + 1])
    exact = len(fields - _WORDS_ONLY) == 1
    return Mention(first, last, text, lambda entry: entry.field.rpartition(".")[2] in fields, exact=exact)


def methods(tokens: Sequence[Token]) -> list[Mention]:
    """Functionals, potentials, and words that call a value measured."""
    found = []
    for i, token in enumerate(tokens):
        if token.name and token.name.kind == "method":
            slug = str(token.name.value)
        elif token.kind == "word" and (token.text in _METHOD_WORDS or token.lower in _METHOD_WORDS):
            slug = _METHOD_WORDS.get(token.text) or _METHOD_WORDS[token.lower]
        else:
            continue
        before = [t.lower for t in tokens[max(0, i - 2) : i]]
        if slug != "measured" or not any(word in _COMPARED for word in before):
            found.append(Mention(i, i, token.text, _by_method(slug)))
    return found


def _by_method(slug: str) -> Fits:
    def fits(entry: Entry) -> bool:
        own = method_slug(entry.method)
        if slug == "measured":
            return own.startswith(("measured", "experiment"))
        return f"_{own}_".find(f"_{slug}") >= 0

    return fits


def phases(tokens: Sequence[Token]) -> list[Mention]:
    """Crystal systems, structure types and symbols of space groups."""
    found = []
    for i, token in enumerate(tokens):
        groups: frozenset[int] | None = None
        if token.name and token.name.kind == "group" and isinstance(token.name.value, int):
            groups = frozenset({token.name.value})
        elif token.kind == "word" and not _qualified(tokens, i):
            groups = _PHASES.get(token.lower)
        if groups:
            found.append(
                Mention(i, i, token.text, lambda entry, held=groups: entry.spacegroup_number in held)
            )
    return found
