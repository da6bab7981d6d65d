"""Do two stores hold the same, times and run ids aside? As a test says it."""

from hysteron.store import comparison


def content(url):
    """What a store holds: values, verdicts, lineage and failures of its candidates, and the ranking."""
    found = comparison.content(url)
    records = {
        identifier: (known.values, known.verdicts, known.steps, known.failures)
        for identifier, known in found.candidates.items()
    }
    return records, found.ranking


def assert_equal(one, other):
    """`other` is what `one` is."""
    wrong = comparison.differences(_read(one), _read(other))
    assert not wrong, comparison.told(wrong)


def _read(pair):
    records, ranking = pair
    return comparison.Content({i: comparison.Known(*known) for i, known in records.items()}, ranking)
