"""Training runs on a machine that has torch and torch_geometric, but no chemistry."""

import subprocess
import sys

BLOCKED = ("pymatgen", "ase", "pydantic", "chgnet", "prefect", "typer", "spglib")
CODE = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {BLOCKED!r}:
            raise ImportError(f"{{name}} is not here")
sys.meta_path.insert(0, Absent())
from hysteron.predictors.gnn import network, packed, training
import torch
config = network.NetworkConfig((("gap", 1),), width=8, layers=1, members=2, head_width=4)
model = network.PropertyNetwork(config)
one = torch.zeros(1)
crystals = packed.Packed(
    numbers=torch.tensor([14, 14], dtype=torch.uint8), features=torch.zeros(2, 64).half(),
    atom_starts=torch.tensor([0, 2]), sources=torch.tensor([1, 0]).short(), degrees=torch.tensor([1, 1]).short(),
    distances=torch.tensor([2.35, 2.35]), edge_starts=torch.tensor([0, 2]), energies=one)
targets = training.Targets({{"gap": torch.tensor([[1.1]])}}, {{"gap": "l1"}})
all_of_them = torch.arange(1)
training.train(model, crystals, targets, all_of_them, all_of_them, training.TrainingConfig(epochs=1))
print("trained")
"""


def test_the_network_trains_without_pymatgen_and_the_rest():
    answer = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert "trained" in answer.stdout
