"""A split depends on the group's name alone, and no formula of a test split comes back by another table."""

from hysteron.predictors.datasets.records import LabelledCrystal
from hysteron.predictors.datasets.splits import by_split, formulas_of, share_of, split_of, without_formulas


def crystal(formula, split=""):
    return LabelledCrystal(key=formula, formula=formula, cell=None, labels=(), split=split, group=formula)


def test_a_share_is_the_same_on_every_machine():
    # first eight bytes of sha256("0|SrTiO3"), computed with coreutils' sha256sum
    assert share_of("SrTiO3") == share_of("SrTiO3", 0) != share_of("SrTiO3", 1)
    assert f"{share_of('SrTiO3'):.6f}" == "0.234414"


def test_shares_are_kept_over_many_groups():
    splits = [split_of(f"group {i}") for i in range(20_000)]
    assert abs(splits.count("train") / 20_000 - 0.8) < 0.01
    assert abs(splits.count("val") / 20_000 - 0.1) < 0.01
    assert {split_of("x", shares=(1.0, 0.0)), split_of("x", shares=(0.0, 0.0))} == {"train", "test"}


def test_formulas_of_a_test_split_are_purged_elsewhere():
    parts = by_split([crystal("MgO", "train"), crystal("NaCl", "test"), crystal("Si")])
    assert [len(parts[name]) for name in ("train", "val", "test")] == [1, 0, 1]
    other = [crystal("NaCl"), crystal("KCl"), crystal("NaCl")]
    assert [c.formula for c in without_formulas(other, formulas_of(parts["test"]))] == ["KCl"]
