"""How are assumed numbers told apart from computed ones, in every table, report and JSON?

All wording about assumed devices stands here, so that none of it can be lost on the way.
"""

from __future__ import annotations

FROM_CRYSTAL = "from the crystal"
NOTICE = (
    "Levels, on/off ratio, spreads, linearity, endurance and accuracy are those of an assumed device of the class named, within "
    "the range of published devices; no crystal structure tells them."
)
NO_ACCURACY = (
    "Accuracies of assumed devices are not known here: the table data/synapse/accuracy.json is not there."
)

DEVICE_WORDS = {
    "on_off": "on/off ratio",
    "retention_seconds": "retention",
    "endurance_cycles": "endurance",
    "switching_seconds": "switching time",
    "set_voltage_volt": "programming voltage",
}
"""Numbers of a device whose names carry a unit, as they are told beside it."""


def assumed(mechanism: str) -> str:
    """The label of everything that no crystal structure tells: `assumed, class VCM`."""
    return f"assumed, class {mechanism}"


def plain(name: str) -> str:
    """A name of a table in words: `cycle_spread` is `cycle spread`."""
    return DEVICE_WORDS.get(name) or name.replace("_", " ").replace("-", " ")


def accuracy_words(
    workload: str, mechanism: str, mean: float, low: float, high: float, ideal: float, chance: float
) -> str:
    """`inference: 0.91 (0.88 to 0.94) for an assumed device of class VCM, 0.95 with ideal weights, 0.10 by chance`."""
    return (
        f"{plain(workload)}: accuracy {mean:.2f} ({low:.2f} to {high:.2f}) for an assumed device of class {mechanism}, "
        f"{ideal:.2f} with ideal weights, {chance:.2f} by chance"
    )
