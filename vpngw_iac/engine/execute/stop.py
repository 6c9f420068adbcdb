"""How a run is asked to stop: gently (start nothing more) or at once; and when it leaves."""

from __future__ import annotations

import copy
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from vpngw_iac.late_dataclass import dataclass

Reason = Literal["interrupted", "terminated"]


GRACE = 10.0
"""Seconds that running HTTP calls get after the first Ctrl-C."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When to leave although Azure is still at work."""

    detach: bool = False
    """Start what can start, and leave."""
    deadline: float | None = None
    """Clock time after which the run leaves."""

    def are_over(self, now: float) -> bool:
        """Whether the deadline has passed."""
        return self.deadline is not None and now >= self.deadline


class ReadInterrupted(KeyboardInterrupt):
    """Ends a section that only reads: a call that hangs is not waited for."""


class Stop:
    """Shared between a signal handler and the coordinating thread."""

    def __init__(self, grace: float = GRACE) -> None:
        """`grace` is how many seconds running calls get before the run leaves."""
        self.grace = grace
        self._asked = threading.Event()
        self._now = threading.Event()
        self._bells: list[queue.SimpleQueue[Any]] = []
        self._reading = False
        self._reasons: list[Reason] = []

    def follower(self) -> Stop:
        """For one of several runs that are asked to stop together, each in a thread of its own.

        No signal interrupts what such a run reads: that is waited for.
        """
        other = copy.copy(self)
        other._reading = False
        return other

    @property
    def reason(self) -> Literal["", "interrupted", "terminated"]:
        """Why it was asked first."""
        return self._reasons[0] if self._reasons else ""

    @contextmanager
    def ends(self) -> Iterator[None]:
        """A section of the main thread that only reads: a request to stop ends it with `ReadInterrupted`."""
        before, self._reading = self._reading, True
        try:
            if self.asked:
                raise ReadInterrupted
            yield
        finally:
            self._reading = before

    @property
    def may_interrupt(self) -> bool:
        """Whether a signal handler may raise `ReadInterrupted` now: nothing is lost by it."""
        return self._reading

    def wakes(self, inbox: queue.SimpleQueue[Any]) -> None:
        """Put None into `inbox` when asked: who waits there looks up at once. Safe in a signal handler."""
        self._bells.append(inbox)
        if self.asked:
            inbox.put(None)

    def request(self, reason: Reason = "interrupted") -> None:
        """Start nothing more; running calls get some seconds, then journal and lock are closed."""
        self._reasons.append(reason)
        self._asked.set()
        for inbox in self._bells:
            inbox.put(None)

    def now(self) -> None:
        """Leave at once."""
        self.request()
        self._now.set()

    @property
    def asked(self) -> bool:
        """Whether to start nothing more."""
        return self._asked.is_set()

    @property
    def immediate(self) -> bool:
        """Whether to leave without waiting for running calls."""
        return self._now.is_set()
