"""A storage service on this machine, and a harness whose state may lie there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.azure.azurite import ACCOUNT_KEY, Azurite, running_azurite
from tests.workspace.conftest import Harness


@pytest.fixture(scope="module")
def azurite() -> Iterator[Azurite]:
    """Azurite, with the states of one module."""
    with running_azurite() as server:
        yield server


@pytest.fixture
def container(azurite: Azurite) -> str:
    """The name of an empty container."""
    return azurite.new_container()


@pytest.fixture
def harness(tmp_path: Path) -> Harness:
    """A harness that knows the key of the account."""
    harness = Harness(tmp_path)
    harness.environment |= {"AZURE_STORAGE_KEY": ACCOUNT_KEY}
    return harness
