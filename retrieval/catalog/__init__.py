"""The bundled catalogue of known materials: looked up, and made.

| Module | Answers |
| --- | --- |
| `source` | which materials of the catalogue match a filter (the source `catalog`) |
| `file` | what stands in the catalogue's file |
| `build` | how is the catalogue made |
| `selection` | which published crystals enter it |
| `profile` | what must be known of a crystal to decide |
| `card` | what should a reader of the catalogue know of it |
"""
