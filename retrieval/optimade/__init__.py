"""Databases that speak OPTIMADE, asked all at once and without a key.

| Module | Answers |
| --- | --- |
| `source` | which crystals do the providers hold that match a filter (the source `optimade`) |
| `providers` | which providers are known, and what do their own fields mean |
| `mapping` | how is a filter put to one provider, and what is left to be checked here |
| `addresses` | may this address be asked |
| `transport` | what does one address answer, within limits of time and size |
| `client` | what does one provider hold, page by page |
| `records` | is an entry a crystal, and what does it say of it |
| `merging` | which records are the same crystal |
| `federation` | what became of each provider when all were asked at once |
"""
