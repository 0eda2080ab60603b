"""What the tests share. ISOGRAM_COMMAND names the command to compare with; ISOGRAM_WHEEL_ROOT the source to make a wheel of."""
import os

import numpy as np
import pytest

import isogram


@pytest.fixture
def random():
    return np.random.default_rng(20240229)


@pytest.fixture(scope="session")
def command():
    path = os.environ.get("ISOGRAM_COMMAND")
    if not path:
        pytest.skip("ISOGRAM_COMMAND is not set")
    return path


def pytest_report_header():
    return f"isogram {isogram.__version__} on {', '.join(map(str, isogram.devices())) or 'no device'}"
