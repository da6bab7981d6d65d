"""Known materials come in: one file per source.

| Module | Answers |
| --- | --- |
| `catalog` | which materials of the bundled catalogue match a filter, and how it is made |
| `files` | which crystals lie in these files and folders |
| `known` | is this crystal one of those we know already |
| `materials_project`, `optimade` | what do the databases hold |
| `planner` | which filter do plain words mean |
| `assistant` | what does a language model say, held to the records |
| `answer` | what does a source hold of a plan |
"""

SOURCES = {
    "catalog": "hysteron.retrieval.catalog.source:Catalog",
    "cif": "hysteron.retrieval.files:CifFolder",
    "materials-project": "hysteron.retrieval.materials_project.source:MaterialsProject",
    "optimade": "hysteron.retrieval.optimade.source:Optimade",
}
"""Names of sources and where they stand."""
