"""Two operators at once: one works, the other gets exit code 7 and the first one's name."""

from __future__ import annotations

from pathlib import Path

from tests.azure.azurite import ACCOUNT_KEY, running_azurite
from tests.chaos.processes import Launcher, Served
from tests.chaos.races import Race

ROUNDS = 3


def compete(race: Race) -> None:
    for _ in range(ROUNDS):
        assert race.race() in ("ada", "bob")


def survive(race: Race) -> None:
    """On a disk the lock dies with its holder."""
    compete(race)
    race.die_with_the_lock()
    waited, told = race.succeed(patience=30)
    assert len(told) == 1, f"nothing blocks, and yet it took {waited} s: {told}"


def test_of_two_operators_one_works_and_the_other_is_told_who_does(
    served: Served, launcher: Launcher, tmp_path: Path
) -> None:
    survive(Race(served, launcher, tmp_path / "files"))


def test_on_azure_storage_too(served: Served, launcher: Launcher, tmp_path: Path) -> None:
    with running_azurite() as azurite:
        key = {"AZURE_STORAGE_KEY": ACCOUNT_KEY}

        compete(Race(served, launcher, tmp_path / "blobs", azurite.url(azurite.new_container()), key))
