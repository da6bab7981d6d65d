"""What does the provenance of a proposed crystal say?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..core.candidate import Step
from ..core.settings import Settings, config_hash

if TYPE_CHECKING:
    import numpy as np

LARGEST_SEED = 2**63 - 1


def generate_step(name: str, version: str, config: Settings, rng: np.random.Generator) -> Step:
    """The step that all proposals of one call share; parents and details are still to be added.

    The random stream is recorded as it was made: `seed` is its first word, `details["stream"]` all of
    them where there are several (run seed, stage, chunk). A word drawn by numpy itself does not fit a
    database's integers and stands in the details only, as text.
    """
    words = seed_words(rng)
    if any(word > LARGEST_SEED for word in words):
        return _step(name, version, config, None, {"stream": [str(word) for word in words]})
    details = {"stream": list(words)} if len(words) > 1 else {}
    return _step(name, version, config, words[0] if words else None, details)


def _step(name: str, version: str, config: Settings, seed: int | None, details: dict[str, Any]) -> Step:
    return Step(
        stage="generate",
        name=name,
        version=version,
        config_hash=config_hash(config),
        seed=seed,
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        details=details,
    )


def seed_words(rng: np.random.Generator) -> tuple[int, ...]:
    """The integers a generator was seeded with, spawn key included; none if it does not know."""
    sequence = getattr(rng.bit_generator, "seed_seq", None)
    entropy = getattr(sequence, "entropy", None)
    if entropy is None:
        return ()
    words = entropy if isinstance(entropy, list | tuple) else [entropy]
    return tuple(int(word) for word in (*words, *getattr(sequence, "spawn_key", ())))
