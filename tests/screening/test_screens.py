"""The table of screens: every name loads, is a Screen, and says its name."""

import subprocess
import sys

import pytest
from hysteron.core.contracts import Screen
from hysteron.core.registry import load
from hysteron.core.settings import Settings
from hysteron.screening import SCREENS


@pytest.mark.parametrize("name", SCREENS)
def test_each_screen_by_name(name):
    component = load(name, SCREENS, "hysteron.screens")
    screen = component(component.config_model())
    assert isinstance(screen, Screen)
    assert screen.name == name
    assert issubclass(component.config_model, Settings)


def test_listing_the_screens_loads_nothing_heavy():
    code = (
        "import sys, hysteron.screening\n"
        "heavy = {'torch', 'pymatgen', 'spglib', 'scipy', 'smact', 'pandas'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
