"""A process dies before, in the middle of or after a durable step: the next run goes on as if nothing had happened.

`benchmarks/chaos.py` does this for every step of every life; here is a seeded choice of each.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.chaos.deaths import GAPS, LIVES, die_and_go_on, undisturbed

DEATHS = {
    "create one site": 8,
    "destroy one site": 3,
    "replace a gateway under spokes": 3,
    "a tag and a bigger gateway": 2,
    "another key": 2,
    "another RADIUS secret that nobody tells": 3,
    "move": 3,
    "adopt everything": 3,
    "take over from the former name": 4,
}


@pytest.mark.parametrize("name", DEATHS)
def test_whoever_dies_anywhere_is_continued_and_nothing_is_done_twice(name: str, tmp_path: Path) -> None:
    life, dice = LIVES[name], random.Random(name)
    unharmed = undisturbed(life, tmp_path / "unharmed")

    for step in dice.sample(range(1, unharmed.steps + 1), DEATHS[name]):
        die_and_go_on(life, tmp_path / str(step), step, dice.choice(GAPS), unharmed)
