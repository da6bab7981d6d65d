"""Near the training crystals a distance is small; far from them it is not."""

import pytest
import torch
from hysteron.predictors.properties import domain
from hysteron.predictors.properties.domain import Domain

HALF_PRECISION_DISTANCE = 0.02  # references are kept in 11 bits


def cloud(n: int, seed: int = 0, width: int = 40) -> torch.Tensor:
    """Normal, with axes of very different length."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, width, generator=generator) * torch.logspace(0, -2, width) + 3.0


def test_the_midst_is_near_and_the_outside_is_far():
    found = Domain.fit(cloud(1000))
    inside, centre, outside = cloud(200, seed=1), torch.full((1, 40), 3.0), cloud(200, seed=2) + 20
    assert found.distances(centre)[0] < found.distances(inside).median()
    assert found.distances(outside).min() > 3 * found.distances(inside).max()


def test_a_reference_is_nearer_to_itself_than_a_stranger():
    vectors = cloud(500)
    found = Domain.fit(vectors)
    assert found.distances(vectors).median() < found.distances(cloud(500, seed=1)).median()


def test_alone_or_together_the_same():
    found, vectors = Domain.fit(cloud(300)), cloud(2000, seed=1)
    together = found.distances(vectors)
    alone = torch.cat([found.distances(vectors[i : i + 1]) for i in (0, 1023, 1024, 1999)])
    assert torch.allclose(together[[0, 1023, 1024, 1999]], alone, atol=1e-4)


def test_units_of_the_network_do_not_count():
    """Another origin and another length unit of the whole space give the same distances."""
    vectors, asked = cloud(500), cloud(50, seed=1)
    plain = Domain.fit(vectors).distances(asked)
    turned = Domain.fit(vectors * 100 - 7).distances(asked * 100 - 7)
    assert torch.allclose(plain, turned, rtol=HALF_PRECISION_DISTANCE)


def test_the_same_seed_keeps_the_same_references():
    vectors = cloud(300)
    assert torch.equal(Domain.fit(vectors, 1).references, Domain.fit(vectors, 1).references)
    assert not torch.equal(Domain.fit(vectors, 1).references, Domain.fit(vectors, 2).references)


def test_a_sample_of_references_is_kept(monkeypatch):
    monkeypatch.setattr(domain, "REFERENCES", 100)
    found = Domain.fit(cloud(300))
    assert len(found.references) == 100
    assert found.distances(cloud(10, seed=1)).shape == (10,)


@pytest.mark.parametrize("n", [2, 4])
def test_few_training_crystals_are_enough(n):
    found = Domain.fit(cloud(n))
    assert torch.isfinite(found.distances(cloud(3, seed=1))).all()


def test_of_nobody_there_is_no_distance():
    assert len(Domain.fit(cloud(10)).distances(cloud(0))) == 0


def test_there_is_no_limit_before_it_is_calibrated():
    assert Domain.fit(cloud(10)).limit == float("inf")
