"""One torch thread in these tests: on matrices this small, more threads only wait for each other."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def one_torch_thread():
    import torch

    torch.set_num_threads(1)
