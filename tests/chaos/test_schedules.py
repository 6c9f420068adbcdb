"""Seeded bad days in virtual time: whatever fails, the state is valid after each run, and one good run converges."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.schedules import Schedule


@pytest.mark.parametrize("decade", range(6))
def test_after_ten_bad_days_everything_is_as_declared(decade: int, tmp_path: Path) -> None:
    for seed in range(decade * 10, decade * 10 + 10):
        schedule = Schedule(seed, tmp_path / str(seed))
        try:
            schedule.play()
        except Exception as error:
            error.add_note(f"seed {seed}, {schedule.file}: {schedule.told.runs}")
            raise


def test_a_seed_tells_one_story(tmp_path: Path) -> None:
    first, again = (Schedule(7, tmp_path / name) for name in ("first", "again"))

    assert first.play() == again.play()
