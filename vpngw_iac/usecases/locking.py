"""Taking the lock of a state: at once, or after waiting for whoever has it."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import field
from typing import Any

from vpngw_iac.engine.execute.clock import RealClock
from vpngw_iac.engine.execute.stop import ReadInterrupted, Stop
from vpngw_iac.engine.ports import Clock
from vpngw_iac.errors import StateLocked
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.masks import Masks
from vpngw_iac.state.journal import LoadedState, OperationClosed, Record
from vpngw_iac.state.model import State
from vpngw_iac.state.store import LockedStore, Owner, Store

_ASK_AGAIN = 2.0
_TELL_AGAIN = 60.0


def _nobody(text: str) -> None:
    del text


class RedactedStore:
    """A lock held, in whose journal no secret of the run is written, whoever said it."""

    def __init__(self, locked: LockedStore, masks: Masks) -> None:
        self._locked, self._masks = locked, masks
        self.notices = locked.notices

    def loaded(self) -> LoadedState | None:
        """See `LockedStore`."""
        return self._locked.loaded()

    def append(self, record: Record) -> Record:
        """See `LockedStore`."""
        return self.append_all([record])[0]

    def append_all(self, records: Sequence[Record]) -> list[Record]:
        """See `LockedStore`."""
        return self._locked.append_all([self._scrubbed(record) for record in records])

    def _scrubbed(self, record: Record) -> Record:
        if not isinstance(record, OperationClosed):
            return record
        said = {name: self._masks.scrub(getattr(record, name)) for name in ("code", "error", "request")}
        return record.model_copy(update=said)

    def checkpoint(self, state: State) -> None:
        """See `LockedStore`."""
        self._locked.checkpoint(state)

    def renew(self) -> None:
        """See `LockedStore`."""
        self._locked.renew()


@dataclass(frozen=True, slots=True)
class LockWait:
    """How long to wait for a lock that another run holds, and who is told about it."""

    seconds: float = 0.0
    """Real seconds, also on a simulator whose time passes faster: the other run is a real process."""
    clock: Clock = field(default_factory=RealClock)
    tell: Callable[[str], None] = _nobody
    stop: Stop = field(default_factory=Stop)

    @contextmanager
    def locked(self, store: Store, owner: Owner) -> Iterator[LockedStore]:
        """The lock; raises `StateLocked` if another run still has it when the time is over.

        Raises `ReadInterrupted` if the run is asked to stop meanwhile. Nothing under the lock is tried again.
        """
        with ExitStack() as stack:
            yield self._entered(stack, store, owner)

    def _entered(self, stack: ExitStack, store: Store, owner: Owner) -> LockedStore:
        clock = RealClock() if isinstance(self.clock, RealClock) else self.clock
        inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        give_up, told, tell_next = clock.now() + self.seconds, "", 0.0
        while True:
            try:
                return stack.enter_context(store.locked(owner))
            except StateLocked as refusal:
                left = give_up - clock.now()
                if left <= 0:
                    raise self._over(refusal) from None
                if told != refusal.message or clock.now() >= tell_next:
                    told, tell_next = refusal.message, clock.now() + _TELL_AGAIN
                    self.tell(f"{refusal.message} Waiting for it, {_minutes(left)} at most.")
            if self._waited(clock, inbox, min(_ASK_AGAIN, left)):
                raise ReadInterrupted

    def _waited(self, clock: Clock, inbox: queue.SimpleQueue[Any], seconds: float) -> bool:
        self.stop.wakes(inbox)
        clock.next(inbox, seconds, calls_in_flight=0)
        return self.stop.asked

    def _over(self, refusal: StateLocked) -> StateLocked:
        if not self.seconds:
            return refusal
        told = f"{refusal.message} It was waited for, {_minutes(self.seconds)}."
        return StateLocked(told, advice=refusal.advice)


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
