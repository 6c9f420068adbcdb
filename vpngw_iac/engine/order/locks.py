"""Who may run beside whom: exclusive locks, and adaptive ones that let as many run as Azure bears.

Under one name, who holds it exclusively (a gateway's own write) excludes those who share it (its connections).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import field
from typing import TYPE_CHECKING

from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources.base import OperationLock

if TYPE_CHECKING:
    from vpngw_iac.engine.order.operation import Key

FIRST_LIMIT = 4
"""How many operations an adaptive lock lets run at first."""

REMEMBERED = 4
"""Full rounds for which a lock does not try again what was refused."""

BESIDE = "other operations on the same gateway"
"""What those wait for that an adaptive lock does not let run now; the number changes, the cause does not."""


@dataclass(slots=True)
class _Adaptive:
    limit: int = FIRST_LIMIT
    """Twice as many after a full round without refusal, half as many after a refusal."""
    went_well: int = 0
    """Operations that succeeded since the round began."""
    borne: int | None = None
    """How many ran while Azure refused one more: no more are tried for some rounds."""
    rounds: int = 0
    """Full rounds since then."""
    running: set[Key] = field(default_factory=set)
    turned_away: set[Key] = field(default_factory=set)
    """Those that hold the lock and were refused; they wait for their next try."""
    before: set[Key] = field(default_factory=set)
    """Those that were under way when the limit was halved last: that they are refused too is the same refusal."""
    crowded: set[Key] = field(default_factory=set)
    """Operations that ran beside others: a late failure of theirs may be contention."""


class LockTable:
    """The locks of one run, or of an imagined one. Used by the coordinating thread only."""

    def __init__(self, *, bears: int | None = None) -> None:
        """`bears`: no more run under an adaptive lock, however well it goes; for imagined runs."""
        self._bears = bears
        self._exclusive: dict[str, Key] = {}
        self._adaptive: dict[str, _Adaptive] = {}
        self._held: dict[Key, tuple[OperationLock, ...]] = {}

    def blocked_by(self, key: Key, locks: Iterable[OperationLock]) -> str:
        """Why an operation cannot start now; empty if it can."""
        for lock in locks:
            state = self._adaptive.get(lock.name)
            if state is not None and (self._is_full(state) if lock.adaptive else state.running - {key}):
                return BESIDE
            if (holder := self._exclusive.get(lock.name)) not in (None, key):
                return f"{holder} to finish"
        return ""

    def _is_full(self, state: _Adaptive) -> bool:
        return len(state.running) >= min(state.limit, self._bears or state.limit)

    def take(self, key: Key, locks: Iterable[OperationLock]) -> None:
        """Hold the locks."""
        self._held[key] = tuple(locks)
        for lock in self._held[key]:
            if lock.adaptive:
                state = self._adaptive.setdefault(lock.name, _Adaptive())
                state.running.add(key)
                if len(state.running) > 1:
                    state.crowded |= state.running
            else:
                self._exclusive[lock.name] = key

    def give(self, key: Key) -> tuple[OperationLock, ...]:
        """Release everything an operation holds; returns what that was."""
        held = self._held.pop(key, ())
        for lock in held:
            if lock.adaptive:
                state = self._adaptive[lock.name]
                for keys in (state.running, state.turned_away, state.before):
                    keys.discard(key)
            elif self._exclusive.get(lock.name) == key:
                del self._exclusive[lock.name]
        return held

    def refused(self, key: Key) -> bool:
        """Azure said "another operation is in progress": let half as many run, and no more than it bears.

        All that were sent together are one refusal. Returns whether siblings run for whose end it can wait.
        """
        siblings = 0
        for state in self._shared_by(key):
            state.turned_away.add(key)
            running = len(state.running - state.turned_away)
            if key not in state.before:
                state.limit = max(1, min(state.limit, len(state.running)) // 2)
                state.went_well, state.before = 0, state.running - {key}
            state.before.discard(key)
            if running:
                state.borne, state.rounds = min(running, state.borne or running), 0
                state.limit = min(state.limit, state.borne)
            siblings += running
        return siblings > 0

    def next_turned_away(self, lock: OperationLock) -> Key | None:
        """Who of those that were refused has its next turn, now that somebody gave the lock back."""
        state = self._adaptive.get(lock.name) if lock.adaptive else None
        return min(state.turned_away, default=None) if state is not None else None

    def tries_again(self, key: Key) -> None:
        """It was refused and is tried once more."""
        for state in self._shared_by(key):
            state.turned_away.discard(key)

    def succeeded(self, key: Key) -> None:
        """It went well; after as many as may run at once, let twice as many run, as far as Azure bears it."""
        for state in self._shared_by(key):
            state.went_well += 1
            if state.went_well < state.limit:
                continue
            state.went_well, state.rounds = 0, state.rounds + 1
            if state.rounds >= REMEMBERED:
                state.borne = None
            state.limit = min(2 * state.limit, state.borne or 2 * state.limit)

    def was_crowded(self, key: Key) -> bool:
        """Whether it ran beside a sibling; told once."""
        crowds = [state for state in self._shared_by(key) if key in state.crowded]
        for state in crowds:
            state.crowded.discard(key)
        return bool(crowds)

    def _shared_by(self, key: Key) -> Iterator[_Adaptive]:
        """The adaptive locks that an operation holds."""
        return (self._adaptive[lock.name] for lock in self._held.get(key, ()) if lock.adaptive)
