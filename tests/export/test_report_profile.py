"""The energy profile shows the numbers it was given, says so to who cannot see it, and nothing foreign enters it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import switching_samples
from hysteron.export.report_picture import picture
from hysteron.export.report_profile import profile
from hysteron.export.report_scenes import scene
from hysteron.export.report_switching import switching

PIXEL = 0.1  # coordinates are written with one decimal


def drawn(start=221, end=99, **changes) -> ElementTree.Element:
    told = switching_samples.details()["path"] | changes
    path = switching(switching_samples.candidate(switching_samples.details() | {"path": told})).path
    return ElementTree.fromstring(str(profile(path, start, end, "path-1")))


def images(svg: ElementTree.Element) -> np.ndarray:
    circles = [one for one in svg.iter("circle") if "image" in one.get("class", "")]
    return np.array([[float(one.get("cx", "")), float(one.get("cy", ""))] for one in circles])


def words(svg: ElementTree.Element) -> list[str]:
    return ["".join(one.itertext()) for one in svg.iter("text")]


def path_of(svg: ElementTree.Element, kind: str) -> str:
    return next(one.get("d", "") for one in svg.iter("path") if one.get("class") == kind)


def energy_axis(svg: ElementTree.Element) -> tuple[float, float]:
    """Slope and offset from pixels to meV/atom, from the labels of the ordinate."""
    values = [
        float((one.text or "").replace("−", "-"))
        for one in svg.iter("text")
        if one.get("text-anchor") == "end" and one.get("class") == "tick"
    ]
    grid = [one.get("d", "") for one in svg.iter("path") if one.get("class") == "grid"]
    lines = [float(line.split()[1].split("H")[0]) for line in grid]
    slope, offset = np.polyfit(lines, values, 1)
    return float(slope), float(offset)


@pytest.mark.parametrize("scale", [0.02, 1.0, 37.0, 4000.0])
def test_images_stand_at_their_energies(scale):
    energies = [scale * e for e in switching_samples.double_well()[1]]
    svg = drawn(energies=energies, barrier_per_atom=max(energies))
    slope, offset = energy_axis(svg)
    assert images(svg)[:, 1] * slope + offset == pytest.approx(energies, abs=2 * PIXEL * abs(slope))
    assert np.allclose(np.diff(images(svg)[:, 0]), np.diff(images(svg)[:, 0])[0], atol=2 * PIXEL)


def test_the_barrier_is_measured_from_the_polar_end_to_the_number():
    svg = drawn()
    slope, _ = energy_axis(svg)
    high, low = map(float, re.match(r"M\S+ (\S+)V([\d.]+)", path_of(svg, "gauge")).groups())
    assert (high - low) * slope == pytest.approx(switching_samples.WELL, abs=2 * PIXEL * abs(slope))
    assert {"12.4 meV/atom", "0.062 eV/f.u."} <= set(words(svg))


def test_the_line_shows_no_barrier_that_no_image_has():
    energies = [3.0, 9.0, 9.1, 2.0, 14.0, 13.9, 1.0, 0.5, 0.0]
    svg = drawn(energies=energies, barrier_per_atom=14.0)
    points = images(svg)[:, 1]
    segments = re.findall(r"C(\S+) (\S+) (\S+) (\S+) (\S+) ([\d.]+)", path_of(svg, "curve"))
    assert len(segments) == 8
    for i, segment in enumerate(segments):
        low, high = sorted(points[i : i + 2])
        assert low - 2 * PIXEL <= float(segment[1]) <= high + 2 * PIXEL
        assert low - 2 * PIXEL <= float(segment[3]) <= high + 2 * PIXEL


def test_nothing_leaves_the_drawing():
    for energies in ([-5.0] * 8 + [0.0], [1e4] + [0.0] * 8, [0.0] * 9):
        svg = drawn(energies=energies, barrier_per_atom=max(0.0, max(energies)))
        width, height = map(float, svg.get("viewBox", "").split()[2:])
        assert ((images(svg) >= 0) & (images(svg) <= [width, height])).all()


def test_no_barrier_is_said():
    svg = drawn(energies=[-12.0] + [-5.0] * 7 + [0.0], barrier_per_atom=0.0)
    assert "no barrier" in words(svg)
    assert not any(one.get("class") == "gauge" for one in svg.iter("path"))


def test_it_is_told_to_who_cannot_see_it():
    svg = drawn()
    title, described = svg.find("title"), svg.find("desc")
    assert svg.get("role") == "img"
    assert svg.get("aria-labelledby") == f"{title.get('id')} {described.get('id')}"
    assert title.text == "Energy along the path from the nonpolar parent Pm-3m to the polar end P4mm"
    assert (
        "linear path, upper bound; 9 images. Barrier 12.4 meV/atom, 0.062 eV per formula unit"
        in described.text
    )


def test_ends_carry_their_groups():
    assert {"Pm3m", "nonpolar parent", "P4mm", "polar"} <= set(words(drawn()))
    bars = [one.text for one in drawn().iter("tspan") if one.get("class") == "bar"]
    assert bars == ["3"]
    assert {"Pca21", "reversed, −P", "polar, +P"} <= set(words(drawn(29, 29, **{"from": "reversed"})))
    assert "?" in words(drawn(None, 99))


def test_the_caption_says_kind_images_difference_and_arrows():
    candidate = switching_samples.candidate()
    shown = picture(candidate, scene(candidate), 1)["switching"]
    assert shown["path"].startswith(
        "Linear path, upper bound: 9 images from the nonpolar parent, highest at 0.00."
    )
    assert "Polar minus nonpolar end −12.4 meV/atom." in shown["path"]
    assert "arrows 5×" in shown["arrows"]
    assert "Largest displacement 0.109 Å (Ti)" in shown["arrows"]
    hafnia = switching_samples.hafnia()
    shown = picture(hafnia, scene(hafnia), 1)["switching"]
    assert shown["path"].startswith("NEB: 11 images from the reversed state (−P), highest at 0.50.")
    assert "from the reversed polar state" in shown["arrows"]


def test_a_collapse_is_told():
    ends = {"polar": {"spacegroup_number": 221, "converged": False, "collapsed": True}}
    candidate = switching_samples.candidate(switching_samples.details() | {"ends": ends})
    told = picture(candidate, scene(candidate), 1)["switching"]["ends"]
    assert "polar end collapsed" in told
    assert "polar end did not converge" in told


def test_who_was_not_judged_has_no_picture(known):
    assert picture(known[0], scene(known[0]), 1) == {"switching": None, "arrows": False}
