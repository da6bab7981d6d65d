"""The Materials Project as a source, through its own client `mp-api`.

| Module | Answers |
| --- | --- |
| `source` | which materials match a filter; source `materials-project` |
| `domains` | what is on record for these materials: energies, electrons, tensors, magnetism, provenance |
| `synthesis` | how was this formula made |
| `criteria` | what of a filter can the server answer |
| `documents` | which fields of a record are what they should be |
| `values` | which properties does a record hold, by which method |
| `groups` | which records can be the same crystal |
| `crystals` | which candidates do records become |
| `functionals` | by which functional was a gap computed |
| `pages` | all pages of a query, of one database version, each fetched once |
| `cache` | which pages lie on disk |
| `client` | one page, through `MPRester` |
| `session` | one request, with patience: retries, waits, deadlines |
| `json_text` | how is a long text read quickly |
| `access` | where the server is and which key opens it |
"""
