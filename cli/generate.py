"""`hysteron generate`: new crystals from one generator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..generators import GENERATORS
from .output import Format, FormatOption, StoreOption, chosen, print_candidates, print_failures, say

if TYPE_CHECKING:
    from ..core.candidate import Candidate
    from ..core.contracts import Generator, Tools
    from ..store.store import CandidateStore

_WISHES, _TEMPLATE, _DRAWS = "Which crystals", "A known crystal, filled anew", "How they are drawn"


class Steering(StrEnum):
    """What may steer the diffusion."""

    none = "none"
    predictor = "predictor"
    potential = "potential"


_COLUMNS = ("log_probability", "formation_energy_per_atom", "band_gap")
"""What the table shows beside the usual columns, where any crystal has it."""
_CATALOG = "catalog"


def generate(
    name: Annotated[
        str,
        typer.Argument(help=f"Generator: {', '.join(GENERATORS)}, or a plug-in's name.", show_default=False),
    ],
    count: Annotated[int, typer.Option(min=1, help="How many to propose, at most.")] = 10,
    formula: Annotated[
        str | None, typer.Option(help="Exactly this formula.", show_default=False, rich_help_panel=_WISHES)
    ] = None,
    chemsys: Annotated[
        str | None,
        typer.Option(
            help="Exactly these elements, such as Ba-Ti-O.", show_default=False, rich_help_panel=_WISHES
        ),
    ] = None,
    elements_from: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,C",
            help="Nothing but these elements; with --mask, what may stand there.",
            show_default=False,
            rich_help_panel=_WISHES,
        ),
    ] = None,
    natoms: Annotated[
        str | None,
        typer.Option(
            metavar="LO..HI",
            help="Number of atoms in the cell.",
            show_default=False,
            rich_help_panel=_WISHES,
        ),
    ] = None,
    spacegroup: Annotated[
        int | None,
        typer.Option(
            min=1, max=230, help="Exactly this space group.", show_default=False, rich_help_panel=_WISHES
        ),
    ] = None,
    polar: Annotated[
        bool, typer.Option("--polar", help="Only polar space groups.", rich_help_panel=_WISHES)
    ] = False,
    intermetallics: Annotated[
        bool,
        typer.Option(
            "--intermetallics",
            help="Let crystals through whose ions are not neutral: metals among themselves, mixed valence.",
            rich_help_panel=_WISHES,
        ),
    ] = False,
    properties: Annotated[
        list[str] | None,
        typer.Option(
            "--property",
            metavar="NAME=LO..HI",
            help="A property in this range, in the unit of the property table; one end may be left out: "
            "band_gap=2.., formation_energy_per_atom=..-1. May be given again.",
            show_default=False,
            rich_help_panel=_WISHES,
        ),
    ] = None,
    from_tokens: Annotated[
        bool,
        typer.Option(
            "--from-tokens",
            help="Of diffusion: the token generator says space group, elements and Wyckoff positions, and what symmetry leaves "
            "free of coordinates and cell is diffused. --spacegroup and --polar do so as well.",
            rich_help_panel=_WISHES,
        ),
    ] = False,
    template: Annotated[
        str | None,
        typer.Option(
            metavar="ID|FILE",
            help="A crystal of the catalogue or the store by its id, or a CIF, POSCAR, extxyz or JSONL file. Needs --mask.",
            show_default=False,
            rich_help_panel=_TEMPLATE,
        ),
    ] = None,
    mask: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SITES",
            help="What of the template is filled: a species (Ti), a site counted from 0 (3), several that get one element "
            "(0+3), masks with an element each (Ti,O). May be given again.",
            show_default=False,
            rich_help_panel=_TEMPLATE,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Root of the random stream.", rich_help_panel=_DRAWS)] = 0,
    temperature: Annotated[
        float | None,
        typer.Option(
            help="Below one, the likelier is preferred.", show_default=False, rich_help_panel=_DRAWS
        ),
    ] = None,
    guidance: Annotated[
        float | None,
        typer.Option(
            help="How much the property ranges count: more exaggerates them, 0 is deaf (diffusion) or no more than the model "
            "thinks (tokens).",
            show_default=False,
            rich_help_panel=_DRAWS,
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            help="Evaluations of the network from noise to a crystal, of diffusion; 20 to 150 are sensible.",
            show_default=False,
            rich_help_panel=_DRAWS,
        ),
    ] = None,
    steering: Annotated[
        Steering | None,
        typer.Option(
            help="Of diffusion: what resamples particles by their energy above the hull in the last fifth of the steps.",
            show_default=False,
            rich_help_panel=_DRAWS,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Weights. Default: those trained here, else the shipped ones.",
            show_default=False,
            rich_help_panel=_DRAWS,
        ),
    ] = None,
    source: Annotated[
        str, typer.Option(help="Where parents come from: catalog, store, cif:DIR, ...; they count as known.")
    ] = _CATALOG,
    store: StoreOption = None,
    format: FormatOption = None,
) -> None:
    """Propose new crystals; the same seed gives the same ones.

    Crystals of the catalogue are known, and with --store those of the store; what is proposed is then kept there. With
    --template and --mask, the fillings of a known crystal are ranked, those that are known among them.
    """
    from ..core.errors import SettingsError
    from .generate_options import configured, kind_of, property_ranges

    if bool(template) != bool(mask):
        given, missing = ("--template", "--mask") if template else ("--mask", "--template")
        raise SettingsError(
            f"{given} needs {missing}: which crystal, and which of its sites are filled anew."
        )
    if template and source != _CATALOG:
        raise SettingsError(
            "--source names parents; with --template the template is the only one. Leave it out."
        )
    if spacegroup is not None and polar:
        raise SettingsError(
            "--spacegroup and --polar exclude each other: a space group is polar or it is not."
        )
    wishes: dict[str, Any] = {
        "--formula": formula,
        "--chemsys": chemsys,
        "--elements-from": _symbols(elements_from) if elements_from is not None else None,
        "--natoms": interval(natoms) if natoms is not None else None,
        "--spacegroup": spacegroup,
        "--polar": polar or None,
        "--intermetallics": intermetallics or None,
        "--property": property_ranges(properties) if properties else None,
        "--mask": tuple(mask) if mask else None,
        "--temperature": temperature,
        "--guidance": guidance,
        "--steps": steps,
        "--from-tokens": from_tokens or None,
        "--steering": steering.value if steering else None,
        "--model": model,
    }
    kind = kind_of(name)
    component = configured(name, kind, {option: wish for option, wish in wishes.items() if wish is not None})
    with _store(store) as opened:
        seeds = _seeds(kind, template, source, store, opened)
        tools = _tools(
            component, seeds, opened, with_catalog=bool(template) or not seeds or source != _CATALOG
        )
        found = _generated(component, seeds, count, seed, tools)
        if tools.predictor is not None and not mask:
            found = tools.predictor.predict(found)
        if opened is not None:
            parents = {p for c in found for step in c.provenance for p in step.parents}
            opened.upsert([s for s in seeds if s.candidate_id in parents])
            opened.upsert(found)
    _tell(found, seeds, name, count, mask if template else None, format)


def _tell(
    found: Sequence[Candidate],
    seeds: Sequence[Candidate],
    name: str,
    count: int,
    masks: Sequence[str] | None,
    format: Format | None,
) -> None:
    """The crystals, and one sentence on standard error."""
    if masks and chosen(format) is Format.table:
        from .fillings import print_fillings

        print_fillings(found)
    else:
        print_candidates(found, format, columns=[n for n in _COLUMNS if any(c.get(n) for c in found)])
    if masks:
        say(f"{len(found)} fillings of {seeds[0].formula} with {', '.join(masks)} masked, by {name}.")
        return
    whence = f" from {len(seeds)} parents" if seeds else ""
    say(f"{len(found)} of {count} proposed by {name}{whence}.")


@contextmanager
def _store(url: str | None) -> Iterator[CandidateStore | None]:
    """The store of `--store`; one that cannot be opened is refused before any work."""
    if url is None:
        yield None
        return
    from ..store.store import CandidateStore

    with CandidateStore.open(url) as opened:
        yield opened


def _seeds(
    kind: type[Generator], template: str | None, source: str, store: str | None, opened: CandidateStore | None
) -> list[Candidate]:
    """The template, or the parents; a generator that needs none reads none unless they are named."""
    from .ask import source_named
    from .templates import find_template

    if template is not None:
        return [find_template(template, opened)]
    if source == _CATALOG and not getattr(kind, "needs_seeds", True):
        return []
    component = source_named(source, store)
    seeds = list(component.search())
    failures = [(entry.input, entry.failure.reason) for entry in getattr(component, "failures", ())]
    if failures:
        say(f"{len(failures)} inputs could not be used:")
        print_failures(failures)
    return seeds


def _tools(
    component: Generator, seeds: Sequence[Candidate], opened: CandidateStore | None, with_catalog: bool
) -> Tools:
    """What the generator says it asks; the rest is not loaded.

    Args:
        component: One that does not say is handed what is known.
        seeds: Known, all of them.
        opened: Its crystals are known as well.
        with_catalog: Whether the catalogue's are still to be added.
    """
    from ..core.contracts import Tools
    from ..flows import toolbox
    from ..retrieval.catalog.source import Catalog

    asked = getattr(component, "uses_tools", ("known",))
    found: dict[str, Any] = {}
    if "known" in asked:
        found["known"] = known = toolbox.known((c.candidate_id, c.structure) for c in seeds)
        if with_catalog:
            known.add_all((c.candidate_id, c.structure) for c in Catalog().search())
        if opened is not None:
            known.add_all(opened.structures())
    if "predictor" in asked:
        found["predictor"] = toolbox.predictor("properties")
    if "hull" in asked:
        found["hull"] = toolbox.hull()
    if "potential" in asked:
        found["potential"] = toolbox.potential("chgnet")
    return Tools(**found)


def _generated(
    component: Generator, seeds: Sequence[Candidate], count: int, seed: int, tools: Tools
) -> list[Candidate]:
    import numpy as np

    from .progress import bars

    rng = np.random.default_rng(np.random.SeedSequence([seed]))
    found = []
    with bars() as shown:
        shown.stage(component.name, count)
        for candidate in component.generate(seeds, count, rng, tools):
            found.append(candidate)
            shown.advance()
    return found


def _symbols(text: str) -> tuple[str, ...]:
    """`Ba,Ti,O`; dashes do as well."""
    return tuple(part.strip() for part in text.replace("-", ",").split(","))


def interval(text: str) -> tuple[int, int]:
    """`4..12` as (4, 12); a bare number is both ends.

    Raises:
        InputError: it is neither.
    """
    from ..core.errors import InputError

    low, separator, high = text.partition("..")
    try:
        ends = int(low), int(high if separator else low)
    except ValueError:
        raise InputError(f"--natoms {text!r}: write LO..HI, such as 4..12.") from None
    if not 1 <= ends[0] <= ends[1]:
        raise InputError(f"--natoms {text!r} is empty: the first number is the smaller one, from 1.")
    return ends
