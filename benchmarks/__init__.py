"""One file per claim: each measures a figure and a baseline in the same run, and gives them as one JSON object."""

BENCHMARKS = {
    "faults": "hysteron.benchmarks.faults:run",
    "ferroelectric": "hysteron.benchmarks.ferroelectric:run",
    "generation": "hysteron.benchmarks.generation:run",
    "grounding": "hysteron.benchmarks.grounding:run",
    "growth": "hysteron.benchmarks.growth:run",
    "ingest": "hysteron.benchmarks.ingest:run",
    "learning": "hysteron.benchmarks.learning:run",
    "materials-project": "hysteron.benchmarks.materials_project:run",
    "night": "hysteron.benchmarks.night:run",
    "planner": "hysteron.benchmarks.planner:run",
    "properties": "hysteron.benchmarks.properties:run",
    "query": "hysteron.benchmarks.query:run",
    "readers": "hysteron.benchmarks.readers:run",
    "relaxation": "hysteron.benchmarks.relaxation:run",
    "resistive-switching": "hysteron.benchmarks.resistive_switching:run",
    "softening": "hysteron.benchmarks.softening:run",
    "substitution": "hysteron.benchmarks.substitution:run",
    "synapse": "hysteron.benchmarks.synapse:run",
}
