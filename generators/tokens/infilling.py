"""What else could stand in these places of a known crystal, and how usual would that be?

Sites of a template are masked and filled (see `masks.py` and `proposals.py`). The model then reads each crystal: its
log-probability says how usual such a crystal is, and the difference to the template's own how usual beside it. Both
are given the property ranges that were asked for; `guidance` has nothing to say here.

Known crystals stay in the list, under the name they are known by: they tell how far the list can be trusted. A filled
crystal may have more symmetry than the template (two neighbours become alike); then fewer numbers say it, and its
log-probability compares less well.
"""

from __future__ import annotations

import dataclasses
import logging
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...core.candidate import Candidate, PropertyValue, Step
from ...core.formation import expected_distances
from ...core.properties import DIMENSIONLESS
from ..novelty import Novelty
from ..wyckoff.decode import decode
from ..wyckoff.encode import encode
from .cells import Opening, in_their_cells, opened
from .fitting import Fitting
from .generator_config import TokenGeneratorConfig, request_of
from .masks import read_masks
from .proposals import Proposal, proposals
from .reading import log_probabilities
from .request import Request
from .tokens import to_tokens
from .vocabulary import ANY

if TYPE_CHECKING:
    import torch

    from ...core.contracts import Tools
    from .weights import Trained

log = logging.getLogger(__name__)

OPENINGS_DRAWN = 32
"""Draws of the property bins in the ranges asked for; a probability is the mean over them."""
READ_IN_FULL = 512
"""Of more proposals than this, those most probable under the most frequent bins are kept."""
PREDICTED_AT_ONCE = 32

Weighed = tuple[Proposal, float]
"""A crystal and its log-probability, nats."""


def infill(
    template: Candidate,
    config: TokenGeneratorConfig,
    trained: Trained,
    step: Step,
    rng: np.random.Generator,
    tools: Tools,
) -> Iterator[Candidate]:
    """Crystals with the masks of `config` filled, the most probable first; the template itself is not among them.

    Equal inputs and an equal state of `rng` give equal crystals. What is predicted is predicted as crystals are taken.

    Args:
        template: The crystal, ordered.
        config: Masks, and what the filled crystals shall be; elements that are named or excluded are those in the masks.
        trained: The model.
        step: Of the provenance; parent and details are added.
        rng: Draws property bins within the ranges asked for.
        tools: `known` tells what is known, `predictor` adds properties, `hull` what they mean; none is needed.

    Raises:
        StructureError: the template is disordered, or larger than a sequence can say.
        InputError: a mask does not fit the template, or nothing can fill it.
    """
    import torch

    vocabulary = trained.vocabulary
    own_crystal = encode(template.structure, vocabulary.most_atoms)
    masks = read_masks(config.mask, template.structure)
    request = request_of(config, vocabulary)
    fitting = Fitting(template)
    own = Proposal("", own_crystal, fitting.volume_spread)
    filled = proposals(template.structure, masks, request, fitting, vocabulary.most_atoms)
    draws = torch.Generator().manual_seed(int(rng.integers(2**63 - 1)))
    (_, own_nats), *weighed = _weighed([own, *filled], request, trained, draws)
    about = {
        "mask": [mask.text for mask in masks],
        "template_formula": template.formula,
        "template_spacegroup_number": own.crystal.spacegroup_number,
        "template_log_probability": round(own_nats, 6),
    }
    step = dataclasses.replace(step, parents=(template.candidate_id,), details={**step.details, **about})
    ranked = sorted(weighed, key=lambda pair: (-pair[1], pair[0].exchange))
    yield from _candidates(ranked, template, step, trained.method, tools)


def _weighed(
    filled: Sequence[Proposal], request: Request, trained: Trained, draws: torch.Generator
) -> list[Weighed]:
    """Each in the cell that suits it and with its log-probability, the template first; of very many the more probable ones.

    Args:
        filled: The template as it is, then its fillings.
        request: Which property bins are asked for.
        trained: The model.
        draws: Decides bins.
    """
    from ..soundness import one_thread

    openings = _openings(request, trained, draws)
    usual = max(openings, key=openings.__getitem__)
    with one_thread():
        nats = _log_probabilities(filled, trained, {usual: 1.0})
        best = sorted(range(1, len(filled)), key=lambda i: (-nats[i], filled[i].exchange))[:READ_IN_FULL]
        kept = in_their_cells([filled[0], *(filled[i] for i in best)], trained, usual)
        return list(zip(kept, _log_probabilities(kept, trained, openings), strict=True))


def _openings(request: Request, trained: Trained, draws: torch.Generator) -> dict[Opening, float]:
    """Combinations of property bins in the ranges asked for, each with its share."""
    vocabulary = trained.vocabulary
    allowed = [
        np.array([vocabulary.id_of(bins.name, value) for value in request.bins.get(bins.name, (ANY,))])
        for bins in vocabulary.properties
    ]
    drawn = Counter(tuple(bins) for bins in trained.openings.draw(allowed, vocabulary, OPENINGS_DRAWN, draws))
    return {bins: count / drawn.total() for bins, count in sorted(drawn.items())}


def _log_probabilities(
    filled: Sequence[Proposal], trained: Trained, openings: Mapping[Opening, float]
) -> list[float]:
    """Nats of each crystal, words and densities, given the property ranges."""
    sequences = [to_tokens(one.crystal, trained.vocabulary) for one in filled]
    columns = [
        math.log(share) + np.array(log_probabilities([opened(s, opening) for s in sequences], trained))
        for opening, share in openings.items()
    ]
    return np.logaddexp.reduce(columns, axis=0).tolist()


def _candidates(
    ranked: Sequence[Weighed], template: Candidate, step: Step, method: str, tools: Tools
) -> Iterator[Candidate]:
    """With names, provenance and predictions, in order."""
    novelty = Novelty([template], tools.known, skip_known=False)
    waiting: list[Candidate] = []
    for proposal, nats in ranked:
        candidate = _named(proposal, template, novelty)
        if candidate is None:
            continue
        value = PropertyValue("log_probability", nats, DIMENSIONLESS, method)
        details = {
            **step.details,
            **proposal.details,
            "log_probability_difference": round(nats - step.details["template_log_probability"], 6),
            "known_as": tools.known.find(candidate) if tools.known else None,
        }
        waiting.append(candidate.with_step(dataclasses.replace(step, details=details)).with_property(value))
        if len(waiting) == PREDICTED_AT_ONCE:
            yield from _predicted(waiting, tools)
            waiting = []
    yield from _predicted(waiting, tools)


def _named(proposal: Proposal, template: Candidate, novelty: Novelty) -> Candidate | None:
    """The crystal as a candidate; `None` if its atoms overlap or it came before."""
    from ..soundness import overlaps

    structure = decode(proposal.crystal)
    if overlaps(structure):
        log.info("%s with %s is left out: its atoms overlap.", template.formula, proposal.exchange)
        return None
    return novelty.admit(structure, template)


def _predicted(candidates: Sequence[Candidate], tools: Tools) -> list[Candidate]:
    """With what the predictor says of them, and what that means against the hull."""
    if tools.predictor is None or not candidates:
        return list(candidates)
    predicted = tools.predictor.predict(candidates)
    if tools.hull is None:
        return predicted
    distances = expected_distances(predicted, tools.hull)
    return [_with_distance(one, distance) for one, distance in zip(predicted, distances, strict=True)]


def _with_distance(candidate: Candidate, distance: float | None) -> Candidate:
    if distance is None:
        return candidate
    first, *others = candidate.provenance
    details = {**first.details, "predicted_energy_above_hull": round(distance, 6)}
    return dataclasses.replace(candidate, provenance=(dataclasses.replace(first, details=details), *others))
