"""How far from the crystals it learned from does the network stand?

The distance to the nearest training crystals in the network's own space, where what it treats alike lies close.
Source: Janet et al., Chem. Sci. 10, 7913 (2019), doi:10.1039/C9SC02298H (latent distance as uncertainty).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

COMPONENTS = 24
REFERENCES = 6000
NEAREST = 5
FAR = 0.98  # quantile of the distances of validation crystals beyond which a crystal is out of domain


@dataclass
class Domain:
    """A sample of the training crystals in a whitened space.

    Attributes:
        centre: Mean of the trunk's vectors, shape `(width,)`.
        axes: From the trunk's vector to whitened components, shape `(width, COMPONENTS)`.
        references: Training crystals there, float16, shape `(nreferences, COMPONENTS)`.
        limit: Distance beyond which a crystal is out of domain.
    """

    centre: Tensor
    axes: Tensor
    references: Tensor
    limit: float = float("inf")

    @classmethod
    def fit(cls, vectors: Tensor, seed: int = 0) -> Domain:
        """From the trunk's vectors of training crystals, shape `(n, width)`."""
        centre = vectors.mean(0)
        _, values, axes = torch.linalg.svd(vectors - centre, full_matrices=False)
        count = min(COMPONENTS, len(values))
        scales = values[:count] / len(vectors) ** 0.5
        axes = axes[:count].T / scales.clamp_min(1e-6)
        order = torch.randperm(len(vectors), generator=torch.Generator().manual_seed(seed))[:REFERENCES]
        return cls(centre, axes.contiguous(), ((vectors[order] - centre) @ axes).half())

    def distances(self, vectors: Tensor) -> Tensor:
        """Mean distance to the `NEAREST` references, shape `(n,)`; about 1 in the midst of them."""
        references = self.references.float()
        found = [
            torch.cdist((some - self.centre) @ self.axes, references)
            .topk(min(NEAREST, len(references)), largest=False)
            .values.mean(1)
            for some in vectors.split(1024)
        ]
        return torch.cat(found) if found else vectors.new_zeros(0)
