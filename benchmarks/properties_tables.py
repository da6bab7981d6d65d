"""Simple models of a table of numbers, for rows of the property benchmark in which no crystal is needed.

A ridge regression, a kernel ridge regression, and a small neural network on what the ridge leaves over. Which of them, and
with which penalty, is chosen by the validation rows; the chosen one is trained once more with these and then predicts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

PENALTIES = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
WIDTHS = (0.5, 1.5, 4.0)  # of the kernel, in units of the median distance
HIDDEN = 128
EPOCHS = 60
BATCH = 256
LEARNING_RATE = 4e-3
DROPOUT = 0.1
MEMBERS = 3
PROPERTIES = ("X", "atomic_radius", "row", "group", "mendeleev_no", "ionization_energy")
Model = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""Training inputs, training targets (numbers, or one column per class), inputs; returns what is predicted."""


@dataclass(frozen=True)
class Chosen:
    """What one table model made of the rows it was not trained on.

    Attributes:
        model: The name of the one chosen.
        guesses: Of the test rows.
        validation: Error of every model on the validation rows.
        test: Error of every model on the test rows; nothing was chosen by it.
    """

    model: str
    guesses: np.ndarray
    validation: dict[str, float]
    test: dict[str, float]


def choose(
    models: Mapping[str, Model],
    inputs: np.ndarray,
    wanted: np.ndarray,
    parts: Mapping[str, np.ndarray],
    error: Callable[[np.ndarray, np.ndarray], float],
) -> Chosen:
    """Choose by `val`, train with it as well, predict `test`.

    Args:
        models: By name.
        inputs: Shape `(nrows, ncolumns)`.
        wanted: Shape `(nrows,)` or `(nrows, nclasses)`.
        parts: Places of `train`, `val` and `test`.
        error: Of guesses and what was wanted.
    """
    train, val, test = parts["train"], parts["val"], parts["test"]
    both = np.concatenate([train, val])
    tried = _with_mean({name: m(inputs[train], wanted[train], inputs[val]) for name, m in models.items()})
    validation = {name: error(guess, wanted[val]) for name, guess in tried.items()}
    best = min(validation, key=lambda name: validation[name])
    guesses = _with_mean({name: m(inputs[both], wanted[both], inputs[test]) for name, m in models.items()})
    found = {name: error(guess, wanted[test]) for name, guess in guesses.items()}
    return Chosen(best, guesses[best], validation, found)


def _with_mean(guesses: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """With the mean of all but the linear one, where there are several."""
    curved = [guess for name, guess in guesses.items() if name != "ridge"]
    return guesses | ({"mean": np.mean(curved, axis=0)} if len(curved) > 1 else {})


def mean_absolute(guesses: np.ndarray, wanted: np.ndarray) -> float:
    """Mean absolute error."""
    return float(np.abs(guesses - wanted).mean())


def regressions(seed: int, members: int = MEMBERS, epochs: int = EPOCHS) -> dict[str, Model]:
    """The models of a number: ridge, kernel ridge, the small network."""

    def network(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
        return perceptron(x, y, new, seed, members, epochs)

    return {"ridge": ridge, "kernel ridge": kernel_ridge, "network": network}


def in_two_stages(model: Model, classifier: Model) -> Model:
    """Zero where the classifier says so, else what a model says that was trained on what is not zero.

    Args:
        model: Of a number.
        classifier: Of a column of 0 and 1 for "not zero", and one for "zero".
    """

    def both(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
        chance, value = stages(model, classifier, x, y, new)
        return np.where(chance > 0.5, 0.0, value)

    return both


def stages(
    model: Model, classifier: Model, x: np.ndarray, y: np.ndarray, new: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The chance of zero, and the value if it is not zero, shapes `(nnew,)`."""
    zero = y <= 0
    chance = classifier(x, np.stack([~zero, zero], axis=1).astype(float), new)[:, 1]
    return chance, np.maximum(model(x[~zero], y[~zero], new), 0.0)


def ridge(inputs: np.ndarray, wanted: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Linear, with the penalty of the least error on one fifth held back."""
    train, held = _fifth(len(inputs))
    scale = standard(inputs)
    x, x_new = scale(inputs), scale(new)

    def solved(rows: np.ndarray, at: np.ndarray, penalty: float) -> np.ndarray:
        some, centre = x[rows], wanted[rows].mean(0)
        square = some.T @ some + penalty * np.eye(some.shape[1])
        return at @ np.linalg.solve(square, some.T @ (wanted[rows] - centre)) + centre

    best = min(PENALTIES, key=lambda p: np.abs(solved(train, x[held], p) - wanted[held]).mean())
    return solved(np.arange(len(x)), x_new, best)


def kernel_ridge(inputs: np.ndarray, wanted: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Exponential of the distance as kernel, on what `ridge` leaves over; penalty and width as `ridge` chooses."""
    train, held = _fifth(len(inputs))
    scale = standard(inputs)
    x, x_new = scale(inputs), scale(new)
    linear, linear_new = ridge(inputs, wanted, inputs), ridge(inputs, wanted, new)
    rest = wanted - linear
    among, across = _distances(x, x), _distances(x_new, x)
    unit = float(np.median(among[train][:, train])) or 1.0

    def solved(rows: np.ndarray, crossing: np.ndarray, width: float, penalty: float) -> np.ndarray:
        kernel = np.exp(-among[np.ix_(rows, rows)] / (width * unit))
        weights = np.linalg.solve(kernel + penalty * np.eye(len(rows)), rest[rows])
        return np.exp(-crossing / (width * unit)) @ weights

    pairs = [(w, p) for w in WIDTHS for p in PENALTIES[:-1]]
    errors = [np.abs(solved(train, among[np.ix_(held, train)], w, p) - rest[held]).mean() for w, p in pairs]
    width, penalty = pairs[int(np.argmin(errors))]
    return linear_new + solved(np.arange(len(x)), across, width, penalty)


def perceptron(
    inputs: np.ndarray,
    wanted: np.ndarray,
    new: np.ndarray,
    seed: int,
    members: int = MEMBERS,
    epochs: int = EPOCHS,
) -> np.ndarray:
    """Mean of small networks on what `ridge` leaves over; of classes (columns of 0 and 1), their probabilities."""
    import torch
    from torch import nn

    scale = standard(inputs)
    x, x_new = (torch.from_numpy(scale(values)).float() for values in (inputs, new))
    classes = wanted.ndim == 2
    base, base_new = 0.0, 0.0
    if not classes:
        base, base_new = ridge(inputs, wanted, inputs), ridge(inputs, wanted, new)
    rest = wanted - base
    spread = 1.0 if classes else float(np.abs(rest).mean()) or 1.0
    y = torch.from_numpy(rest / spread).float()
    found = []
    for member in range(members):
        torch.manual_seed(seed * members + member)
        network = _small_network(x.shape[1], y.shape[1] if classes else 1)
        optimiser = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=0.05)
        steps = epochs * -(-len(x) // BATCH)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps)
        for _ in range(epochs):
            for rows in torch.randperm(len(x)).split(BATCH):
                out = network(x[rows])
                if classes:
                    loss = -(out.log_softmax(1) * y[rows]).sum(1).mean()
                else:
                    loss = nn.functional.l1_loss(out[:, 0], y[rows])
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                optimiser.step()
                schedule.step()
        network.eval()
        with torch.no_grad():
            out = network(x_new)
            found.append((out.softmax(1) if classes else out[:, 0]).numpy())
    return np.mean(found, axis=0) * spread + base_new


def _small_network(inputs: int, outputs: int):
    from torch import nn

    return nn.Sequential(
        nn.Linear(inputs, HIDDEN),
        nn.SiLU(),
        nn.Dropout(DROPOUT),
        nn.Linear(HIDDEN, HIDDEN),
        nn.SiLU(),
        nn.Dropout(DROPOUT),
        nn.Linear(HIDDEN, outputs),
    )


def standard(inputs: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """To zero mean and unit spread of these inputs, within five of it; a column that never varies becomes zero."""
    centre, spread = inputs.mean(0), inputs.std(0)
    spread = np.where(spread > 1e-9, spread, np.inf)
    return lambda values: np.clip((values - centre) / spread, -5, 5)


def fractions(formulas: Iterable[str]) -> np.ndarray:
    """Share of each element, and means, least and greatest of their properties, shape `(nformulas, width)`."""
    return np.array([_of_composition(formula) for formula in formulas])


@lru_cache(maxsize=100_000)
def _of_composition(formula: str) -> np.ndarray:
    from pymatgen.core import Composition

    shares = np.zeros(119)
    amounts = Composition(formula).fractional_composition.items()
    for element, share in amounts:
        shares[element.Z] = share
    table = np.array([element_properties(element.Z) for element, _ in amounts])
    weights = np.array([share for _, share in amounts])
    mean = weights @ table
    spread = np.sqrt(weights @ (table - mean) ** 2)
    return np.concatenate([shares, mean, spread, table.min(0), table.max(0)])


@lru_cache(maxsize=200)
def element_properties(number: int) -> tuple[float, ...]:
    """What pymatgen knows of an element; 0 where it knows nothing."""
    import warnings

    from pymatgen.core import Element

    element = Element.from_Z(number)
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in PROPERTIES:
            value = getattr(element, name, None)
            found.append(0.0 if value is None or value != value else float(value))
    return tuple(found)


def weighted_f1(guesses: Sequence[int] | np.ndarray, wanted: Sequence[int] | np.ndarray) -> float:
    """F1 of each class, weighted by how many there are."""
    guesses, wanted = np.asarray(guesses), np.asarray(wanted)
    total = 0.0
    for kind in np.unique(wanted):
        right = float(((guesses == kind) & (wanted == kind)).sum())
        said, there = float((guesses == kind).sum()), float((wanted == kind).sum())
        total += there * (2 * right / (said + there))
    return total / len(wanted)


def _fifth(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Places of four fifths and of the rest, the same at every call."""
    order = np.random.default_rng(0).permutation(count)
    return order[count // 5 :], order[: count // 5]


def _distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Euclidean, shape `(nfirst, nsecond)`."""
    square = (first**2).sum(1)[:, None] + (second**2).sum(1)[None] - 2 * first @ second.T
    return np.sqrt(np.maximum(square, 0.0))
