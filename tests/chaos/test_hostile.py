"""Strange answers at every phase of every verb: one clear error at most, and a plain run ends as declared."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from tests.chaos.deaths import LIVES, Unharmed, undisturbed
from tests.chaos.hostile import BadWord
from tests.chaos.lost_answers import Writes, writes_of

CHOSEN = ("create one site", "destroy one site", "a tag alone", "another key", "add, remove, change")


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


@cache
def writes(life: str, room: Path) -> Writes:
    return writes_of(LIVES[life], room / f"writes of {life}")


@cache
def unharmed(life: str, room: Path) -> Unharmed:
    return undisturbed(LIVES[life], room / f"undisturbed {life}")


@pytest.mark.parametrize("seed", range(24))
def test_a_bad_word_costs_nothing(seed: int, room: Path) -> None:
    word = BadWord.of(seed, CHOSEN, lambda life: writes(life, room))

    word.survive(room / f"word {seed}", unharmed(word.life, room))
