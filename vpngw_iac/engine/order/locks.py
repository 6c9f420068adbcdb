"""Who may run beside whom: exclusive locks, and adaptive ones that let as many run as Azure bears.

Under one name, who holds it exclusively (a gateway's own write) excludes those who share it (its connections).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from vpngw_iac.engine.order.operation import Key
from vpngw_iac.resources.base import OperationLock

FIRST_LIMIT = 4
"""How many operations an adaptive lock lets run at first."""


@dataclass(slots=True)
class _Adaptive:
    limit: int = FIRST_LIMIT
    running: set[Key] = field(default_factory=set)
    crowded: set[Key] = field(default_factory=set)
    """Operations that ran beside others: a late failure of theirs may be contention."""


class LockTable:
    """The locks of one run. Used by the coordinating thread only."""

    def __init__(self) -> None:
        self._exclusive: dict[str, Key] = {}
        self._adaptive: dict[str, _Adaptive] = {}

    def blocked_by(self, key: Key, locks: Iterable[OperationLock]) -> str:
        """Why an operation cannot start now; empty if it can."""
        for lock in locks:
            if lock.adaptive:
                state = self._adaptive.setdefault(lock.name, _Adaptive())
                if len(state.running) >= state.limit:
                    return f"{len(state.running)} operations on the same gateway"
            elif lock.name in self._adaptive and (others := self._adaptive[lock.name].running - {key}):
                return f"{min(others)} on the same gateway"
            if (holder := self._exclusive.get(lock.name)) not in (None, key):
                return f"{holder} to finish"
        return ""

    def take(self, key: Key, locks: Iterable[OperationLock]) -> None:
        """Hold the locks."""
        for lock in locks:
            if lock.adaptive:
                state = self._adaptive.setdefault(lock.name, _Adaptive())
                state.running.add(key)
                if len(state.running) > 1:
                    state.crowded |= state.running
            else:
                self._exclusive[lock.name] = key

    def give(self, key: Key) -> None:
        """Release everything an operation holds."""
        self._exclusive = {name: holder for name, holder in self._exclusive.items() if holder != key}
        for state in self._adaptive.values():
            state.running.discard(key)

    def refused(self, key: Key) -> None:
        """Azure said "another operation is in progress": let half as many run."""
        for state in self._adaptive.values():
            if key in state.running:
                state.limit = max(1, min(state.limit, len(state.running)) // 2)

    def succeeded(self, key: Key) -> None:
        """It went well: let one more run."""
        for state in self._adaptive.values():
            if key in state.running:
                state.limit += 1

    def was_crowded(self, key: Key) -> bool:
        """Whether it ran beside a sibling; told once."""
        crowds = [state for state in self._adaptive.values() if key in state.crowded]
        for state in crowds:
            state.crowded.discard(key)
        return bool(crowds)
