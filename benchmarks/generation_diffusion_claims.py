"""Which figures of the diffusion model have a target, and what are its other ones?"""

from __future__ import annotations

from .generation_adapters import best_guidance
from .generation_diffusion import BEFORE_REDRAWING, DIFFUSED, MODES
from .generation_diffusion_speed import KINDS
from .generation_intervals import Figures, claim, share
from .generation_matching import MATCHED, STRICTLY
from .generation_prediction import BASELINES
from .generation_rows import NEAR

DIFFUSED_RAW = ("diffusion_raw", "diffusion_symmetric")
"""The sets that the targets are about: one of each mode, written anew only where unsound."""
VALID_TARGET, UNIQUE_TARGET, NOVEL_TARGET = 0.99, 0.97, 0.60
STABLE_TARGET = 0.35
MATCH_TARGET, RMSE_TARGET = 0.55, 0.08
TIMES_TARGET = 3.0
RATE_TARGET = 10.0
NOT_MEASURED: Figures = {"ratio": None, "interval_95": None, "n": 0}
_MODES: dict[str, str] = dict(zip(DIFFUSED_RAW, BEFORE_REDRAWING, strict=True))


def diffused_as_written(row: Figures) -> list[Figures]:
    """Lines of the row `diffusion_written`."""
    lines = []
    for name in DIFFUSED:
        own, is_raw = row[name], name in DIFFUSED_RAW
        before = row["before_redrawing"][_MODES[name]] if is_raw else None
        more = {} if before is None else {"before_redrawing": before["validity"]}
        valid, unique, novel = (VALID_TARGET, UNIQUE_TARGET, NOVEL_TARGET) if is_raw else (None, None, None)
        words = f"{name}: no atoms nearer than 0.5 A, cell of 0.1 A^3 or more"
        lines += [
            claim(words, own["validity"], valid, **more),
            claim(f"{name}: unique", own["unique"], unique, tokens=row["raw"]["unique"]["share"]),
            claim(
                f"{name}: novel",
                own["novel"],
                novel,
                unique_and_novel=own["unique_and_novel"]["share"],
                tokens=row["raw"]["novel"]["share"],
            ),
        ]
        if name != "diffusion_raw":
            continue
        lines.append(claim(f"{name}: left without symmetry at 0.01 A", own["without_symmetry"]))
    asked = row["diffusion_groups"]["group_kept"]["symprec_0.01_A"]
    return [*lines, claim("diffusion_groups: space group asked for found at 0.01 A", asked, 1.0)]


def diffused_after_relaxation(row: Figures, name: str) -> list[Figures]:
    """Lines of a set's row that only the sets of the diffusion model have."""
    if name not in DIFFUSED:
        return []
    novel = row["after_dropping_the_known"]
    return [
        claim(
            f"{name}: at most 0.1 eV/atom above the hull, of those that were not known",
            novel[NEAR],
            STABLE_TARGET if name in DIFFUSED_RAW else None,
            far_below_the_hull=novel["far_below_the_hull"]["share"],
            with_the_known=row["stability"][NEAR]["share"],
        )
    ]


def prediction(row: Figures) -> list[Figures]:
    """Match rate and distance of each way, of all formulas and of five-atom perovskites, beside those of chance."""
    ways = row["ways"]
    perovskites = {way: figures["five_atom_ABX3"] for way, figures in ways.items()}
    asked = row["targets"]
    words = "structure prediction: test formulas of at most 20 atoms that lie inside the model's domain"
    lines = [claim(words, share(asked["inside_the_domain"], asked["of_at_most_20_atoms"]))]
    for way in ways:
        lines += _matched(f"structure prediction, {way}", way, ways, has_target=way == "plain")
        lines += _matched(f"structure prediction of five-atom ABX3, {way}", way, perovskites)
    return lines


def _matched(words: str, way: str, ways: Figures, has_target: bool = False) -> list[Figures]:
    """Two lines for each tolerance; the targets are for the one that papers use."""
    lines = []
    for tolerance in (MATCHED, STRICTLY):
        own, named = ways[way][tolerance], has_target and tolerance == MATCHED
        chance = {} if way in BASELINES else {one: ways[one][tolerance] for one in BASELINES}
        at = tolerance.replace("_", " ")
        lines += [
            claim(
                f"{words}: matched at {at}",
                own["match_rate"],
                MATCH_TARGET if named else None,
                **{one: figures["match_rate"]["share"] for one, figures in chance.items()},
            ),
            claim(
                f"{words}: mean distance of the matched at {at}, (V/N)^(1/3)",
                own["rmse"],
                RMSE_TARGET if named else None,
                at_most=True,
                **{one: figures["rmse"]["mean"] for one, figures in chance.items()},
            ),
        ]
    return lines


def evaluations(row: Figures) -> list[Figures]:
    """The curve: one line for each number of evaluations and each kind of crystals."""
    lines = []
    for number, figures in row["curve"].items():
        words = number.replace("evaluations_", "") + " evaluations"
        for way, found in figures["structure_prediction"].items():
            lines.append(
                claim(
                    f"{words}, {way}: test formulas matched at {MATCHED.replace('_', ' ')}",
                    found[MATCHED]["match_rate"],
                    rmse=found[MATCHED]["rmse"]["mean"],
                    matched_strictly=found[STRICTLY]["match_rate"]["share"],
                )
            )
        for mode, found in figures["unconditioned"].items():
            lines.append(
                claim(
                    f"{words}, {mode}: no atoms nearer than 0.5 A, cell of 0.1 A^3 or more, as sampled",
                    found["validity"],
                    predicted_eV_per_atom_above_hull=found["predicted_energy_above_hull_eV_per_atom"][
                        "median"
                    ],
                    crystals_a_second=figures["sampled"][mode]["rate"],
                )
            )
    return lines


def adapters(row: Figures) -> list[Figures]:
    """Every wish at every guidance; targets at the default one and at the best of this sample."""
    lines = []
    for name, by_guidance in row["ranges"].items():
        lines += _times(f"{name}: times as many inside the range as unasked", by_guidance, row)
    for number, figures in row["space_groups"].items():
        system = figures["crystal_system"]
        words = f"space group {number} asked for without symmetry"
        lines += _times(f"{words}: times as many {system} as unasked", figures["of_the_system"], row)
        lines += _times(
            f"{words}: times as many of the group as unasked", figures["of_the_group"], row, False
        )
    for name, why in row["missing"].items():
        lines.append(claim(f"{name}: its adapter", NOT_MEASURED, TIMES_TARGET, why=why))
    return lines


def _times(words: str, by_guidance: Figures, row: Figures, has_target: bool = True) -> list[Figures]:
    """One line for each guidance, and one for the best of them, which the same sample chose."""
    default, best = f"guidance_{row['default_guidance']:g}", best_guidance(by_guidance)
    named = [(guidance, figures, "") for guidance, figures in by_guidance.items()]
    if best is not None:
        named.append((best, by_guidance[best], ", the best here"))
    return [
        claim(
            f"{words}, {guidance.replace('_', ' ')}{note}",
            figures["times"],
            TIMES_TARGET if has_target and (note or guidance == default) else None,
            inside=figures["asked"]["share"],
            base_rate=figures["not_asked"]["share"],
            greatest_possible=figures["greatest_possible_times"],
        )
        for guidance, figures, note in named
    ]


def diffusion_speed(row: Figures) -> list[Figures]:
    """Both modes, one thread and all cores; the target is for sampling with all cores."""
    lines = []
    for mode in MODES:
        for threads in sorted({1, row["cores"]}):
            own = row[f"{mode}_{threads}_thread{'s' if threads > 1 else ''}"]
            for kind in KINDS:
                named = kind == "sampled" and threads == row["cores"]
                lines.append(
                    claim(
                        f"{mode}, {row['evaluations']} evaluations, {threads} of {row['cores']} cores: "
                        f"{kind.replace('_', ' ')}, crystals a second",
                        own[kind],
                        RATE_TARGET if named else None,
                        times_tokens=own[kind]["times_tokens"]["ratio"],
                    )
                )
    return lines
