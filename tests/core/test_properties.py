"""The property table: names, units, ranked methods."""

import pytest
from hysteron.core.errors import InputError
from hysteron.core.properties import (
    PROPERTIES,
    describe,
    dft_method,
    method_matches,
    method_rank,
    method_slug,
)


def test_an_unknown_name_proposes_the_nearest():
    with pytest.raises(InputError, match="Did you mean 'band_gap'"):
        describe("bandgap")


@pytest.mark.parametrize(
    ("method", "slug"), [("HSE06", "hse06"), ("CHGNet 0.3.0", "chgnet_0_3_0"), ("PBE+U", "pbe_u")]
)
def test_slugs_can_be_written_in_a_filter(method, slug):
    assert method_slug(method) == slug


def test_a_slug_is_met_at_word_boundaries_only():
    assert method_matches("pbe_u", "pbe")
    assert not method_matches("pbesol", "pbe")


def test_measured_gaps_rank_before_hybrid_before_pbe():
    ranks = [method_rank("band_gap", m) for m in ("experiment", "HSE06", "PBE+U", "PBE", "a model of ours")]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)


def test_every_unit_is_plain_ascii():
    assert all(row.units and row.units.isascii() for row in PROPERTIES.values())


@pytest.mark.parametrize(
    ("parts", "method"),
    [
        (("PBE", "VASP", "6.4.2"), "DFT/PBE/VASP 6.4"),
        (("PBE+U", "VASP", "5.4.4", "Berry phase"), "DFT/PBE+U/VASP 5.4/Berry phase"),
        (("LDA", "pw.x", "6.7MaX", "linear path"), "DFT/LDA/pw.x 6.7/linear path"),
        (("PBE", "GPAW", "22.8.0"), "DFT/PBE/GPAW 22.8"),
        (("PBE", "VASP", ""), "DFT/PBE/VASP"),
    ],
)
def test_dft_is_named_by_functional_and_code(parts, method):
    assert dft_method(*parts) == method


@pytest.mark.parametrize(
    ("name", "methods"),
    [
        ("band_gap", ("experiment", "DFT/HSE06/VASP", "HSE06", "DFT/PBE+U/VASP", "PBE+U", "DFT/PBE/VASP", "PBE", "GNN")),
        ("energy_per_atom", ("DFT/PBE/VASP 6.4", "DFT/LDA/pw.x 6.7", "CHGNet 0.3.0")),
        ("polarization", ("measured", "DFT/PBE/VASP 6.4/Berry phase", "effective charges (ridge 2026)")),
        ("polarization_vector", ("DFT/PBE/VASP 6.4/Berry phase", "effective charges (ridge 2026)")),
        ("polar_nonpolar_energy_difference", ("DFT/PBE/pw.x 6.7", "0.23 CHGNet 0.3.0 + 0.89 CHGNet 0.2.0, ends relaxed")),
        ("switching_barrier", ("measured", "DFT/PBE/VASP 6.4/linear path", "NEB, CHGNet", "linear path, CHGNet")),
        ("switching_barrier_per_atom", ("DFT/PBE/VASP 6.4/linear path", "NEB, CHGNet", "linear path, CHGNet")),
        ("vacancy_formation_energy", ("DFT/PBE/VASP 6.4", "CHGNet 0.3.0")),
    ],
)  # fmt: skip
def test_dft_of_the_crystal_itself_ranks_above_tables_and_estimates(name, methods):
    ranks = [method_rank(name, method) for method in methods]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)


LESSONS = ("lesson 0123456789ab: GNN -> DFT/PBE/pw.x", "lesson ba9876543210: GNN -> DFT/PBE/pw.x")


def test_a_corrected_value_ranks_after_dft_and_before_its_estimate():
    methods = ("DFT/PBE/VASP 6.4", "PBE", LESSONS[0], "GNN")
    ranks = [method_rank("band_gap", method) for method in methods]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)
    assert method_rank("band_gap", LESSONS[0]) == method_rank("band_gap", LESSONS[1])
    switching = (
        "DFT/PBE/pw.x 6.7/linear path",
        "lesson 0123456789ab: NEB, CHGNet -> DFT/PBE/pw.x",
        "NEB, CHGNet",
    )
    ranks = [method_rank("switching_barrier", method) for method in switching]
    assert ranks == sorted(ranks)


def test_the_newest_lesson_counts_and_a_filter_on_the_estimate_gives_the_estimate():
    from hysteron.core.candidate import PropertyValue, best_first

    values = [
        PropertyValue("band_gap", gap, "eV", m)
        for gap, m in zip((1.0, 2.0, 3.0), ("GNN", *LESSONS), strict=True)
    ]
    assert [p.value for p in best_first(values, "band_gap")] == [3.0, 2.0, 1.0]
    assert [p.value for p in best_first(values, "band_gap", "GNN")] == [1.0]
    assert [p.value for p in best_first(values, "band_gap", "lesson")] == [3.0, 2.0]
