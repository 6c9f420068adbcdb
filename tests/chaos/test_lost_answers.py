"""A lost answer at each kind of operation is recognised: the same run goes on, and nothing is sent twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.deaths import LIVES
from tests.chaos.lost_answers import lose_answer, writes_of

KINDS = {
    "creating": ("create one site", 8),
    "deleting": ("destroy one site", 4),
    "adding, removing and changing": ("add, remove, change", 4),
    "tags and updates": ("a tag and a bigger gateway", 2),
    "a key": ("another key", 1),
    "detaching, replacing and attaching": ("replace a gateway under spokes", 6),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_done_although_nobody_heard_is_not_done_again(kind: str, tmp_path: Path) -> None:
    name, count = KINDS[kind]
    life = LIVES[name]
    undisturbed = writes_of(life, tmp_path / "undisturbed")
    every = sorted(undisturbed)

    for number, write in enumerate(every[:: max(1, len(every) // count)]):
        lose_answer(life, tmp_path / str(number), write, undisturbed)
