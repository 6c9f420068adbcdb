"""What a run does next: each step at its time, and when the subscription's quota has room for its calls.

A cloud refuses whoever asks too often, and then everybody in the subscription (R-LIM-04). So steps that are due wait
here until there is room; of those that wait, the one with the longest path behind it goes first.
"""

from __future__ import annotations

import heapq
import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping

from vpngw_iac.engine.execute.retry import Phase
from vpngw_iac.engine.order.operation import Key, Operation
from vpngw_iac.engine.ports import Cloud, Quota

SHORTEST_PAUSE = 1.0
"""Seconds after which we look again for room: what has gathered by then is begun in one turn."""

_Waiting = tuple[float, int, Operation, Phase]
"""Seconds of the path behind it, negative; which came first; and what it is."""


class StepQueue:
    """The steps of one run. Used by the coordinating thread only; of each operation at most one step waits."""

    def __init__(self, cloud: Cloud, remaining: Mapping[Key, float]) -> None:
        self._cloud, self._remaining = cloud, remaining
        self._count = itertools.count()
        self._timed: list[tuple[float, int, Operation, Phase]] = []
        self._due: dict[tuple[str, str], list[_Waiting]] = defaultdict(list)
        """By subscription and by what is spent: who waits for room to write keeps nobody from reading."""
        self._latest: dict[Key, int] = {}
        self._room_at: float | None = None

    def put(self, operation: Operation, phase: Phase, moment: float = 0.0) -> None:
        """A step to be made from this moment on, in place of what the operation waited for before."""
        number = self._latest[operation.key] = next(self._count)
        heapq.heappush(self._timed, (moment, number, operation, phase))

    def drop(self, key: Key) -> None:
        """The operation waits for nothing here any more."""
        self._latest.pop(key, None)

    def take(self, now: float) -> Iterator[tuple[Key, Phase]]:
        """The steps that can be made now; the room for their calls is spent."""
        while self._timed and self._timed[0][0] <= now:
            _, number, operation, phase = heapq.heappop(self._timed)
            path = -self._remaining.get(operation.key, 0.0)
            lane = self._due[operation.id.subscription.lower(), " ".join(_cost(operation, phase))]
            heapq.heappush(lane, (path, number, operation, phase))
        self._room_at = None
        lanes = [lane for lane in self._due.values() if lane]
        while lanes:
            lane = min(lanes, key=lambda each: each[0][:2])
            _, number, operation, phase = lane[0]
            current = self._latest.get(operation.key) == number
            if current and (wait := self._wait(operation, phase)) > 0:
                moment = now + max(wait, SHORTEST_PAUSE)
                self._room_at = min(moment, self._room_at or moment)
                lanes.remove(lane)
                continue
            heapq.heappop(lane)
            if not lane:
                lanes.remove(lane)
            if current:
                self.drop(operation.key)
                yield operation.key, phase

    def next_moment(self) -> float | None:
        """When to look again; None if nothing waits."""
        while self._timed and self._latest.get(self._timed[0][2].key) != self._timed[0][1]:
            heapq.heappop(self._timed)
        moments = [self._timed[0][0]] if self._timed else []
        if self._room_at is not None:
            moments.append(self._room_at)
        return min(moments, default=None)

    def _wait(self, operation: Operation, phase: Phase) -> float:
        return self._cloud.room(operation.id.subscription, _cost(operation, phase))


def _cost(operation: Operation, phase: Phase) -> Mapping[Quota, int]:
    """A look before the write and the write itself; or a look at the operation and one at the resource."""
    if phase == "prepare":
        return {"reads": 1, "deletes" if operation.verb == "delete" else "writes": 1}
    return {"reads": 2}
