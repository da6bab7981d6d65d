"""Language models over the sources, held to the records: a number that is not in one cannot be in an answer.

| Module | Answers |
| --- | --- |
| `assistant` | what is the answer to a question |
| `agents`, `domains`, `prompts`, `tools` | who asks whom, and which filter does a tool call become |
| `planned` | what is the answer without a model |
| `ledger`, `records` | what has been retrieved, and what of a record is admitted |
| `grounding` | may an answer be delivered |
| `text`, `tokens`, `permitted`, `sentences` | what does an answer say, piece by piece |
| `wording`, `words`, `terms`, `numerals`, `several` | is every word plain, and none a number |
| `surroundings`, `claims`, `mentions` | is each value left as it is, and said of its own material and property |
| `conditions`, `units`, `bounds`, `absence` | are the question's bounds and absences repeated truly |
| `rendering` | how is a value written with unit, method, material and source |
| `models`, `disclosure`, `limits`, `failures` | which model, who receives what, what may it cost, what went wrong |
"""
