"""Energies of elements from totals: found again where they are known, and refused where they are not."""

import numpy as np
import pytest
from hysteron.core.energy_scales import RAW_OMAT24
from hysteron.core.errors import EnergyScaleError, InputError
from hysteron.predictors.datasets.checked import checked_frame
from hysteron.predictors.datasets.fidelities import energy_scale_of, fidelity_of
from hysteron.predictors.datasets.linear_references import fit_linear_references

TRUE = {1: -3.4, 8: -4.9, 12: -1.6, 56: -1.9}
SAME = 1e-8  # eV; sums of 300 frames in double precision


def frame(numbers, energy, fidelity="omat24-pbe"):
    count = len(numbers)
    return checked_frame("k", fidelity, numbers, np.zeros((count, 3)), np.eye(3) * 9, energy=energy)


def frames(count=300, noise=0.0, elements=(1, 8, 12, 56), seed=0):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        numbers = rng.choice(elements, rng.integers(1, 30))
        yield frame(numbers, sum(TRUE[z] for z in numbers) + noise * len(numbers) * rng.normal())


def test_known_energies_are_found_again():
    fit = fit_linear_references(frames())
    assert {z: pytest.approx(e, abs=SAME) for z, e in fit.energies.items()} == TRUE
    assert (fit.frames, fit.remark, fit.fidelity) == (300, "", "omat24-pbe")
    assert fit.rms_after < 1e-6 < 0.1 < fit.rms_before
    probe = frame([1, 8, 8], -20.0)
    assert fit.restore(fit.remove(probe), probe.cell.numbers) == pytest.approx(-20.0, abs=SAME)


def test_it_is_the_least_squares_of_numpy():
    given = list(frames(noise=0.1))
    fit = fit_linear_references(iter(given))
    shares = np.array([[np.mean(f.cell.numbers == z) for z in TRUE] for f in given])
    per_atom = np.array([f.energy / len(f.cell.numbers) for f in given])
    expected = np.linalg.lstsq(shares, per_atom, rcond=None)[0]
    assert [fit.energies[z] for z in TRUE] == pytest.approx(expected, abs=SAME)
    rest = per_atom - shares @ expected
    assert fit.rms_after == pytest.approx(np.sqrt(np.mean(rest**2)), rel=1e-6)
    assert fit.rms_before == pytest.approx(per_atom.std(), rel=1e-6)


def test_elements_that_always_come_together_are_said():
    given = [frame([12, 8] * n, -7.5 * n) for n in (1, 2, 3)] + [frame([1], -3.4)]
    fit = fit_linear_references(given)
    assert "2 of 3 elements apart" in fit.remark
    assert fit.total(np.array([12, 8])) == pytest.approx(-7.5, abs=1e-4)
    assert all(abs(energy) < 8 for energy in fit.energies.values())


def test_an_absent_element_is_not_filled_with_zero():
    fit = fit_linear_references(frames(elements=(1, 8)))
    assert set(fit.energies) == {1, 8}
    with pytest.raises(EnergyScaleError, match="atomic numbers 12"):
        fit.remove(frame([12, 8], -6.0))


def test_fidelities_do_not_mix():
    with pytest.raises(EnergyScaleError, match="different scales"):
        fit_linear_references([frame([1], -3.0), frame([1], -3.1, "alexandria-pbe")])
    with pytest.raises(EnergyScaleError, match="different scales"):
        fit_linear_references(frames()).remove(frame([1], -3.1, "alexandria-pbe"))


def test_without_energies_there_is_nothing_to_fit():
    with pytest.raises(InputError, match="No frame has an energy"):
        fit_linear_references([frame([1], None)])
    assert fit_linear_references([frame([1], None), frame([1], -3.0)]).frames == 1


def test_fidelities_of_data_sets_name_their_scale():
    assert fidelity_of("omat24") == "omat24-pbe"
    assert fidelity_of("anything") == "anything"
    assert energy_scale_of("omat24-pbe") == RAW_OMAT24 != energy_scale_of(fidelity_of("salex"))
    assert energy_scale_of("oc20-rpbe") is None
