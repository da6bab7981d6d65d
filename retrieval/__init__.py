"""Known materials come in: one file per source.

| Module | Answers |
| --- | --- |
| `catalog` | which materials of the bundled catalogue match a filter |
| `files` | which crystals lie in these files and folders |
| `known` | is this crystal one of those we know already |
| `catalog_build` | how the catalogue is made: `catalog_selection` chooses, a relaxer relaxes |
"""

SOURCES = {
    "catalog": "hysteron.retrieval.catalog:Catalog",
    "cif": "hysteron.retrieval.files:CifFolder",
}
"""Names of sources and where they stand."""
