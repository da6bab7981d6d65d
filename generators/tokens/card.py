"""The model card: what a token model was trained on, what it writes, and what it is not for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DATA = (
    "Materials Project crystals with band gap, formation energy and distance from the hull, releases 2018 to 2022 (CC BY 4.0; "
    "Jain et al., APL Mater. 1, 011002 (2013), doi:10.1063/1.4812323), as curated for MP-20, MPTS-52, crysxpp and benchtable "
    "(Apache-2.0, MIT, LGPL-2.1)"
)
LIMITS = (
    "It has seen ordered crystals of inorganic compounds at zero pressure: no disorder, no large molecules, no surfaces, no "
    "defects.",
    "It writes what is usual in that database. A high log-probability means usual, neither stable nor useful.",
    "What it writes is not relaxed: relax it before any property is read off it.",
    "A property range that it is asked for is a wish: the share that obeys is measured below, not guaranteed.",
    "Charges are one oxidation state for each element: mixed valence and intermetallics are written with "
    "`intermetallics = true` alone.",
)


def card_text(card: Mapping[str, Any], sections: tuple[str, ...] = ()) -> str:
    """Markdown.

    Args:
        card: As `train_tokens` makes it: `name`, `method`, `trained`, `config`, `crystals`, `nats`, `epoch`, `tried_out`.
        sections: Further ones, such as figures of a benchmark.
    """
    config = card["config"]
    shape, training = config["model"], config["training"]
    lines = [
        f"# {card['name']}: {card['method']}",
        "",
        "A transformer that writes a crystal as property bins, space group, formula, Wyckoff positions, free coordinates and "
        f"free lattice parameters: {shape['layers']} layers of width {shape['width']}, at most {config['data']['most_atoms']} "
        "atoms in the primitive cell.",
        f"Trained {card['trained']} on {card['crystals'].get('train', 0)} crystals, seed {training['seed']}; of "
        f"{training['epochs']} epochs the weights of epoch {card['epoch']} are kept, which wrote the best crystals. On "
        f"{card['crystals'].get('val', 0)} validation crystals they lose {card['nats']:.2f} nats a crystal.",
        "",
        "## Data",
        "",
        f"- {DATA}; training and validation split by formula.",
        "",
        "## Choice of the epoch",
        "",
        "Of so many crystals written without redrawing: sound (no atoms on one another, the space group that was written), "
        "different from one another, no training crystals, and expected within "
        f"{config['choice']['near_hull']:g} eV/atom of the hull by the property network before they are relaxed; in brackets 95% "
        "intervals of the last share.",
        "",
        "| epoch | written | sound | unique | novel | near the hull |",
        "| --- | --- | --- | --- | --- | --- |",
        *(_row(one) for one in card["tried_out"]),
        "",
        *(line for section in sections for line in (section.strip(), "")),
        "## Limits",
        "",
        *(f"- {sentence}" for sentence in LIMITS),
        "",
    ]
    return "\n".join(lines)


def _row(one: Mapping[str, int]) -> str:
    from scipy.stats import binomtest

    interval = binomtest(one["promising"], one["written"]).proportion_ci(0.95, method="wilson")
    shares = [f"{one[name] / one['written']:.1%}" for name in ("sound", "unique", "novel", "promising")]
    shares[-1] += f" ({interval.low:.1%}-{interval.high:.1%})"
    return f"| {one['epoch']} | {one['written']} | {' | '.join(shares)} |"
