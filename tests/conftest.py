"""What every test may use."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("nettwin", derandomize=True, deadline=None, max_examples=60)
# pytest --hypothesis-profile=thorough searches longer and elsewhere each time
settings.register_profile("thorough", deadline=None, max_examples=2000)
settings.load_profile("nettwin")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of data made by others, beside the project; the test is skipped without it."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the data made by others in ../shared/data, which is not here")
    return folder
