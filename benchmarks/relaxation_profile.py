"""How far is our CHGNet from what the machine can do, and what would the next factor be?

Operations are counted from shapes (`relaxation_operations`), the rate is measured on single points, the limit by
matrix products of torch on one thread: a large one, and those of the shapes that occur. Where the time of a whole
relaxation goes is sampled by the processor's own timer.
"""

from __future__ import annotations

import signal
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import astuple
from types import FrameType
from typing import Any

from .relaxation_operations import Sizes, by_part, multiply_adds, total
from .relaxation_process import Start
from .relaxation_samples import Plain, from_plain
from .relaxation_speed import FMAX
from .relaxation_stages import Stages

SAMPLING_SECONDS = 0.002  # of CPU time
LARGE = 2048  # rows and columns of the large product
SHAPES = ((64, 128), (64, 64), (31, 64))  # inputs and outputs of the linear layers
MEASURING_SECONDS = 0.5  # of each product
SINGLE_POINT_REPETITIONS = 3
PARTS = {"graph": "graph building", "forward": "forward pass", "backward": "backward pass"}


class Sampler:
    """Shares of CPU time by `label`, asked for the frame that is running at every tick of the processor's timer."""

    def __init__(self, label: Callable[[FrameType], str]) -> None:
        self.label = label
        self.seconds: dict[str, float] = defaultdict(float)
        self._before = 0.0

    def __enter__(self) -> Sampler:
        self._before = time.process_time()
        signal.signal(signal.SIGPROF, self._tick)
        signal.setitimer(signal.ITIMER_PROF, SAMPLING_SECONDS, SAMPLING_SECONDS)
        return self

    def __exit__(self, *problem: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, signal.SIG_IGN)

    def _tick(self, number: int, frame: FrameType | None) -> None:
        """A call into C is interrupted only when it returns; all its time is put down to its caller."""
        now = time.process_time()
        if frame is not None:
            self.seconds[self.label(frame)] += now - self._before
        self._before = now

    def shares(self) -> dict[str, float]:
        """Of all sampled time, largest first."""
        whole = sum(self.seconds.values()) or 1.0
        ordered = sorted(self.seconds.items(), key=lambda item: -item[1])
        return {name: seconds / whole for name, seconds in ordered}


def part_of_relaxation(frame: FrameType | None) -> str:
    """Which part of a relaxation a frame belongs to: the innermost of our own modules on the stack."""
    module = ""
    while frame is not None:
        name, function = frame.f_globals.get("__name__", ""), frame.f_code.co_name
        if "backward" in function or (name == "torch.autograd" and function == "grad"):
            return "backward"
        if name.startswith("hysteron.predictors") and not module:
            module = name.removeprefix("hysteron.predictors.")
            if not module.startswith("chgnet."):
                break
        frame = frame.f_back
    if module == "chgnet.graph":
        return "graph"
    if module.startswith("chgnet.") and module != "chgnet.potential":
        return "forward"
    return "splitting of results" if module == "chgnet.potential" else module or "rest"


def measure_profile(arguments: dict[str, Any], start: Start) -> dict[str, Any]:
    """Rates and shares on `structures`, with the relaxer's `method` and `steps`."""
    import torch

    from ..predictors.chgnet.potential import CHGNetPotential
    from ..predictors.relaxation.relaxer import BatchedRelaxer, RelaxerSettings

    torch.set_num_threads(1)
    structures = [from_plain(plain) for plain in arguments["structures"]]
    potential = CHGNetPotential()
    relaxer = BatchedRelaxer(potential, RelaxerSettings(fmax=FMAX, steps=arguments["steps"], workers=1))
    potential.calculate(structures[:1])
    sizes = [Sizes.of(structure) for structure in structures]
    whole = total(sizes)
    start()
    with_gradients = _fastest(lambda: potential.calculate(structures))
    without = _fastest(lambda: potential.energies(structures))
    graphs = Sampler(part_of_relaxation)
    with graphs:
        for _ in range(SINGLE_POINT_REPETITIONS):
            potential.calculate(structures)
    relaxing = Sampler(part_of_relaxation)
    with relaxing:
        relaxer.relax(structures)
    return {
        "structures": len(structures),
        "mean_sizes": dict(
            zip(
                ("atoms", "bonds", "short_bonds", "angles"),
                (n / len(sizes) for n in astuple(whole)),
                strict=True,
            )
        ),
        "multiply_adds": multiply_adds(whole),
        "multiply_adds_energy_only": multiply_adds(whole, gradients=False),
        "multiply_adds_of_stock": multiply_adds(whole, "stock"),
        "multiply_adds_by_part": by_part(whole),
        "seconds": with_gradients,
        "seconds_energy_only": without,
        "shares_of_single_points": graphs.shares(),
        "shares_of_relaxation": relaxing.shares(),
        "seconds_of_relaxation": sum(relaxing.seconds.values()),
        "large_gflops": product_rate(LARGE, LARGE, LARGE),
        "shaped_gflops": {
            f"{rows}x{inputs}x{outputs}": product_rate(rows, inputs, outputs)
            for rows in arguments["rows"]
            for inputs, outputs in SHAPES
        },
    }


def _fastest(call: Callable[[], Any]) -> float:
    """CPU seconds, the least of some repetitions."""
    found = []
    for _ in range(SINGLE_POINT_REPETITIONS):
        began = time.process_time()
        call()
        found.append(time.process_time() - began)
    return min(found)


def product_rate(rows: int, inputs: int, outputs: int) -> float:
    """GFLOP/s of CPU time of a single-precision product `(rows, inputs) @ (inputs, outputs)`; two for each pair."""
    import torch

    left, right = torch.rand(rows, inputs), torch.rand(inputs, outputs)
    result = torch.empty(rows, outputs)
    torch.mm(left, right, out=result)
    began, done = time.process_time(), 0
    while time.process_time() - began < MEASURING_SECONDS:
        torch.mm(left, right, out=result)
        done += 1
    return 2e-9 * done * rows * inputs * outputs / (time.process_time() - began)


def profile_figures(stages: Stages, structures: list[Plain], steps: int) -> dict[str, Any]:
    """Rates, limit, shares, and the next factor in words."""
    arguments = {"structures": structures, "steps": steps, "rows": [1000, 4000, 16000]}
    measured = stages.measure("profile", "profile", arguments)
    flops = 2e-9 * measured["multiply_adds"]
    shares = measured["shares_of_single_points"]
    network = shares.get("forward", 0.0) + shares.get("backward", 0.0)
    inner = [rate for shape, rate in measured["shaped_gflops"].items() if shape.endswith("x64x128")]
    shaped, large = max(inner), measured["large_gflops"]
    limits = {
        "evaluation_gflops": flops / measured["seconds"],
        "network_gflops": flops / (network * measured["seconds"]) if network else None,
        "energy_only_gflops": 2e-9 * measured["multiply_adds_energy_only"] / measured["seconds_energy_only"],
        "limit_large_product_gflops": large,
        "limit_products_of_our_shapes_gflops": shaped,
        "share_of_limit": flops / measured["seconds"] / large,
        "share_of_evaluation_that_is_products": flops / shaped / measured["seconds"],
    }
    stock = measured["multiply_adds_of_stock"]
    return {
        "n": measured["structures"],
        "cpu_ms_per_structure": 1000 * measured["seconds"] / measured["structures"],
        "gflop_per_structure": flops / measured["structures"],
        "arithmetic_of_stock_over_ours": stock / measured["multiply_adds"],
        **limits,
        **{
            name: measured[name]
            for name in (
                "mean_sizes",
                "multiply_adds_by_part",
                "shaped_gflops",
                "shares_of_single_points",
                "shares_of_relaxation",
            )
        },
        "next_factor": next_factor(limits, measured["shares_of_relaxation"]),
    }


def next_factor(limits: dict[str, Any], shares: dict[str, float]) -> str:
    """What would speed up a relaxation most, from the numbers."""
    products = limits["share_of_evaluation_that_is_products"]
    at_large = products * limits["limit_products_of_our_shapes_gflops"] / limits["limit_large_product_gflops"]
    evaluation = sum(shares.get(part, 0.0) for part in (*PARTS, "splitting of results"))
    in_words = ", ".join(f"{PARTS.get(name, name)} {100 * share:.0f}%" for name, share in shares.items())

    def faster(share_left: float) -> float:
        return 1 / (1 - evaluation + evaluation * min(share_left, 1.0))

    return (
        f"A relaxation spends its time on {in_words}. The evaluation does {limits['evaluation_gflops']:.1f} GFLOP/s, "
        f"{100 * limits['share_of_limit']:.0f}% of a large product on one thread "
        f"({limits['limit_large_product_gflops']:.0f}). Matrix products at the rate measured for their shapes "
        f"({limits['limit_products_of_our_shapes_gflops']:.0f} GFLOP/s) would take {100 * products:.0f}% of it; "
        f"were everything else in the evaluation free, a relaxation would be {faster(products):.1f} times faster, "
        f"and {faster(at_large):.1f} times with the products at the rate of the large one. Beyond that only "
        "fewer operations or fewer evaluations help."
    )
