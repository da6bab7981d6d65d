"""Do two stores hold the same, times and run ids aside?"""

import pytest
from hysteron.store.store import CandidateStore

SAME = 1e-4
"""Of each unit: what two equal runs may differ by."""


def content(url):
    """What a store holds, without times and run ids."""
    with CandidateStore.open(str(url)) as store:
        found = {c.candidate_id: c for c in store.query(None)}
        ranking = [i for i, _ in store.ranking(store.get_run().run_id)]
        records = {}
        for identifier, candidate in found.items():
            values = {
                (p.name, p.method, i): number
                for p in candidate.properties
                for i, number in enumerate(p.value if isinstance(p.value, tuple) else [p.value])
            }
            verdicts = {v.screen: v.passed for v in candidate.verdicts}
            lineage = [(s.stage, s.name, s.parents) for s in candidate.provenance]
            records[identifier] = (values, verdicts, lineage, [f.reason for f in candidate.failures])
        return records, ranking


def assert_equal(one, other):
    records, ranking = one
    other_records, other_ranking = other
    assert ranking == other_ranking
    assert records.keys() == other_records.keys()
    for identifier, (values, verdicts, lineage, failures) in records.items():
        values_2, verdicts_2, lineage_2, failures_2 = other_records[identifier]
        assert (verdicts, lineage, failures) == (verdicts_2, lineage_2, failures_2)
        assert values == pytest.approx(values_2, abs=SAME)
