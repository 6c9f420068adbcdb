"""Clocks: real time, real time made faster for the simulator, and virtual time for tests."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

Message = TypeVar("Message")

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""Time of day at second zero of virtual time."""


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def received(inbox: queue.SimpleQueue[Message], seconds: float) -> Message:
    """The next message, waited for at most so many real seconds; `queue.Empty` if there is none.

    Looked is without waiting first: a queue of CPython 3.11 that nobody has looked into since its last message waits
    for ever once a time is over before it begins to wait (_queuemodule.c: what is left of the time is negative then,
    which means no end).
    """
    with suppress(queue.Empty):
        return inbox.get_nowait()
    if seconds <= 0:
        raise queue.Empty
    return inbox.get(timeout=seconds)


class RealClock:
    """Real time. `speed` makes simulated seconds pass faster: at 60 a simulated minute takes a real second."""

    def __init__(self, speed: float = 1.0) -> None:
        if speed <= 0:
            raise ValueError("speed must be positive")
        self.speed = speed

    def now(self) -> float:
        """Monotonic seconds, in (perhaps faster) time."""
        return time.monotonic() * self.speed

    def utc(self) -> str:
        """Time of day, always real."""
        return _iso(datetime.now(UTC))

    def next(self, inbox: queue.SimpleQueue[Any], seconds: float | None, *, calls_in_flight: int) -> Any | None:
        """The next message; waits at most half a real second at a time so that signals are heard."""
        del calls_in_flight
        deadline = None if seconds is None else time.monotonic() + max(0.0, seconds) / self.speed
        while True:
            rest = 0.5 if deadline is None else min(0.5, deadline - time.monotonic())
            with suppress(queue.Empty):
                return received(inbox, rest)
            if rest <= 0:
                return None

    def sleep(self, seconds: float) -> None:
        """Wait in the calling thread."""
        time.sleep(max(0.0, seconds) / self.speed)


class VirtualClock:
    """Time that jumps: it advances when its owner waits and no call is in flight. For tests; thread-safe."""

    speed = 1.0

    def __init__(self, start: float = 0.0) -> None:
        self._now = start
        self._guard = threading.Lock()
        self._listeners: list[Callable[[float], None]] = []

    def now(self) -> float:
        """Virtual seconds."""
        return self._now

    def utc(self) -> str:
        """Time of day in virtual time."""
        return _iso(EPOCH + timedelta(seconds=self._now))

    def on_advance(self, listener: Callable[[float], None]) -> None:
        """Tell `listener` the new time after each jump (faults that happen at a time)."""
        self._listeners.append(listener)

    def next(self, inbox: queue.SimpleQueue[Any], seconds: float | None, *, calls_in_flight: int) -> Any | None:
        """The next message; jumps `seconds` ahead only when nothing is in flight."""
        if calls_in_flight:
            return inbox.get()
        try:
            return inbox.get_nowait()
        except queue.Empty:
            self.advance(seconds or 0.0)
            return None

    def sleep(self, seconds: float) -> None:
        """Jump ahead."""
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Jump ahead by `seconds`."""
        with self._guard:
            self._now += max(0.0, seconds)
            moment = self._now
        for listener in tuple(self._listeners):
            listener(moment)
