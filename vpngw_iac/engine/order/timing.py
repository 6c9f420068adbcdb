"""When each operation of a schedule runs, in imagined time: how long a plan takes, and from when to when. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vpngw_iac.engine.order.operation import Key, Schedule
from vpngw_iac.resources.base import Lock

Span = tuple[float, float]
"""Start and end, in seconds from the beginning of the run."""


def makespan(planned: Schedule, *, parallel: int = 8) -> float:
    """Seconds until everything is done if each operation takes its usual time, exclusive locks respected."""
    return max((end for _, end in _Simulation(planned, parallel * 8).run().values()), default=0.0)


def spans(planned: Schedule) -> Mapping[Key, Span]:
    """When each operation runs if nothing but its needs and exclusive locks holds it back."""
    return _Simulation(planned, len(planned.operations)).run()


class _Simulation:
    """List scheduling in imagined time: the operation with the longest remaining path goes first."""

    def __init__(self, planned: Schedule, at_once: int) -> None:
        self._todo = {op.key: op for op in planned.operations}
        self._order = sorted(self._todo, key=lambda key: (-planned.remaining[key], key))
        self._at_once = at_once
        self._running: dict[Key, float] = {}
        self._held: dict[str, Key] = {}
        self._done: set[Key] = set()
        self._spans: dict[Key, Span] = {}

    def run(self) -> Mapping[Key, Span]:
        now = 0.0
        while self._todo or self._running:
            self._order = [key for key in self._order if not self._start(key, now)]
            now = min(self._running.values())
            for key in [k for k, end in self._running.items() if end <= now]:
                del self._running[key]
                self._done.add(key)
                self._held = {name: holder for name, holder in self._held.items() if holder != key}
        return self._spans

    def _start(self, key: Key, now: float) -> bool:
        operation = self._todo[key]
        locks = exclusive(operation.locks)
        if not operation.after <= self._done or locks & set(self._held) or len(self._running) >= self._at_once:
            return False
        del self._todo[key]
        self._running[key] = now + operation.seconds
        self._spans[key] = (now, now + operation.seconds)
        self._held |= dict.fromkeys(locks, key)
        return True


def exclusive(locks: Iterable[Lock]) -> frozenset[str]:
    """Names of the exclusive ones."""
    return frozenset(lock.name for lock in locks if not lock.adaptive)


def expectation(seconds: float) -> str:
    """An expected time, never more exact than it is: ``under a minute``, ``about 46 min``, ``about 2 h 5 min``."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "under a minute"
    if minutes < 120:
        return f"about {minutes} min"
    return f"about {minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")
