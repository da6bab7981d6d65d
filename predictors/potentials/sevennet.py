"""SevenNet: equivariant, trained on MPtrj; its package carries SevenNet-0 and SevenNet-l3i5.

Several crystals are one graph for the network, so that they share one pass.

The checkpoints are pickles, which the package reads without restriction: a file of weights given as
`sevennet:PATH` runs whatever code it holds.

Source: Park, Kim, Hwang, Han, J. Chem. Theory Comput. 20, 4857 (2024), doi:10.1021/acs.jctc.4c00190.
"""

# pyright: reportMissingImports=false
# The package is an extra.
from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from .weights import is_path, known_model, path_of, told_in_words

if TYPE_CHECKING:
    from ase import Atoms

VOIGT_OF_SEVENNET = (0, 1, 2, 4, 5, 3)  # it writes xx, yy, zz, xy, yz, zx; ASE xx, yy, zz, yz, xz, xy
ATOMS_PER_BATCH = 64  # larger batches gain nothing on a CPU


def sevennet(model: str | None, device: str) -> Any:
    """The ASE calculator of a SevenNet model, with `batched`; see `calculator`."""
    if is_path(model):
        argument, modal = str(path_of(str(model))), None
        known = None
    else:
        name, known = known_model("sevennet", model)
        argument = known.argument
        modal = name.rpartition("-")[2] if name.startswith("mf-ompa") else None
    with told_in_words("sevennet", model), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from importlib.metadata import version

        from sevenn.calculator import SevenNetCalculator

        calculator = SevenNetCalculator(model=argument, device=device, modal=modal)
    if known is not None:
        calculator.potential_name = f"SevenNet-{name} (sevenn {version('sevenn')})"
        calculator.energy_scale = known.energy_scale
    calculator.elements = sorted(calculator.type_map)
    calculator.batched = lambda: SevenNetBatch(calculator)
    return calculator


class SevenNetBatch:
    """Several crystals in one pass of the network."""

    atoms_per_batch = ATOMS_PER_BATCH

    def __init__(self, calculator: Any) -> None:
        self.calculator = calculator

    def calculate(self, crystals: list[Atoms]) -> list[dict[str, Any]]:
        """Energy, forces and stress of each crystal; see `calculator`."""
        from sevenn import _keys as keys

        network = self.calculator.model
        network.set_is_batch_data(True)
        try:
            found = network(self._graph(crystals))
        finally:
            network.set_is_batch_data(False)
        energies, forces, stresses = (
            found[key].detach().cpu().numpy()
            for key in (keys.PRED_TOTAL_ENERGY, keys.PRED_FORCE, keys.PRED_STRESS)
        )
        ends = np.cumsum([len(atoms) for atoms in crystals])
        return [
            {
                "energy": energies[i],
                "forces": forces[end - len(atoms) : end],
                "stress": -stresses[i][list(VOIGT_OF_SEVENNET)],
            }
            for i, (atoms, end) in enumerate(zip(crystals, ends, strict=True))
        ]

    def _graph(self, crystals: list[Atoms]) -> Any:
        from sevenn import _keys as keys
        from sevenn.atom_graph_data import AtomGraphData
        from sevenn.train.dataload import unlabeled_atoms_to_graph
        from torch_geometric.data import Batch

        graphs = []
        for atoms in crystals:
            arrays = unlabeled_atoms_to_graph(atoms, self.calculator.cutoff, with_shift=False)
            graph = AtomGraphData.from_numpy_dict(arrays)
            if self.calculator.modal:
                graph[keys.DATA_MODALITY] = self.calculator.modal
            graphs.append(graph)
        batch: Any = Batch.from_data_list(graphs)
        return batch.to(self.calculator.device)
