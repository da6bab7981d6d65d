"""A trained token model as one file: weights in half precision and a header, in safetensors; nothing in it is code."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from ...core.errors import InputError
from .model import ModelConfig, TokenModel
from .openings import Openings
from .vocabulary import PropertyBins, Vocabulary

FORMAT = "hysteron-tokens-1"
LARGEST_BYTES = 64_000_000
READABLE = 0o644  # safetensors writes files that others cannot read


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
        from safetensors.torch import save_file

        header = {
            "format": FORMAT,
            "model": self.model.config.as_dict(),
            "properties": [[bins.name, list(bins.edges)] for bins in self.vocabulary.properties],
            "most_atoms": self.vocabulary.most_atoms,
            "openings": self.openings.rows(),
            "card": self.card,
        }
        tensors = {k: v.detach().cpu().half().contiguous() for k, v in self.model.state_dict().items()}
        part = path.with_suffix(".part")
        save_file(tensors, part, {"hysteron": json.dumps(header)})
        part.chmod(READABLE)
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> Trained:
        """Read what `save` wrote.

        Raises:
            InputError: it is no such file.
        """
        from safetensors import SafetensorError, safe_open

        try:
            if path.stat().st_size > LARGEST_BYTES:
                raise InputError(f"{path} is larger than {LARGEST_BYTES // 1_000_000} MB; no token model is.")
            with safe_open(path, framework="pt") as file:
                header = json.loads((file.metadata() or {}).get("hysteron", "{}"))
                tensors = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118  # no mapping
            if header.get("format") != FORMAT:
                raise InputError(
                    f"{path} is no token model of this program: its header names {header.get('format')!r}, "
                    f"wanted {FORMAT!r}."
                )
            return cls._from_parts(header, tensors)
        except (
            OSError,
            SafetensorError,
            LookupError,
            AttributeError,
            TypeError,
            ValueError,
            RuntimeError,
        ) as error:
            raise InputError(f"{path} cannot be read as a token model: {error}") from None

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
