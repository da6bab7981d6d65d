"""Real crystals that tests share, each with the source of its numbers.

Lattice parameters and free coordinates are measured values as printed in the works named; where a
crystal is one of high symmetry, only the lattice parameter is needed.
"""

from __future__ import annotations

import numpy as np
from pymatgen.core import Lattice, Structure


def silicon() -> Structure:
    """Diamond, Fd-3m; a = 5.4310 A (Kittel, Introduction to Solid State Physics, 8th ed.)."""
    return Structure.from_spacegroup(
        "Fd-3m", Lattice.cubic(5.4310), ["Si"], [[0, 0, 0]]
    ).get_primitive_structure()


def skewed_silicon() -> Structure:
    """Silicon in an awkward, skewed cell of the same lattice."""
    skewed = silicon() * [[1, 0, 0], [1, 1, 0], [3, -2, 1]]
    return Structure.from_sites(sorted(skewed, key=lambda site: tuple(site.frac_coords)))


def sodium_chloride() -> Structure:
    """Rock salt, Fm-3m; a = 5.6402 A (Wyckoff, Crystal Structures 1, 1963)."""
    return Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(5.6402), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )


def magnesium_oxide() -> Structure:
    """Rock salt, Fm-3m; a = 4.2112 A (Wyckoff 1963); primitive cell."""
    cell = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(4.2112), ["Mg", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )
    return cell.get_primitive_structure()


def nickel_oxide() -> Structure:
    """Rock salt above its Neel temperature, Fm-3m; a = 4.1769 A (Wyckoff 1963); primitive cell."""
    cell = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(4.1769), ["Ni", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )
    return cell.get_primitive_structure()


def strontium_titanate() -> Structure:
    """Cubic perovskite, Pm-3m; a = 3.905 A (room temperature)."""
    return _cubic_perovskite("Sr", "Ti", 3.905)


def barium_titanate_cubic() -> Structure:
    """Cubic perovskite, Pm-3m; a = 4.0119 A (Edwards et al., JACS 73, 5032 (1951), 201 C)."""
    return _cubic_perovskite("Ba", "Ti", 4.0119)


def barium_titanate_tetragonal() -> Structure:
    """P4mm; a = 3.9945, c = 4.0335 A (Harada, Pedersen, Barnea, Acta Cryst. A 26, 336 (1970))."""
    return Structure(
        Lattice.tetragonal(3.9945, 4.0335),
        ["Ba", "Ti", "O", "O", "O"],
        [[0, 0, 0], [0.5, 0.5, 0.5224], [0.5, 0.5, -0.0244], [0.5, 0, 0.4895], [0, 0.5, 0.4895]],
    )


def barium_titanate_rhombohedral() -> Structure:
    """R3m; a = 4.0036 A, alpha = 89.839 deg (Kwei et al., J. Phys. Chem. 97, 2368 (1993), 15 K)."""
    ti, o_x, o_z = 0.4853, 0.5088, 0.0185
    return Structure(
        Lattice.rhombohedral(4.0036, 89.839),
        ["Ba", "Ti", "O", "O", "O"],
        [[0, 0, 0], [ti] * 3, [o_x, o_x, o_z], [o_x, o_z, o_x], [o_z, o_x, o_x]],
    )


def lead_titanate() -> Structure:
    """P4mm; a = 3.902, c = 4.156 A (Nelmes and Kuhs, Solid State Commun. 54, 721 (1985))."""
    return Structure(
        Lattice.tetragonal(3.902, 4.156),
        ["Pb", "Ti", "O", "O", "O"],
        [[0, 0, 0], [0.5, 0.5, 0.5377], [0.5, 0.5, 0.1118], [0.5, 0, 0.6174], [0, 0.5, 0.6174]],
    )


def lithium_niobate() -> Structure:
    """R3c; a = 5.1483, c = 13.8631 A (Abrahams, Reddy, Bernstein, J. Phys. Chem. Solids 27, 997 (1966))."""
    cell = Structure.from_spacegroup(
        "R3c",
        Lattice.hexagonal(5.1483, 13.8631),
        ["Li", "Nb", "O"],
        [[0, 0, 0.2787], [0, 0, 0], [0.0492, 0.3446, 0.0647]],
    )
    return cell.get_primitive_structure()


def hafnia_polar() -> Structure:
    """Pca2_1 HfO2; cell and coordinates near Sang et al., Appl. Phys. Lett. 106, 162905 (2015)."""
    return Structure.from_spacegroup(
        "Pca2_1",
        Lattice.orthorhombic(5.24, 5.06, 5.07),
        ["Hf", "O", "O"],
        [[0.03, 0.27, 0.25], [0.37, 0.07, 0.11], [0.23, 0.54, 0.0]],
    )


def hafnia_monoclinic() -> Structure:
    """P2_1/c; a = 5.1156, b = 5.1722, c = 5.2948 A, beta = 99.18 deg (Hann, Suitch, Pentecost, JACerS 68, C285 (1985))."""
    return Structure.from_spacegroup(
        "P2_1/c",
        Lattice.monoclinic(5.1156, 5.1722, 5.2948, 99.18),
        ["Hf", "O", "O"],
        [[0.2759, 0.0396, 0.2083], [0.0740, 0.3320, 0.3470], [0.4490, 0.7580, 0.4800]],
    )


def titania_rutile() -> Structure:
    """P4_2/mnm; a = 4.5937, c = 2.9587 A, u = 0.3048 (Burdett et al., JACS 109, 3639 (1987))."""
    return _rutile("Ti", 4.5937, 2.9587, 0.3048)


def vanadia_rutile() -> Structure:
    """P4_2/mnm, the metallic phase; a = 4.5546, c = 2.8514 A, u = 0.3001 (McWhan et al., PRB 10, 490 (1974))."""
    return _rutile("V", 4.5546, 2.8514, 0.3001)


def germanium_telluride() -> Structure:
    """R3m; a = 4.1656, c = 10.674 A hexagonal (Chattopadhyay et al., J. Phys. C 20, 1431 (1987))."""
    cell = Structure.from_spacegroup(
        "R3m", Lattice.hexagonal(4.1656, 10.674), ["Ge", "Te"], [[0, 0, 0.2366], [0, 0, 0.7634]]
    )
    return cell.get_primitive_structure()


def zinc_oxide() -> Structure:
    """Wurtzite, P6_3mc; a = 3.2498, c = 5.2066 A, u = 0.3819 (Kisi and Elcombe, Acta Cryst. C 45, 1867 (1989))."""
    return Structure.from_spacegroup(
        "P6_3mc", Lattice.hexagonal(3.2498, 5.2066), ["Zn", "O"], [[1 / 3, 2 / 3, 0], [1 / 3, 2 / 3, 0.3819]]
    )


def lithium_cobaltate() -> Structure:
    """R-3m; a = 2.8161, c = 14.0536 A, z(O) = 0.2605 (Akimoto et al., J. Solid State Chem. 141, 298 (1998))."""
    cell = Structure.from_spacegroup(
        "R-3m",
        Lattice.hexagonal(2.8161, 14.0536),
        ["Li", "Co", "O"],
        [[0, 0, 0.5], [0, 0, 0], [0, 0, 0.2605]],
    )
    return cell.get_primitive_structure()


def iron_one_atom() -> Structure:
    """Body-centred iron in its one-atom cell; a = 2.8665 A (Kittel)."""
    half = 2.8665 / 2
    return Structure(Lattice(half * np.array([[-1, 1, 1], [1, -1, 1], [1, 1, -1]])), ["Fe"], [[0, 0, 0]])


def disordered_alloy() -> Structure:
    """Cu0.5Au0.5 on an fcc site, a = 3.87 A: partially occupied on purpose."""
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(3.87), [{"Cu": 0.5, "Au": 0.5}], [[0, 0, 0]])


def _cubic_perovskite(a_site: str, b_site: str, a: float) -> Structure:
    coords = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    return Structure(Lattice.cubic(a), [a_site, b_site, "O", "O", "O"], coords)


def _rutile(cation: str, a: float, c: float, u: float) -> Structure:
    return Structure.from_spacegroup(
        "P4_2/mnm", Lattice.tetragonal(a, c), [cation, "O"], [[0, 0, 0], [u, u, 0]]
    )
