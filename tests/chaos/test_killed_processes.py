"""kill -9 of real processes against a served simulator: one more run, and everything is there exactly once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.chaos.processes import Launcher, Operator, Point, Served, kill_and_go_on, points, side_by_side

PLAN = [
    ("one_site.py", "apply", 6.0),
    ("multi_site.py", "apply", 6.0),
    ("one_site.py", "destroy", 7.0),
    ("vnet_to_vnet.py", "apply", 6.0),
]


def test_a_run_that_is_killed_anywhere_is_finished_by_the_next_one(
    tmp_path: Path, served: Served, launcher: Launcher
) -> None:
    def life(name: str, point: Point) -> Callable[[], str]:
        (tmp_path / name).mkdir()
        return lambda: kill_and_go_on(point, Operator(served, launcher, tmp_path / name))

    chosen = {f"{n}-{p.command}": p for n, p in enumerate(points(seed=4, count=12, plan=PLAN))}

    ends = side_by_side({name: life(name, point) for name, point in chosen.items()})

    assert Counter(ends.values())["killed"] >= 8
