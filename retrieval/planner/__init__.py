"""Plain words become a filter, with no language model.

| Module | Answers |
| --- | --- |
| `planner` | which plan does this question make |
| `small_talk` | which parts of a message ask for nothing |
| `words` | which tokens does a question consist of |
| `vocabulary` | what do the phrases of `data/vocabulary.toml` mean |
| `chemistry` | is this token a formula, a system, an element, a space group |
| `quantities` | which numbers and units are meant, and how are they compared |
| `elements` | which elements are asked for or excluded |
| `reader` | which conditions, connectives and wishes stand in the question, in order |
| `combine` | how do conditions join to one filter |
| `contradictions` | can anything meet this filter |
"""
