"""What several tests of bad days share: a served simulator, and a launcher of processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.deaths import ENVIRONMENT
from tests.chaos.processes import Launcher, Served


@pytest.fixture(scope="session")
def launcher() -> Iterator[Launcher]:
    started = Launcher()
    yield started
    started.close()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A cloud in which a gateway takes a fraction of a second."""
    started = Served.start(tmp_path_factory.mktemp("cloud"), speed=20_000)
    yield started
    started.close()


@pytest.fixture(autouse=True)
def example_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
