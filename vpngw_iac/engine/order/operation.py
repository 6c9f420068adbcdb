"""One call to Azure, decided and ordered, as a value; the schedule of all of them, and when each runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.ports import Verb
from vpngw_iac.resources.base import OperationLock

Step = Literal["put", "delete", "act", "tag", "detach", "attach", "sync", "release"]
"""What this operation is for.

``detach`` and ``attach`` are puts of a holder without and with its reference; ``sync`` is the put with which a peering
takes over what the other network has become; ``release`` is the put that switches off what is forgotten afterwards.
"""


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

_AT_ONCE = 64
"""Operations that a run of ordinary width has going at a time."""


@dataclass(frozen=True)
class Schedule:
    """Operations in a legal order, with their waves, and when each of them runs."""

    operations: tuple[Operation, ...] = ()
    waves: dict[Key, int] = field(default_factory=dict)
    """Earliest parallel step of each operation, from 1."""
    remaining: dict[Key, float] = field(default_factory=dict)
    """Seconds of the longest path that starts with the operation, itself included; exclusive locks left aside."""

    @cached_property
    def _spans(self) -> Mapping[Key, Span]:
        return _Simulation(self, _AT_ONCE).run()

    @property
    def seconds(self) -> float:
        """Until everything is done if each operation takes its usual time; exclusive locks are respected."""
        return max((end for _, end in self._spans.values()), default=0.0)

    @cached_property
    def critical_path(self) -> tuple[Key, ...]:
        """The operations that decide how long it takes: each waits for the one before, or for its exclusive lock."""
        known = {operation.key: operation for operation in self.operations}
        spans, path = self._spans, list[Key]()
        step = max(known, key=lambda key: (spans[key][1], key), default=None)
        while step is not None:
            path.append(step)
            locks = exclusive(known[step].locks)
            waited = (
                key
                for key, operation in known.items()
                if spans[key][1] == spans[path[-1]][0]
                and key not in path
                and (key in known[path[-1]].after or exclusive(operation.locks) & locks)
            )
            step = max(waited, default=None)
        return tuple(reversed(path))


# --- when each operation runs, in imagined time -----------------------------------------------------------------------


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


def exclusive(locks: Iterable[OperationLock]) -> frozenset[str]:
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
