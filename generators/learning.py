"""What do the trainings of the generators share? Which weights decay, how their average follows, how exact products are."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

MATMUL_PRECISION = "medium"  # bfloat16 products summed in float32, where the processor has them


def decay_groups(learner: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Parameter groups of an optimiser: matrices of linear layers decay, everything else does not."""
    embeddings = {id(m.weight) for m in learner.modules() if isinstance(m, nn.Embedding)}
    decaying = [p for p in learner.parameters() if p.ndim > 1 and id(p) not in embeddings]
    known = {id(p) for p in decaying}
    others = [p for p in learner.parameters() if id(p) not in known]
    return [{"params": decaying, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]


@torch.no_grad()
def follow(average: nn.Module, learner: nn.Module, decay: float) -> None:
    """Move averaged weights towards the present ones: by `1 - decay` of the way."""
    for kept, new in zip(average.parameters(), learner.parameters(), strict=True):
        kept.lerp_(new, 1 - decay)


@contextlib.contextmanager
def matmul_precision() -> Iterator[None]:
    """Products of float32 matrices as `MATMUL_PRECISION` says, and as before afterwards."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(MATMUL_PRECISION)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
