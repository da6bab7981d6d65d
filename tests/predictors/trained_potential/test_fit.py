"""Data sets, energies of elements, and what a fine-tuning keeps."""

import numpy as np
import pytest
import torch
from alloy_frames import FIDELITY, alloys, calculated, slabs, write_extxyz
from hysteron.core.errors import InputError, NotFoundError
from hysteron.core.settings import validate
from hysteron.flows.progress import Silent
from hysteron.predictors.trained_potential.fit import first_network, fit
from hysteron.predictors.trained_potential.sets import gather, heads_of
from hysteron.predictors.trained_potential.settings import PotentialConfig

SMALL = {"cutoff_angstrom": 4.0, "width": 8, "layers": 1, "radial": 8, "vectors": 2}
SHORT = {"epochs": 1, "batch": 8}


class Heard(Silent):
    """Remembers what was said."""

    def __init__(self):
        self.said = []

    def say(self, sentence):
        self.said.append(sentence)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("frames")
    return {
        "alloys": str(write_extxyz(folder / "alloys.extxyz.xz", alloys(24))),
        "more": str(write_extxyz(folder / "more.extxyz", alloys(8, seed=5))),
        "slabs": str(write_extxyz(folder / "slabs.extxyz", slabs(6))),
    }


def config(*data, **more):
    values = {"name": "toy", "data": list(data), "network": SMALL, "training": SHORT} | more
    return validate(PotentialConfig, {k: v for k, v in values.items() if v is not None}, "toy.toml")


def data(path, fidelity=FIDELITY, **more):
    return {
        "path": path,
        "format": "extxyz",
        "fidelity": fidelity,
        "split": "frame",
        "validation_share": 0.25,
    } | more


def test_sets_are_joined_and_split(files, tmp_path):
    wanted = config(
        data(files["alloys"]), data(files["slabs"], "slab-toy", validation=files["slabs"], validation_limit=2)
    )
    found = gather(wanted, tmp_path, Silent())
    assert [len(s.indices) for s in found.shares] == [18, 6]
    assert len(found.validation) == 8
    assert not set(found.validation.tolist()) & {int(i) for s in found.shares for i in s.indices}
    assert found.frames.fidelity[found.shares[1].indices].tolist() == [1] * 6
    assert found.sets[0] == {
        "data": "alloys.extxyz.xz",
        "format": "extxyz",
        "head": FIDELITY,
        "energy": "total",
        "training_frames": 18,
        "validation_frames": 6,
    }
    again = gather(wanted, tmp_path, Silent())
    assert again.digest == found.digest
    assert torch.equal(again.validation, found.validation)


def test_shares_weigh_the_sets(files, tmp_path):
    wanted = config(data(files["alloys"], share=1), data(files["more"], share=3))
    assert [s.per_epoch for s in gather(wanted, tmp_path, Silent()).shares] == [6, 18]


def test_frames_of_one_formula_are_not_parted(tmp_path):
    rng = np.random.default_rng(0)
    mixed = alloys(16)
    for atoms in mixed:
        atoms.symbols = rng.choice(["Cu", "Ni"], 4)
    path = str(write_extxyz(tmp_path / "mixed.extxyz", [calculated(atoms) for atoms in mixed]))
    found = gather(config(data(path, split="formula", validation_share=0.05)), tmp_path, Silent())
    groups = found.frames.groups
    assert len(groups.unique()) > 3
    assert not set(groups[found.shares[0].indices].tolist()) & set(groups[found.validation].tolist())


def test_one_formula_cannot_be_split_by_formula(files, tmp_path):
    with pytest.raises(InputError, match=r"6 frames of 1 formulas.*split = \"frame\""):
        gather(config(data(files["slabs"], split="formula")), tmp_path, Silent())


def test_elements_that_were_not_trained_judge_nothing(files, tmp_path):
    heard = Heard()
    found = gather(config(data(files["slabs"], validation=files["alloys"])), tmp_path, heard)
    numbers = found.frames.batch(found.validation).numbers
    assert set(numbers.tolist()) == {29}
    assert heard.said[-1].endswith(
        "of 24 validation frames hold elements that no training frame has; they judge nothing."
    )
    alloyed = [a for a in alloys(24) if len(set(a.numbers)) > 1]
    others = str(write_extxyz(tmp_path / "others.extxyz", alloyed))
    with pytest.raises(InputError, match="No validation frame"):
        gather(config(data(files["slabs"], validation=others)), tmp_path, heard)


def test_a_place_that_is_not_there(tmp_path):
    with pytest.raises(NotFoundError, match="hysteron data list"):
        gather(config(data("nowhere.extxyz")), tmp_path, Silent())


def test_energies_of_elements_leave_a_small_rest(files, tmp_path):
    wanted = config(data(files["alloys"]))
    found = gather(wanted, tmp_path, Silent())
    network, (head,) = first_network(wanted, found, None)
    assert head.elements == (28, 29, 79)
    assert head.forces
    assert not head.adsorption
    training = found.shares[0].indices
    frames = found.frames.batch(training)
    owners = frames.owners
    known = torch.zeros(len(training), dtype=torch.float64).index_add(
        0, owners, network.references[0, frames.numbers]
    )
    rest = (frames.energies - known) / 4
    assert abs(float(rest.mean())) < 0.02
    assert float(rest.square().mean()) <= float((frames.energies / 4).var())
    assert (
        network.scales[0] >= found.frames.forces[found.frames.forces.isfinite()].square().mean().sqrt() * 0.8
    )


def test_adsorption_energies_are_explained_by_the_adsorbate(files, tmp_path):
    wanted = config(data(files["slabs"], "toy-adsorption"), network={**SMALL, "tags": True})
    found = gather(wanted, tmp_path, Silent())
    network, (head,) = first_network(wanted, found, None)
    assert head.adsorption
    assert head.elements == (8, 29)
    energies = found.frames.energies[found.shares[0].indices]
    assert float(network.references[0, 8]) == pytest.approx(float(energies.mean()))
    assert float(network.references[0, 29]) == 0.0


@pytest.fixture(scope="module")
def trained(files, tmp_path_factory):
    folder = tmp_path_factory.mktemp("first")
    wanted = config(data(files["alloys"]))
    return fit(wanted, gather(wanted, folder, Silent()), folder, Silent())[1]


def test_the_card_says_what_it_learned_and_how_well(trained):
    card = trained.card
    assert card["data"][0]["data"] == "alloys.extxyz.xz"
    assert card["config"]["data"][0]["path"] == "alloys.extxyz.xz", "no folder of this machine"
    assert card["validation"][FIDELITY]["frames"] == 6
    assert np.isfinite(card["validation"][FIDELITY]["force_mae"])


def test_fine_tuning_adds_a_head_beside_the_old_one(files, trained, tmp_path):
    wanted = config(
        data(files["slabs"], "slab-toy"),
        network=None,
        start_from="x",
        training={**SHORT, "freeze_trunk": True},
    )
    assert heads_of(wanted, trained) == [FIDELITY, "slab-toy"]
    found = gather(wanted, tmp_path, Silent(), start=trained)
    _, tuned = fit(wanted, found, tmp_path, Silent(), start=trained)
    assert [f.name for f in tuned.fidelities] == [FIDELITY, "slab-toy"]
    assert tuned.fidelities[0] == trained.fidelities[0]
    for name, tensor in trained.network.trunk.state_dict().items():
        assert torch.equal(tuned.network.trunk.state_dict()[name], tensor)
    for name, tensor in trained.network.heads[FIDELITY].state_dict().items():
        assert torch.equal(tuned.network.heads[FIDELITY].state_dict()[name], tensor), (
            "the old head is as it was"
        )
    assert torch.equal(tuned.network.references[0], trained.network.references[0])
    assert tuned.card["started_from"] == f"toy {trained.digest[:16]}"


def test_on_a_trunk_that_moves_old_heads_are_left_out(files, trained, tmp_path):
    heard = Heard()
    wanted = config(data(files["slabs"], "slab-toy"), network=None, start_from="x")
    network, heads = first_network(wanted, gather(wanted, tmp_path, heard, start=trained), trained, heard.say)
    assert [f.name for f in heads] == ["slab-toy"]
    assert any("left out: emt-toy" in sentence for sentence in heard.said)
    for name, tensor in trained.network.heads[FIDELITY].state_dict().items():
        assert torch.equal(network.heads["slab-toy"].state_dict()[name], tensor), "it begins as a copy"


def test_a_head_that_goes_on_keeps_its_energies_of_elements(files, trained, tmp_path):
    wanted = config(data(files["slabs"]), network=None, start_from="x")
    network, (head,) = first_network(wanted, gather(wanted, tmp_path, Silent(), start=trained), trained)
    assert head.elements == (8, 28, 29, 79)
    assert torch.equal(network.references[0, 28:30], trained.network.references[0, 28:30])
    assert network.references[0, 8] != 0
    assert network.scales[0] == trained.network.scales[0]


BAD = {
    "Did you mean 'extxyz'": {"data": [{"path": "x", "format": "extxy", "fidelity": "a"}]},
    "do not say whose energies": {"data": [{"path": "x", "format": "extxyz"}]},
    "no setting 'epoch'": {"epoch": 3},
    "has no setting 'data.0.fidelty'": {"data": [{"path": "x", "format": "extxyz", "fidelty": "a"}]},
    "comes from the file": {"start_from": "x", "network": {"width": 8}},
    "name it by start_from": {"training": {"freeze_trunk": True}},
    "a share, or none": {
        "data": [
            {"path": "x", "format": "extxyz", "fidelity": f, "share": s} for f, s in (("a", 1), ("b", None))
        ]
    },
    "name: ": {"name": "../x"},
}


@pytest.mark.parametrize("said", BAD)
def test_settings_that_do_not_fit_are_answered(said):
    good = {"data": [{"path": "x", "format": "extxyz", "fidelity": "a"}]}
    with pytest.raises(InputError, match=said.replace(".", r"\.")):
        validate(PotentialConfig, good | BAD[said], "toy.toml")


@pytest.mark.parametrize(
    ("format_name", "more", "head", "kind"),
    [
        ("oc20-s2ef-extxyz", {}, "oc20-rpbe", "total"),
        ("oc20-s2ef-extxyz", {"energy": "adsorption"}, "oc20-rpbe-adsorption", "adsorption"),
        ("oc20-s2ef-lmdb", {}, "oc20-rpbe-adsorption", "total"),
        ("oc20-is2re-lmdb", {}, "oc20-rpbe-adsorption-relaxed", "relaxed"),
        ("aselmdb", {"fidelity": "omat24"}, "omat24-pbe", "total"),
    ],
)
def test_a_head_is_named_by_whose_energies_and_which(format_name, more, head, kind):
    table = config({"path": "x", "format": format_name} | more).data[0]
    assert (table.head, table.kind) == (head, kind)
    assert table.adsorption == ("adsorption" in head)
