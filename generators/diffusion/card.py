"""The model cards: what the diffusion model and its adapters were trained on, and what they are not for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .elements import ANIONS
from .settings import DataTable

DATA = (
    "Materials Project crystals with band gap, formation energy and distance from the hull, releases 2018 to 2022 (CC BY 4.0; "
    "Jain et al., APL Mater. 1, 011002 (2013), doi:10.1063/1.4812323), as curated for MP-20, MPTS-52, crysxpp and benchtable "
    "(Apache-2.0, MIT, LGPL-2.1); training and validation split by formula"
)
LIMITS = (
    "It has seen ordered crystals of inorganic compounds at zero pressure: no disorder, no large molecules, no surfaces, no "
    "defects.",
    "It makes what is usual in that database; what is usual is neither stable nor useful.",
    "What it makes is not relaxed: relax it before any property is read off it.",
    "A property range that it is asked for is a wish: the share that obeys is measured, not guaranteed.",
    "Crystals made without a space group are put on the places of the symmetry that is found in them at 0.1 A.",
)


def card_text(card: Mapping[str, Any], sections: tuple[str, ...] = ()) -> str:
    """Markdown of the model's card.

    Args:
        card: As `train_diffusion` makes it: `name`, `method`, `trained`, `config`, `crystals`, `steps`, `epochs`, `hours`,
            `parameters`, `validation`, `finished`.
        sections: Further ones, such as figures of a benchmark.
    """
    config = card["config"]
    shape, training = config["network"], config["training"]
    motions, lattice, types = card["validation"]
    until = "" if card["finished"] else " The training was not finished."
    lines = [
        f"# {card['name']}: {card['method']}",
        "",
        "A diffusion model of atom types, fractional coordinates and lattice: a transformer over atoms with one token for "
        f"the lattice, {shape['layers']} layers of width {shape['width']}, {card['parameters'] / 1e6:.1f} million weights in "
        "bfloat16. It moves all atoms and the whole cell, or, with a space group and Wyckoff positions given, what symmetry "
        "leaves free.",
        f"Trained {card['trained']} on {card['crystals']['train']} crystals on `{training['device']}`: {card['steps']} steps of "
        f"{training['batch']}, {card['epochs']:.0f} passes in {card['hours']:.1f} h, seed {training['seed']}.{until}",
        f"Its domain: {domain_of(DataTable.model_validate(config['data']))}.",
        "",
        "## Data",
        "",
        f"- {DATA}.",
        "",
        "## Validation",
        "",
        f"Mean losses on {card['crystals']['val']} validation crystals under a noise that stays the same, after the last "
        f"step: coordinates {motions:.3f} (1 for knowing nothing), lattice {lattice:.3f} (1 likewise), hidden types "
        f"{types:.2f} nats.",
        "",
        *(line for section in sections for line in (section.strip(), "")),
        "## Limits",
        "",
        *(f"- {sentence}" for sentence in LIMITS),
        "",
    ]
    return "\n".join(lines)


def adapter_card_text(card: Mapping[str, Any]) -> str:
    """Markdown of an adapter's card.

    Args:
        card: As `train_adapter` makes it: `name`, `base`, `method`, `trained`, `config`, `crystals`, `steps`, `epochs`, `hours`,
            `parameters`, `validation`.
    """
    plain, heard = card["validation"]
    domain = domain_of(DataTable.model_validate(card["config"]["data"]), near_hull=False)
    lines = [
        f"# {card['base']}-{card['name']}: adapter for {card['name']}",
        "",
        f"Makes the diffusion model `{card['base']}` ({card['method']}) listen to {card['name']}: "
        f"{card['parameters'] / 1e3:.0f} thousand weights beside a base that stays as it is.",
        f"Trained {card['trained']} on {card['crystals']['train']} crystals whose value is known, {domain}: {card['steps']} "
        f"steps, {card['epochs']:.0f} passes in {card['hours']:.1f} h.",
        "",
        "## Data",
        "",
        f"- {DATA}.",
        "",
        "## Validation",
        "",
        f"Losses on {card['crystals']['val']} validation crystals, without it and with it: coordinates {plain[0]:.3f} and "
        f"{heard[0]:.3f}, lattice {plain[1]:.3f} and {heard[1]:.3f}, hidden types {plain[2]:.2f} and {heard[2]:.2f} nats. How "
        "often a wish comes true is measured by `hysteron benchmark generation --only adapters`; the figures stand in the "
        f"card of `{card['base']}`.",
        "",
        "## Limits",
        "",
        "- It works with this very base alone; with another one it is not used.",
        f"- {LIMITS[3]}",
        "",
    ]
    return "\n".join(lines)


def domain_of(data: DataTable, near_hull: bool = True) -> str:
    """The domain in words."""
    anions = f" with one of {', '.join(ANIONS)}" if data.anions else ""
    limit = f", at most {data.near_hull:g} eV/atom above the hull" if near_hull else ""
    return f"crystals of at most {data.most_atoms} atoms in the primitive cell{anions}{limit}"
