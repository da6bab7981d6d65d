"""Which English words are the cardinal numbers below a hundred?"""

from __future__ import annotations

_UNITS = "zero one two three four five six seven eight nine"
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"

SMALL = (*_UNITS.split(), *_TEENS.split())
"""Each stands at its own number."""
TENS = {word: 10 * i for i, word in enumerate(_TENS.split(), start=2)}
