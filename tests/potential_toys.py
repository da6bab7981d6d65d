"""Toy potentials as an outside package would write them: factories of ASE calculators.

A module of its own, so that worker processes find them.
"""

from ase.calculators.lj import LennardJones

ARGON = {"sigma": 3.4, "epsilon": 0.0104, "rc": 8.5, "smooth": True}  # A, eV; smooth to the cutoff


def lennard_jones(model, device):
    """Argon by default; `model` may scale its attraction."""
    calculator = LennardJones(**{**ARGON, "epsilon": ARGON["epsilon"] * float(model or 1)})
    calculator.potential_name = f"Lennard-Jones {model or 1}"
    calculator.energy_scale = "Lennard-Jones"
    calculator.elements = ["Ar", "Kr"]
    return calculator


def unnamed(model, device):
    """A calculator that says nothing of itself."""
    return LennardJones(**ARGON)


def together(model, device):
    """The same with a `batched`, which counts what it is handed."""
    calculator = lennard_jones(model, device)
    calculator.handed = []
    calculator.batched = lambda: Together(calculator)
    return calculator


class Together:
    atoms_per_batch = 6

    def __init__(self, calculator):
        self.calculator = calculator

    def calculate(self, crystals):
        self.calculator.handed.append([len(atoms) for atoms in crystals])
        found = []
        for atoms in crystals:
            twin = atoms.copy()
            twin.calc = LennardJones(**ARGON)
            found.append(
                {
                    "energy": twin.get_potential_energy(),
                    "forces": twin.get_forces(),
                    "stress": twin.get_stress(),
                    "magmoms": [0.5] * len(twin),
                }
            )
        return found


def short(model, device):
    """A `batched` that loses a crystal."""
    calculator = together(model, device)
    calculator.batched = lambda: Short(calculator)
    return calculator


class Short(Together):
    def calculate(self, crystals):
        return super().calculate(crystals)[:-1]


def stressless(model, device):
    """A calculator of molecules."""
    calculator = lennard_jones(model, device)
    calculator.implemented_properties = ["energy", "forces"]
    return calculator


def failing(model, device):
    """A calculator that breaks down."""
    calculator = unnamed(model, device)

    def break_down(*args, **kwargs):
        raise ValueError("out of memory")

    calculator.calculate = break_down
    return calculator
