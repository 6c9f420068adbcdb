"""What a run does next when there is room for some of it: who goes first, who waits, and until when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from tests.worlds import rid
from vpngw_iac.engine.execute.step_queue import SHORTEST_PAUSE, StepQueue
from vpngw_iac.engine.order.operation import Key, Operation
from vpngw_iac.engine.ports import Quota


class Room:
    """A cloud that has room for so many calls of each kind, and says how long it takes until there is more."""

    def __init__(self, wait: float = 0.25, **left: int) -> None:
        self.left, self.wait = Counter(left), wait

    def room(self, _subscription: str, calls: Mapping[Quota, int]) -> float:
        if any(self.left[kind] < count for kind, count in calls.items()):
            return self.wait
        self.left.subtract(calls)
        return 0.0


def operation(name: str, verb: Any = "put") -> Operation:
    identity = rid("localNetworkGateways", name)
    return Operation(Key(name, "delete" if verb == "delete" else "put"), identity, verb, "create", "sdk")


def queue(room: Room, **remaining: float) -> StepQueue:
    return StepQueue(room, {Key(name, "put"): seconds for name, seconds in remaining.items()})  # type: ignore[arg-type]


def taken(steps: StepQueue, now: float = 0.0) -> list[str]:
    return [f"{phase} {key.address}" for key, phase in steps.take(now)]


def test_what_has_the_longest_path_behind_it_goes_first_when_there_is_not_room_for_all() -> None:
    room = Room(reads=2, writes=9)
    steps = queue(room, site=15, gateway=1100, network=1200)
    for name in ("site", "gateway", "network"):
        steps.put(operation(name), "prepare")

    assert taken(steps) == ["prepare network", "prepare gateway"]
    assert steps.next_moment() == SHORTEST_PAUSE
    room.left["reads"] = 9
    assert taken(steps, SHORTEST_PAUSE) == ["prepare site"]
    assert steps.next_moment() is None


def test_of_equals_who_came_first_goes_first() -> None:
    steps = queue(Room(reads=9, writes=9))
    for name in ("b", "a", "c"):
        steps.put(operation(name), "prepare")

    assert taken(steps) == ["prepare b", "prepare a", "prepare c"]


def test_who_waits_for_room_to_write_keeps_nobody_from_reading_or_deleting() -> None:
    steps = queue(Room(wait=7.0, reads=9, writes=0, deletes=1), urgent=99)
    steps.put(operation("urgent"), "prepare")
    steps.put(operation("running"), "poll")
    steps.put(operation("going", "delete"), "prepare")

    assert taken(steps) == ["poll running", "prepare going"]
    assert steps.next_moment() == 7.0


def test_a_step_waits_for_its_moment() -> None:
    steps = queue(Room(reads=9, writes=9))
    steps.put(operation("late"), "poll", 60.0)
    steps.put(operation("soon"), "poll", 10.0)

    assert taken(steps, 9.0) == []
    assert steps.next_moment() == 10.0
    assert taken(steps, 10.0) == ["poll soon"]
    assert taken(steps, 60.0) == ["poll late"]


def test_of_one_operation_only_the_latest_step_counts_and_is_made_once() -> None:
    room = Room(reads=9, writes=9)
    steps = queue(room)
    steps.put(operation("one"), "prepare", 60.0)
    steps.put(operation("one"), "prepare")

    assert taken(steps) == ["prepare one"]
    assert steps.next_moment() is None
    assert taken(steps, 60.0) == []
    assert room.left == {"reads": 8, "writes": 8}, "what counts no more spends nothing"
