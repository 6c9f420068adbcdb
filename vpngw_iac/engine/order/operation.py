"""One call to Azure, decided and ordered, as a value; the schedule of all of them, and when each runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from heapq import heappop, heappush
from typing import Literal, NamedTuple, get_args

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.order.locks import FIRST_LIMIT, LockTable
from vpngw_iac.engine.ports import Verb
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources.base import OperationLock

Step = Literal["put", "delete", "act", "tag", "detach", "attach", "sync", "release"]
"""What this operation is for.

``detach`` and ``attach`` are puts of a holder without and with its reference; ``sync`` is the put with which a peering
takes over what the other network has become; ``release`` is the put that switches off what is forgotten afterwards.
"""
STEPS: tuple[Step, ...] = get_args(Step)


class Key(NamedTuple):
    """Operations are known by address and step."""

    address: str
    step: Step

    def __str__(self) -> str:
        return self.address if self.step == "put" else f"{self.address} ({self.step})"


@dataclass(frozen=True, slots=True)
class Operation:
    """A decided call: what, in which order, under which locks, how long it usually takes."""

    key: Key
    id: ArmId
    verb: Verb
    kind: Literal["create", "update", "delete", "act", "tag"]
    sdk: str
    """The call a person would write: ``network.virtual_network_gateways.begin_create_or_update``."""
    after: frozenset[Key] = frozenset()
    locks: tuple[OperationLock, ...] = ()
    seconds: float = 0.0
    detach: tuple[str, ...] = ()
    """Paths of the references that this put takes off (``detach``)."""

    @property
    def address(self) -> str:
        """Address of the resource."""
        return self.key.address


Span = tuple[float, float]
"""Start and end, in seconds from the beginning of the run."""


@dataclass(frozen=True)
class Schedule:
    """Operations in a legal order, with their waves, and when each of them runs."""

    operations: tuple[Operation, ...] = ()
    waves: dict[Key, int] = field(default_factory=dict)
    """Earliest parallel step of each operation, from 1."""
    remaining: dict[Key, float] = field(default_factory=dict)
    """Seconds of the longest path that starts with the operation, itself included; locks left aside."""

    @cached_property
    def _spans(self) -> Mapping[Key, Span]:
        return _Imagined(self, {op.key: op.locks for op in self.operations}).run()

    @property
    def seconds(self) -> float:
        """Until everything is done if each operation takes its usual time; all locks are respected, as in a run."""
        return max((end for _, end in self._spans.values()), default=0.0)

    @cached_property
    def critical_path(self) -> tuple[Key, ...]:
        """The operations that decide how long it takes: each waits for the one before, or for a lock of it."""
        known = {operation.key: operation for operation in self.operations}
        spans, path = self._spans, list[Key]()
        step = max(known, key=lambda key: (spans[key][1], key), default=None)
        while step is not None:
            path.append(step)
            locks = _names(known[step].locks)
            waited = (
                key
                for key, operation in known.items()
                if spans[key][1] == spans[path[-1]][0]
                and key not in path
                and (key in known[path[-1]].after or _names(operation.locks) & locks)
            )
            step = max(waited, default=None)
        return tuple(reversed(path))


def followers_of(operations: Iterable[Operation]) -> Mapping[Key, list[Key]]:
    """Who waits for each operation directly."""
    followers: dict[Key, list[Key]] = defaultdict(list)
    for operation in operations:
        for earlier in operation.after:
            followers[earlier].append(operation.key)
    return followers


# --- when each operation runs, in imagined time -----------------------------------------------------------------------


def spans(planned: Schedule) -> Mapping[Key, Span]:
    """When each operation runs if nothing but its needs and exclusive locks holds it back."""
    return _Imagined(planned, {op.key: [k for k in op.locks if not k.adaptive] for op in planned.operations}).run()


BEARS = FIRST_LIMIT
"""So many writes to one gateway are imagined at a time. Azure refuses what is too many (R-OPS-02), and nobody says how
many that are: the announced time supposes as many as a run begins with, and a run that may do more ends earlier."""


class _Imagined:
    """List scheduling in imagined time: of what is ready, the operation with the longest remaining path goes first.

    Nobody looks at an operation before all that it waits for has ended, or again before a lock that it wants is free.
    """

    def __init__(self, planned: Schedule, locks: Mapping[Key, Sequence[OperationLock]]) -> None:
        self._planned, self._wanted, self._locks = planned, locks, LockTable(bears=BEARS)
        self._seconds = {op.key: op.seconds for op in planned.operations}
        self._missing = {op.key: len(op.after) for op in planned.operations}
        self._followers = followers_of(planned.operations)
        self._parked: dict[str, set[Key]] = defaultdict(set)
        self._ready: list[tuple[float, Key]] = []
        self._running: list[tuple[float, Key]] = []
        self._spans: dict[Key, Span] = {}

    def run(self) -> Mapping[Key, Span]:
        self._look_at(key for key, count in self._missing.items() if not count)
        now = 0.0
        while self._ready or self._running:
            while self._ready:
                self._start(heappop(self._ready)[1], now)
            now = self._running[0][0] if self._running else now
            while self._running and self._running[0][0] <= now:
                self._end(heappop(self._running)[1])
        return self._spans

    def _look_at(self, keys: Iterable[Key]) -> None:
        for key in keys:
            heappush(self._ready, (-self._planned.remaining[key], key))

    def _start(self, key: Key, now: float) -> None:
        wanted = self._wanted[key]
        if key in self._spans:  # it waited for two locks
            return
        if self._locks.blocked_by(key, wanted):
            for lock in wanted:
                self._parked[lock.name].add(key)
            return
        self._locks.take(key, wanted)
        self._spans[key] = (now, now + self._seconds[key])
        heappush(self._running, (self._spans[key][1], key))

    def _end(self, key: Key) -> None:
        self._locks.succeeded(key)
        for lock in self._locks.give(key):
            self._look_at(self._parked.pop(lock.name, ()))
        followers = self._followers.get(key, ())
        for other in followers:
            self._missing[other] -= 1
        self._look_at(other for other in followers if not self._missing[other])


def _names(locks: Iterable[OperationLock]) -> frozenset[str]:
    return frozenset(lock.name for lock in locks)


def expectation(seconds: float) -> str:
    """An expected time, never more exact than it is: ``under a minute``, ``about 46 min``, ``about 2 h 5 min``."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "under a minute"
    if minutes < 120:
        return f"about {minutes} min"
    return f"about {minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")
