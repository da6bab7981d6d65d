"""The model card: what a property model was trained on, how far off it is, and what it is not for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LICENCES = {
    "materials-project": "Materials Project crystals and labels, releases 2018 to 2022 (CC BY 4.0; Jain et al., APL Mater. 1, "
    "011002 (2013), doi:10.1063/1.4812323), as curated for MP-20, MPTS-52, crysxpp and benchtable (Apache-2.0, MIT, LGPL-2.1)",
    "perov5": "Castelli et al., Energy Environ. Sci. 5, 9034 (2012), doi:10.1039/c2ee22341d, as curated by CDVAE (MIT) "
    "and JARVIS (NIST)",
    "abx3": "chenebuah/ML_abx3_dataset (no licence stated: for your own use)",
    "dielectric": "Petousis et al., Sci. Data 4, 160134 (2017), doi:10.1038/sdata.2016.134, and the Materials Project "
    "(CC BY 4.0), as curated by janosh/dielectrics (MIT)",
    "vacancies": "Emery and Wolverton, Sci. Data 4, 170153 (2017), doi:10.1038/sdata.2017.153 (CC BY 4.0)",
}
LIMITS = (
    "It reads a geometry: for a crystal that is not relaxed it tells of that geometry.",
    "CHGNet has seen most Materials Project crystals, test formulas among them; on new chemistry expect larger errors "
    "than those of the table.",
    "Gaps are those of PBE and PBE+U, which underestimate; moments are those of the ordering that was computed.",
    "Formation energies are corrected to MP-20's scheme; elements in their reference phase do not come out at exactly zero.",
    "Vacancy energies are of undistorted ABO3 perovskites alone, one value a compound; permittivities of some thousand "
    "insulators.",
    "Not for molecules, surfaces, defects, pressure, temperature, or any decision about safety.",
)


def card_text(card: Mapping[str, Any]) -> str:
    """Markdown.

    Args:
        card: As `train_properties` makes it: `name`, `method`, `trained`, `config`, `crystals`, `test`.
    """
    config = card["config"]
    lines = [
        f"# {card['name']}: {card['method']}",
        "",
        "A gated graph network over nearest neighbours; atoms start from their element"
        + (" and CHGNet 0.3.0's frozen atom features." if config["network"]["chgnet_features"] else "."),
        f"Trained {card['trained']}, {config['training']['epochs']} epochs, seed {config['training']['seed']}, on "
        f"{card['crystals'].get('train', 0)} crystals; intervals calibrated on {card['crystals'].get('val', 0)}, errors below "
        f"measured on {card['crystals'].get('test', 0)}, split by formula.",
        "",
        "## Data",
        "",
        *(f"- {name}: {LICENCES.get(name, 'your own')}" for name in config["data"]["sets"]),
        "",
        "## Errors on test formulas",
        "",
        "Mean and median absolute error, mean absolute deviation of the labels (what always saying the median costs), share of "
        "labels inside the 90% interval, median half width. `log`: of the natural logarithm; `per_atom`: per atom.",
        "",
        "| head | scale | unit | MAE | median | MAD | coverage | half width | n |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        *(_row(name, figures) for name, figures in card["test"].items()),
        "",
        "## Limits",
        "",
        *(f"- {sentence}" for sentence in LIMITS),
        "",
    ]
    return "\n".join(lines)


def _row(name: str, figures: Mapping[str, Any]) -> str:
    if "accuracy" in figures:
        return f"| {name} | class | - | right: {figures['accuracy']:.1%} | - | - | - | - | {figures['n']} |"
    coverage = figures.get("coverage")
    cells = (
        name,
        figures["scale"],
        figures["units"],
        f"{figures['mean_absolute_error']:.3g}",
        f"{figures['median_absolute_error']:.3g}",
        f"{figures['mean_absolute_deviation']:.3g}",
        "-" if coverage is None else f"{coverage:.1%}",
        "-" if coverage is None else f"{figures['median_half_interval']:.3g}",
        str(figures["n"]),
    )
    return f"| {' | '.join(cells)} |"
