"""`train potential`: the shipped configurations run on generated files, and an interrupted run goes on."""

import json
import tomllib
from importlib import resources

import numpy as np
import pytest
from alloy_frames import FIDELITY, alloys, slabs, write_aselmdb, write_extxyz
from hysteron.benchmarks.readers_samples import Sample, write_oc20_lmdb, write_s2ef
from hysteron.core.errors import InputError
from hysteron.core.settings import validate
from hysteron.flows.progress import Silent
from hysteron.flows.train_potential import train_potential
from hysteron.predictors.potentials.trained import TrainedPotential
from hysteron.predictors.trained_potential.settings import PotentialConfig
from pymatgen.core import Lattice, Structure

SMALL = {"width": 12, "layers": 1, "radial": 12, "vectors": 3}
QUICK = {"epochs": 3, "batch": 4, "learning_rate": 0.02, "averaging": 0.5, "device": "cpu", "threads": 1}


def shipped(name, tmp_path, monkeypatch):
    """A configuration as it ships, with a network and an epoch that take no time."""
    monkeypatch.setenv("HYSTERON_DATA_DIR", str(tmp_path))
    text = resources.files("hysteron.data").joinpath("configs", f"{name}.toml").read_text(encoding="utf-8")
    values = tomllib.loads(text)
    validate(PotentialConfig, values, name)
    values["network"] |= SMALL
    values["training"] |= QUICK
    return validate(PotentialConfig, values, name)


def samples(count, seed):
    """Slabs of copper with an adsorbed oxygen atom, as OC20 stores them."""
    found = []
    for i, atoms in enumerate(slabs(count, seed)):
        energy = atoms.get_potential_energy()
        found.append(
            Sample(
                sid=seed * 1000 + i,
                fid=i,
                numbers=atoms.numbers,
                positions=atoms.positions,
                lattice=np.asarray(atoms.cell),
                energy=energy,
                reference_energy=energy - 1.0 + 0.3 * atoms.positions[8, 2] - 2.4,
                forces=atoms.get_forces(),
                stress=np.zeros((3, 3)),
                tags=atoms.get_tags(),
                fixed=atoms.get_tags() == 0,
                relaxed_positions=atoms.positions,
                relaxed_energy=-1.0 - 0.2 * i / count,
            )
        )
    return found


def epochs_of(path):
    return [json.loads(line) for line in path.with_suffix(".jsonl").read_text().splitlines()]


def test_omat24_as_shipped(tmp_path, monkeypatch):
    pytest.importorskip("ase_db_backends")
    write_aselmdb(tmp_path / "omat24/train/rattled-500/data0000.aselmdb", alloys(24))
    write_aselmdb(tmp_path / "omat24/val/rattled-500/data0000.aselmdb", alloys(6, seed=1))
    path = train_potential(shipped("potential-omat24", tmp_path, monkeypatch), tmp_path / "out", Silent())
    log = epochs_of(path)
    assert [row["epoch"] for row in log] == [1, 2, 3]
    assert log[-1]["loss"] < log[0]["loss"]
    assert {"omat24-pbe force_mae", "omat24-pbe stress_mae"} <= set(log[0]["errors"])
    assert path.with_suffix(".png").read_bytes()[:4] == b"\x89PNG"
    card = json.loads(path.with_suffix(".json").read_text())
    assert card["data"][0]["training_frames"] == 24
    potential = TrainedPotential(path)
    assert card["weights"].startswith(potential.model_hash)
    copper = Structure(Lattice.cubic(2.6), ["Cu"], [[0, 0, 0]])
    assert np.isfinite(potential.calculate([copper])[0].energy)
    last = TrainedPotential(path.with_name("potential-omat24-last.safetensors"))
    assert last.name.startswith("potential-omat24 ")


def test_oc20_s2ef_as_shipped(tmp_path, monkeypatch):
    write_s2ef(tmp_path / "oc20/s2ef/train-200k", samples(16, seed=1), per_file=8)
    write_s2ef(tmp_path / "oc20/s2ef/val-id", samples(4, seed=2), per_file=4)
    path = train_potential(
        shipped("potential-oc20-s2ef-200k", tmp_path, monkeypatch), tmp_path / "out", Silent()
    )
    log = epochs_of(path)
    assert log[-1]["loss"] < log[0]["loss"]
    assert log[0]["errors"]["oc20-rpbe-adsorption energy_mae"] < 4.0, "eV, counted from the reference"


def test_oc20_is2re_as_shipped(tmp_path, monkeypatch):
    folder = tmp_path / "oc20/is2re/data/is2re"
    for name, count, seed in (("10k/train", 16, 1), ("all/val_id", 4, 2)):
        (folder / name).mkdir(parents=True)
        write_oc20_lmdb(folder / name / "data.lmdb", samples(count, seed), is2re=True, old=True)
    path = train_potential(shipped("oc20-is2re-10k", tmp_path, monkeypatch), tmp_path / "out", Silent())
    log = epochs_of(path)
    assert log[-1]["loss"] < log[0]["loss"]
    slab = samples(1, seed=3)[0]
    structure = Structure(
        Lattice(slab.lattice),
        [int(z) for z in slab.numbers],
        slab.positions,
        coords_are_cartesian=True,
        site_properties={"tags": slab.tags.tolist()},
    )
    potential = TrainedPotential(path)
    assert -5 < potential.energies([structure])[0] < 3
    with pytest.raises(InputError, match="no forces"):
        potential.calculate([structure])


class Impatient(Silent):
    """Interrupts at a step."""

    def __init__(self, steps):
        self.left = None
        self.steps = steps

    def stage(self, name, total):
        if name == "train":
            self.left = self.steps

    def advance(self, count=1):
        if self.left is not None:
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt


def test_an_interrupted_run_goes_on_and_ends_the_same(tmp_path, monkeypatch):
    frames = str(write_extxyz(tmp_path / "alloys.extxyz.xz", alloys(16)))
    table = {
        "path": frames,
        "format": "extxyz",
        "fidelity": FIDELITY,
        "split": "frame",
        "validation_share": 0.25,
    }
    config = validate(
        PotentialConfig,
        {
            "name": "toy",
            "data": [table],
            "network": SMALL,
            "training": QUICK | {"epochs": 2, "checkpoint_seconds": 0.0},
        },
        "toy.toml",
    )
    undisturbed = train_potential(config, tmp_path / "one", Silent())
    monkeypatch.setenv("HYSTERON_HOME", str(tmp_path / "other-home"))
    with pytest.raises(KeyboardInterrupt):
        train_potential(config, tmp_path / "two", Impatient(5))
    resumed = train_potential(config, tmp_path / "two", Silent())
    assert TrainedPotential(resumed).model_hash == TrainedPotential(undisturbed).model_hash
    losses = [[row["loss"] for row in epochs_of(path)] for path in (undisturbed, resumed)]
    assert losses[0] == losses[1]
    again = train_potential(config, tmp_path / "two", Impatient(1))
    assert TrainedPotential(again).model_hash == TrainedPotential(resumed).model_hash, "it was finished"
    with pytest.raises(KeyboardInterrupt):
        train_potential(config, tmp_path / "two", Impatient(1), anew=True)
