"""Tests of faults on real processes (see world.py)."""
import os

import pytest

import world


@pytest.fixture(scope="session", autouse=True)
def no_leftovers_of_killed_runs():
    if os.geteuid() != 0:
        pytest.skip("the tests of faults need root")
    world.sweep()
    yield
