"""Candidates are kept or set aside: one screen per question, each with its reason and the number.

The table names import paths, so that listing the names loads nothing heavy. A screen has two verbs:
`measure` is the costly, batched physics that adds properties, `judge` is pure and cheap, so that a whole
store is judged again in seconds when a window changes. The synapse screen reads what the others found, so it is last.
"""

SCREENS = {
    "stability": "hysteron.screening.stability:Stability",
    "ferroelectric": "hysteron.screening.ferroelectric.screen:Ferroelectric",
    "resistive-switching": "hysteron.screening.resistive_switching.screen:ResistiveSwitching",
    "supply": "hysteron.screening.supply.screen:Supply",
    "synapse": "hysteron.screening.synapse.screen:Synapse",
}
