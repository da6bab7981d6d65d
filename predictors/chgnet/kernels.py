"""The messages of a graph network in one pass through the cache: forward, and backward to the inputs.

A message is `silu(norm(core)) * sigmoid(norm(gate))`, where core and gate come from a hidden layer (or
none) over the sum of three rows: a share of the receiver, one of the sender and one of the edge. Written
with whole-batch tensors each of these steps is a trip to memory; here a block of edges stays in the
cache from the gathering of its rows to the scattering of its messages. The matrix products are BLAS
calls on blocks, the rest is compiled by Numba into vector instructions.

`torch_messages` and `torch_gates` say the same in torch operations: they serve other devices, and the
tests hold the kernels to them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from torch import Tensor
from torch.nn import functional

WIDTH = 64
BLOCK = 128  # edges at a time: four blocks of 64 columns in single precision fill half of a 256 kB cache
NORM_EPSILON = 1e-5  # of a layer norm, torch's default
_f = np.float32
_SHARE, _ONE, _EPSILON = _f(1 / WIDTH), _f(1), _f(NORM_EPSILON)


class Gate(NamedTuple):
    """The weights behind the first layer of a gated block.

    Attributes:
        core, gate: Second layer, shape `(64, 64)`, input by row; empty where there is none.
        biases: Of core and gate, shape `(2, 64)`.
        scales, shifts: Of the layer norms of core and gate, shape `(2, 64)`.
    """

    core: Tensor
    gate: Tensor
    biases: Tensor
    scales: Tensor
    shifts: Tensor

    def arrays(self) -> tuple[np.ndarray, ...]:
        """The same as NumPy arrays, without a copy."""
        return tuple(tensor.numpy() for tensor in self)


class Routes(NamedTuple):
    """Where each message takes its rows from and where it goes, int64, each of shape `(nmessages,)`.

    Attributes:
        receivers, senders, edges: Rows of the three shares.
        weights: Row of the weights that scale the message.
        targets: Row of the output it is added to.
    """

    receivers: Tensor
    senders: Tensor
    edges: Tensor
    weights: Tensor
    targets: Tensor


def messages(
    shares: tuple[Tensor, Tensor, Tensor], weights: Tensor, gate: Gate, routes: Routes, size: int
) -> Tensor:
    """Sum of the messages that arrive at each row of the output.

    Args:
        shares: Of receivers, senders and edges in the first layer, shapes `(n, 128)`.
        weights: Shape `(n, 64)`.
        gate: With a second layer.
        routes: Of the messages.
        size: Number of rows of the output.

    Returns:
        Shape `(size, 64)`; gradients go to shares and weights, never to the layer's own parameters.
    """
    if weights.device.type == "cpu":
        return _Messages.apply(*shares, weights, gate, routes, size)
    return torch_messages(shares, weights, gate, routes, size)


def gates(shares: tuple[Tensor, Tensor, Tensor], gate: Gate, routes: Routes) -> Tensor:
    """The messages themselves, unweighted, of a block without a second layer, shape `(nmessages, 64)`."""
    if shares[0].device.type == "cpu":
        return _Gates.apply(*shares, gate, routes)
    return torch_gates(shares, gate, routes)


def torch_messages(
    shares: tuple[Tensor, Tensor, Tensor], weights: Tensor, gate: Gate, routes: Routes, size: int
) -> Tensor:
    """As `messages`, in torch operations on any device."""
    hidden = functional.silu(_gathered(shares, routes))
    core = hidden[:, :WIDTH] @ gate.core + gate.biases[0]
    opening = hidden[:, WIDTH:] @ gate.gate + gate.biases[1]
    weighted = _torch_gated(core, opening, gate) * weights.index_select(0, routes.weights)
    return torch.zeros((size, WIDTH), dtype=weights.dtype, device=weights.device).index_add(
        0, routes.targets, weighted
    )


def torch_gates(shares: tuple[Tensor, Tensor, Tensor], gate: Gate, routes: Routes) -> Tensor:
    """As `gates`, in torch operations on any device."""
    mixed = _gathered(shares, routes)
    return _torch_gated(mixed[:, :WIDTH], mixed[:, WIDTH:], gate)


def _gathered(shares: tuple[Tensor, Tensor, Tensor], routes: Routes) -> Tensor:
    receivers, senders, edges = shares
    mixed = receivers.index_select(0, routes.receivers) + senders.index_select(0, routes.senders)
    return mixed + edges.index_select(0, routes.edges)


def _torch_gated(core: Tensor, opening: Tensor, gate: Gate) -> Tensor:
    core = functional.layer_norm(core, (WIDTH,), gate.scales[0], gate.shifts[0], NORM_EPSILON)
    opening = functional.layer_norm(opening, (WIDTH,), gate.scales[1], gate.shifts[1], NORM_EPSILON)
    return functional.silu(core) * torch.sigmoid(opening)


class _Messages(torch.autograd.Function):
    """Results are tensors of torch's own: their memory is aligned, so that products of them always round alike."""

    @staticmethod
    def forward(ctx, receivers, senders, edges, weights, gate: Gate, routes: Routes, size: int):
        kept = any(ctx.needs_input_grad)
        count = len(routes.targets)
        rows = count if kept else 1
        ctx.kept = (
            np.empty((rows, 2 * WIDTH), np.float32),
            np.empty((rows, 2 * WIDTH), np.float32),
            np.empty((rows, 2), np.float32),
        )
        ctx.sizes = [len(t) for t in (receivers, senders, edges, weights)]
        ctx.gate, ctx.routes, ctx.weights = gate, routes, weights.detach()
        out = torch.zeros((size, WIDTH))
        tables = tuple(t.detach().numpy() for t in (receivers, senders, edges, weights))
        _messages_forward(tables, gate.arrays(), _numpy(routes), out.numpy(), ctx.kept)
        return out

    @staticmethod
    def backward(ctx, slopes):
        found = tuple(torch.zeros((n, 2 * WIDTH)) for n in ctx.sizes[:3])
        weight_slopes = torch.zeros((ctx.sizes[3], WIDTH))
        _messages_backward(
            np.ascontiguousarray(slopes.numpy()),
            ctx.weights.numpy(),
            ctx.gate.arrays(),
            _numpy(ctx.routes),
            ctx.kept,
            tuple(f.numpy() for f in found),
            weight_slopes.numpy(),
        )
        return (*found, weight_slopes, None, None, None)


class _Gates(torch.autograd.Function):
    @staticmethod
    def forward(ctx, receivers, senders, edges, gate: Gate, routes: Routes):
        kept = any(ctx.needs_input_grad)
        rows = len(routes.targets) if kept else 1
        ctx.kept = np.empty((rows, 2 * WIDTH), np.float32), np.empty((rows, 2), np.float32)
        ctx.sizes = [len(t) for t in (receivers, senders, edges)]
        ctx.gate, ctx.routes = gate, routes
        out = torch.empty((len(routes.targets), WIDTH))
        tables = tuple(t.detach().numpy() for t in (receivers, senders, edges))
        _gates_forward(tables, gate.arrays(), _numpy(routes), out.numpy(), ctx.kept)
        return out

    @staticmethod
    def backward(ctx, slopes):
        found = tuple(torch.zeros((n, 2 * WIDTH)) for n in ctx.sizes)
        _gates_backward(
            np.ascontiguousarray(slopes.numpy()),
            ctx.gate.arrays(),
            _numpy(ctx.routes),
            ctx.kept,
            tuple(f.numpy() for f in found),
        )
        return (*found, None, None)


def _numpy(routes: Routes) -> tuple[np.ndarray, ...]:
    return tuple(tensor.numpy() for tensor in routes)


@intrinsic
def _as_float(typingctx, bits):
    """The float32 with these 32 bits."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), generate


@intrinsic
def _as_bits(typingctx, number):
    """The 32 bits of a float32."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.IntType(32))

    return types.int32(types.float32), generate


_ROUNDER = _f(12582912.0)  # 1.5 * 2^23: adding it rounds a float32 to an integer that stands in its low bits
_LOG2_E = _f(1.44269504088896341)
_LN2_HIGH, _LN2_LOW = _f(0.693359375), _f(-2.12194440e-4)  # Cody and Waite's two parts of ln 2
_SERIES = tuple(
    _f(c) for c in (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 0.16666665459, 0.5)
)  # minimax polynomial of exp on [-ln2/2, ln2/2]: S. L. Moshier, Cephes library (1989), expf
_LARGEST = _f(43.0)  # the product of two such exponentials is still a float32
_SHIFT, _UNIT_BITS = np.int32(23), np.int32(0x3F800000)


@njit(fastmath={"contract", "nnan", "ninf", "nsz"}, error_model="numpy", cache=True, forceinline=True)
def _exp(x):
    """Of a float32, to one unit in the last place or two, saturated at exp(+-43); compiles to vector code."""
    x = -_LARGEST if x < -_LARGEST else x
    x = _LARGEST if x > _LARGEST else x
    rounded = x * _LOG2_E + _ROUNDER
    whole = rounded - _ROUNDER
    rest = x - whole * _LN2_HIGH
    rest = rest - whole * _LN2_LOW
    series = _SERIES[0]
    series = series * rest + _SERIES[1]
    series = series * rest + _SERIES[2]
    series = series * rest + _SERIES[3]
    series = series * rest + _SERIES[4]
    series = series * rest + _SERIES[5]
    series = series * rest * rest + rest + _ONE
    bits = np.int32((_as_bits(rounded) << _SHIFT) + _UNIT_BITS)  # pyright: ignore[reportCallIssue]
    return series * _as_float(bits)  # pyright: ignore[reportCallIssue]


_fast = njit(fastmath=True, error_model="numpy", cache=True)
_inlined = njit(fastmath=True, error_model="numpy", cache=True, forceinline=True)
"""Of a function with a symbol of its own the loader may take another caller's copy, which rounds otherwise."""


@_inlined
def _message(core, opening, i, scales, shifts, normals, factors, row, message):
    """Write `silu(norm(core)) * sigmoid(norm(gate))` of row `i`, and keep what its slope will need."""
    core_mean, open_mean = _f(0), _f(0)
    for k in range(WIDTH):
        core_mean += core[i, k]
        open_mean += opening[i, k]
    core_mean *= _SHARE
    open_mean *= _SHARE
    core_spread, open_spread = _f(0), _f(0)
    for k in range(WIDTH):
        x, y = core[i, k] - core_mean, opening[i, k] - open_mean
        core_spread += x * x
        open_spread += y * y
    core_factor = _ONE / np.sqrt(core_spread * _SHARE + _EPSILON)
    open_factor = _ONE / np.sqrt(open_spread * _SHARE + _EPSILON)
    factors[row, 0], factors[row, 1] = core_factor, open_factor
    for k in range(WIDTH):
        x, y = (core[i, k] - core_mean) * core_factor, (opening[i, k] - open_mean) * open_factor
        normals[row, k], normals[row, WIDTH + k] = x, y
        x, y = x * scales[0, k] + shifts[0, k], y * scales[1, k] + shifts[1, k]
        message[k] = x / ((_ONE + _exp(-x)) * (_ONE + _exp(-y)))


@_inlined
def _message_slopes(slope, scales, shifts, normals, factors, row, core, opening, i, message):
    """Write the slopes before both norms into row `i`, from that of the message; and the message again."""
    core_mean, open_mean, core_along, open_along = _f(0), _f(0), _f(0), _f(0)
    for k in range(WIDTH):
        x, y = normals[row, k], normals[row, WIDTH + k]
        bent, opened = x * scales[0, k] + shifts[0, k], y * scales[1, k] + shifts[1, k]
        share, open_share = _ONE / (_ONE + _exp(-bent)), _ONE / (_ONE + _exp(-opened))
        silu = bent * share
        message[k] = silu * open_share
        passed = slope[k] * open_share
        core_slope = passed * (share + silu * (_ONE - share)) * scales[0, k]
        open_slope = passed * silu * (_ONE - open_share) * scales[1, k]
        core[i, k], opening[i, k] = core_slope, open_slope
        core_mean += core_slope
        open_mean += open_slope
        core_along += core_slope * x
        open_along += open_slope * y
    core_mean *= _SHARE
    open_mean *= _SHARE
    core_along *= _SHARE
    open_along *= _SHARE
    core_factor, open_factor = factors[row, 0], factors[row, 1]
    for k in range(WIDTH):
        x, y = normals[row, k], normals[row, WIDTH + k]
        core[i, k] = core_factor * (core[i, k] - core_mean - x * core_along)
        opening[i, k] = open_factor * (opening[i, k] - open_mean - y * open_along)


@_fast
def _messages_forward(tables, gate, routes, out, kept):
    receivers, senders, edges, weights = tables
    inner_core, inner_gate, biases, scales, shifts = gate
    from_receivers, from_senders, from_edges, from_weights, targets = routes
    bends, normals, factors = kept
    count, keep = len(targets), len(normals) > 1
    hidden_core, hidden_gate = np.empty((BLOCK, WIDTH), _f), np.empty((BLOCK, WIDTH), _f)
    core, opening = np.empty((BLOCK, WIDTH), _f), np.empty((BLOCK, WIDTH), _f)
    message = np.empty(WIDTH, _f)
    for start in range(0, count, BLOCK):
        n = min(BLOCK, count - start)
        for i in range(n):
            e = start + i
            row = e if keep else 0
            a, b, c = from_receivers[e], from_senders[e], from_edges[e]
            for k in range(WIDTH):
                x = receivers[a, k] + senders[b, k] + edges[c, k]
                share = _ONE / (_ONE + _exp(-x))
                silu = x * share
                bends[row, k] = share + silu * (_ONE - share)
                hidden_core[i, k] = silu
            for k in range(WIDTH):
                x = receivers[a, WIDTH + k] + senders[b, WIDTH + k] + edges[c, WIDTH + k]
                share = _ONE / (_ONE + _exp(-x))
                silu = x * share
                bends[row, WIDTH + k] = share + silu * (_ONE - share)
                hidden_gate[i, k] = silu
        np.dot(hidden_core[:n], inner_core, core[:n])
        np.dot(hidden_gate[:n], inner_gate, opening[:n])
        for i in range(n):
            e = start + i
            for k in range(WIDTH):
                core[i, k] += biases[0, k]
                opening[i, k] += biases[1, k]
            _message(core, opening, i, scales, shifts, normals, factors, e if keep else 0, message)
            a, b = from_weights[e], targets[e]
            for k in range(WIDTH):
                out[b, k] += message[k] * weights[a, k]


@_fast
def _messages_backward(slopes, weights, gate, routes, kept, found, weight_slopes):
    inner_core, inner_gate, _, scales, shifts = gate
    from_receivers, from_senders, from_edges, from_weights, targets = routes
    bends, normals, factors = kept
    receivers, senders, edges = found
    back_core, back_gate = np.ascontiguousarray(inner_core.T), np.ascontiguousarray(inner_gate.T)
    count = len(targets)
    hidden_core, hidden_gate = np.empty((BLOCK, WIDTH), _f), np.empty((BLOCK, WIDTH), _f)
    core, opening = np.empty((BLOCK, WIDTH), _f), np.empty((BLOCK, WIDTH), _f)
    slope, message = np.empty(WIDTH, _f), np.empty(WIDTH, _f)
    for start in range(0, count, BLOCK):
        n = min(BLOCK, count - start)
        for i in range(n):
            e = start + i
            a, b = from_weights[e], targets[e]
            for k in range(WIDTH):
                slope[k] = slopes[b, k] * weights[a, k]
            _message_slopes(slope, scales, shifts, normals, factors, e, core, opening, i, message)
            for k in range(WIDTH):
                weight_slopes[a, k] += slopes[b, k] * message[k]
        np.dot(core[:n], back_core, hidden_core[:n])
        np.dot(opening[:n], back_gate, hidden_gate[:n])
        for i in range(n):
            e = start + i
            a, b, c = from_receivers[e], from_senders[e], from_edges[e]
            _add(hidden_core[i], bends[e, :WIDTH], receivers[a, :WIDTH], senders[b, :WIDTH], edges[c, :WIDTH])
            _add(hidden_gate[i], bends[e, WIDTH:], receivers[a, WIDTH:], senders[b, WIDTH:], edges[c, WIDTH:])


@_inlined
def _add(slope, bend, receiver, sender, edge):
    """The slope of one sum goes to each of its three terms."""
    for k in range(WIDTH):
        value = slope[k] * bend[k]
        receiver[k] += value
        sender[k] += value
        edge[k] += value


@_fast
def _gates_forward(tables, gate, routes, out, kept):
    receivers, senders, edges = tables
    _, _, _, scales, shifts = gate
    from_receivers, from_senders, from_edges, _, _ = routes
    normals, factors = kept
    keep = len(normals) > 1
    core, opening = np.empty((1, WIDTH), _f), np.empty((1, WIDTH), _f)
    for e in range(len(out)):
        a, b, c = from_receivers[e], from_senders[e], from_edges[e]
        for k in range(WIDTH):
            core[0, k] = receivers[a, k] + senders[b, k] + edges[c, k]
            opening[0, k] = receivers[a, WIDTH + k] + senders[b, WIDTH + k] + edges[c, WIDTH + k]
        _message(core, opening, 0, scales, shifts, normals, factors, e if keep else 0, out[e])


@_fast
def _gates_backward(slopes, gate, routes, kept, found):
    _, _, _, scales, shifts = gate
    from_receivers, from_senders, from_edges, _, _ = routes
    normals, factors = kept
    receivers, senders, edges = found
    core, opening, message = np.empty((1, WIDTH), _f), np.empty((1, WIDTH), _f), np.empty(WIDTH, _f)
    for e in range(len(slopes)):
        _message_slopes(slopes[e], scales, shifts, normals, factors, e, core, opening, 0, message)
        a, b, c = from_receivers[e], from_senders[e], from_edges[e]
        for k in range(WIDTH):
            receivers[a, k] += core[0, k]
            senders[b, k] += core[0, k]
            edges[c, k] += core[0, k]
        for k in range(WIDTH):
            receivers[a, WIDTH + k] += opening[0, k]
            senders[b, WIDTH + k] += opening[0, k]
            edges[c, WIDTH + k] += opening[0, k]
