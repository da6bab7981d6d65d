"""A trained token model as one file: weights in half precision and a header, in safetensors; nothing in it is code."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from ..weight_files import read_weights, write_weights
from .model import ModelConfig, TokenModel
from .openings import Openings
from .vocabulary import PropertyBins, Vocabulary

FORMAT = "hysteron-tokens-1"


@dataclass
class Trained:
    """What sampling needs.

    Attributes:
        model: In evaluation mode.
        vocabulary: Its words.
        card: What it was trained on and how good it is.
        openings: How often the training crystals have which property bins.
    """

    model: TokenModel
    vocabulary: Vocabulary
    card: dict[str, Any] = field(default_factory=dict)
    openings: Openings = field(default_factory=Openings)

    @property
    def method(self) -> str:
        """As it is written in `PropertyValue.method`."""
        return str(self.card.get("method", "Wyckoff tokens"))

    def save(self, path: Path) -> None:
        """Write as one safetensors file."""
        header = {
            "format": FORMAT,
            "model": self.model.config.as_dict(),
            "properties": [[bins.name, list(bins.edges)] for bins in self.vocabulary.properties],
            "most_atoms": self.vocabulary.most_atoms,
            "openings": self.openings.rows(),
            "card": self.card,
        }
        tensors = {k: v.detach().cpu().half().contiguous() for k, v in self.model.state_dict().items()}
        write_weights(path, tensors, header)

    @classmethod
    def load(cls, path: Path) -> Trained:
        """Read what `save` wrote.

        Raises:
            InputError: it is no such file.
        """
        return read_weights(path, FORMAT, "token model", cls._from_parts)

    @classmethod
    def _from_parts(cls, header: dict[str, Any], tensors: dict[str, Tensor]) -> Trained:
        config = ModelConfig(**header["model"])
        properties = tuple(
            PropertyBins(str(name), tuple(float(edge) for edge in edges))
            for name, edges in header["properties"]
        )
        vocabulary = Vocabulary(properties, int(header["most_atoms"]))
        if config.words != len(vocabulary):
            raise ValueError(f"it has {config.words} words, its vocabulary {len(vocabulary)}")
        # Before a model is made, so that a header cannot ask for more memory than the file has weights.
        told = {
            "words.weight": (config.words, config.width),
            "places.weight": (config.longest, config.width),
            "next_coordinate.weight": (4 * config.coordinate_parts, config.width),
            "next_length.weight": (3 * config.lattice_parts, config.width),
        }
        blocks = {name.split(".")[1] for name in tensors if name.startswith("blocks.")}
        found = {name: tuple(tensors[name].shape) for name in told if name in tensors}
        if found != told or len(blocks) != config.layers:
            raise ValueError("its weights are not those of the model that its header describes")
        model = TokenModel(config)
        model.load_state_dict(tensors)
        openings = Openings.from_rows(header.get("openings", []), vocabulary)
        return cls(model.eval().requires_grad_(False), vocabulary, header["card"], openings)
