"""The compiled messages, against the same in torch operations and their automatic gradients."""

import os
import subprocess
import sys
from pathlib import Path

import materials
import numpy as np
import pytest
import torch
from hysteron.predictors.chgnet import kernels
from hysteron.predictors.chgnet.kernels import (
    WIDTH,
    Gate,
    Routes,
    gates,
    messages,
    torch_gates,
    torch_messages,
)
from hysteron.predictors.chgnet.potential import CHGNetPotential
from materials import hafnia_polar, silicon

SINGLE_PRECISION = 2e-6  # relative to the largest number: sums of some hundred float32 in another order


def block(seed=0):
    made = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=made)

    return Gate(
        normal(WIDTH, WIDTH) / 8,
        normal(WIDTH, WIDTH) / 8,
        normal(2, WIDTH),
        normal(2, WIDTH),
        normal(2, WIDTH),
    )


def inputs(count, size=1.0, seed=1):
    made = torch.Generator().manual_seed(seed)
    natoms, nbonds = 7, max(count // 2, 1)
    shares = [
        (size * torch.randn(n, 2 * WIDTH, generator=made)).requires_grad_() for n in (natoms, natoms, nbonds)
    ]
    weights = torch.randn(nbonds, WIDTH, generator=made).requires_grad_()
    ends = torch.randint(0, natoms, (2, count), generator=made)
    bonds = torch.arange(count) % nbonds
    return shares, weights, Routes(ends[0], ends[1], bonds, bonds, ends[0]), natoms


def agree(ours, theirs):
    assert ours.shape == theirs.shape
    if ours.numel():
        scale = float(theirs.abs().max()) + 1e-30
        assert float((ours - theirs).abs().max()) <= SINGLE_PRECISION * scale + 1e-30


@pytest.mark.parametrize("count", [0, 1, 2, 127, 128, 129, 1000])
def test_messages_are_those_of_torch(count):
    shares, weights, routes, size = inputs(count)
    found = [f(tuple(shares), weights, block(), routes, size) for f in (messages, torch_messages)]
    agree(*found)
    slope = torch.randn(found[0].shape, generator=torch.Generator().manual_seed(2))
    gradients = [torch.autograd.grad(f, [*shares, weights], slope) for f in found]
    for ours, theirs in zip(*gradients, strict=True):
        agree(ours, theirs)


@pytest.mark.parametrize("count", [0, 1, 130])
def test_gates_are_those_of_torch(count):
    shares, _, routes, _ = inputs(count)
    found = [f(tuple(shares), block(), routes) for f in (gates, torch_gates)]
    agree(*found)
    slope = torch.randn(found[0].shape, generator=torch.Generator().manual_seed(2))
    for ours, theirs in zip(*(torch.autograd.grad(f, shares, slope) for f in found), strict=True):
        agree(ours, theirs)


def test_large_inputs_stay_finite():
    shares, weights, routes, size = inputs(200, size=300.0)
    found = [f(tuple(shares), weights, block(), routes, size) for f in (messages, torch_messages)]
    agree(*found)
    for gradient in torch.autograd.grad(found[0].sum(), [*shares, weights]):
        assert torch.isfinite(gradient).all()


def test_without_gradients_the_same_messages():
    shares, weights, routes, size = inputs(300)
    with_slopes = messages(tuple(shares), weights, block(), routes, size)
    with torch.no_grad():
        without = messages(tuple(shares), weights, block(), routes, size)
    assert torch.equal(with_slopes, without)
    assert not without.requires_grad


def test_the_exponential_is_right_to_single_precision():
    x = np.linspace(-42.9, 42.9, 4001, dtype=np.float32)
    found = np.array([kernels._exp(value) for value in x])
    np.testing.assert_allclose(found, np.exp(x.astype(float)), rtol=3e-7)


def test_other_devices_are_served_by_torch_alike(monkeypatch):
    """The road that a GPU takes, on the processor: same network, messages in torch operations."""
    crystals = [hafnia_polar(), silicon()]
    compiled = CHGNetPotential().calculate(crystals)
    monkeypatch.setattr("hysteron.predictors.chgnet.network.messages", torch_messages)
    monkeypatch.setattr("hysteron.predictors.chgnet.network.gates", torch_gates)
    for ours, theirs in zip(compiled, CHGNetPotential().calculate(crystals), strict=True):
        assert ours.energy == pytest.approx(theirs.energy, abs=1e-4)
        np.testing.assert_allclose(ours.forces, theirs.forces, atol=2e-5)
        np.testing.assert_allclose(ours.stress, theirs.stress, atol=2e-6)


def test_fresh_and_cached_kernels_round_alike_whatever_the_threads(tmp_path):
    programme = (
        "import hashlib, sys; sys.path.insert(0, sys.argv[1]); from materials import hafnia_polar;"
        "from hysteron.predictors.chgnet.potential import CHGNetPotential;"
        "crystal = hafnia_polar().perturb(0.1, seed=0);"
        "(found,) = CHGNetPotential().calculate([crystal]);"
        "print(found.energy.hex(), hashlib.sha256(found.forces.tobytes()).hexdigest())"
    )
    said = []
    for threads in ("2", "1"):  # the first run compiles, the second reads what it left
        run = subprocess.run(
            [sys.executable, "-c", programme, str(Path(materials.__file__).parent)],
            capture_output=True,
            text=True,
            check=True,
            env={
                **os.environ,
                "NUMBA_CACHE_DIR": str(tmp_path),
                "OMP_NUM_THREADS": threads,
                "OPENBLAS_NUM_THREADS": threads,
            },
        )
        said.append(run.stdout)
    assert any(tmp_path.rglob("*.nbc"))
    assert said[0] == said[1]
