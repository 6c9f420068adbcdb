"""Time of the simulated cloud, in simulated seconds since it was first opened.

Virtual time moves only when its owner moves it; scaled time follows the wall clock, faster.
"""

from __future__ import annotations

import math
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""The date at which a simulated cloud is first opened."""


def utc(moment: float) -> datetime:
    """The date of a moment in simulated seconds."""
    return EPOCH + timedelta(seconds=moment)


def stamp(moment: float) -> str:
    """A moment as Azure writes it, to the ten-millionth of a second."""
    return f"{utc(moment):%Y-%m-%dT%H:%M:%S.%f}0Z"


class Time(Protocol):
    """What the simulator asks of a clock."""

    def now(self) -> float:
        """Simulated seconds; never goes back."""
        ...

    def real_seconds(self, simulated: float) -> int:
        """How long a caller with an ordinary clock waits for that many simulated seconds to pass, at least one."""
        ...

    def spend(self, seconds: float) -> None:
        """Let the caller wait: an answer that comes late."""
        ...

    def resume(self, saved: dict[str, Any]) -> None:
        """Continue from what an earlier process saved."""
        ...

    def save(self) -> dict[str, Any]:
        """What the next process needs in order to continue."""
        ...


class VirtualTime:
    """Stands still until somebody advances it: a test, or the coordinator of a run. Safe between threads."""

    def __init__(self, start: float = 0.0) -> None:
        self._now = start
        self._lock = threading.Lock()

    def now(self) -> float:
        """Simulated seconds."""
        with self._lock:
            return self._now

    def advance(self, seconds: float) -> None:
        """Let that many seconds pass at once."""
        with self._lock:
            self._now += max(0.0, seconds)

    def spend(self, seconds: float) -> None:
        """Waiting is moving the time."""
        self.advance(seconds)

    def advance_to(self, moment: float) -> None:
        """Let time pass until `moment`; does nothing when it is already later."""
        with self._lock:
            self._now = max(self._now, moment)

    def real_seconds(self, simulated: float) -> int:
        """Nobody knows how fast virtual time goes: the same."""
        return max(1, math.ceil(simulated))

    def resume(self, saved: dict[str, Any]) -> None:
        """Never earlier than when the content was last written."""
        self.advance_to(float(saved.get("now", 0.0)))

    def save(self) -> dict[str, Any]:
        """The present moment."""
        return {"now": self.now()}


class ScaledTime:
    """The wall clock, `speed` times as fast; goes on while no process runs, as a real cloud does."""

    def __init__(self, speed: float = 60.0) -> None:
        if speed <= 0:
            raise ValueError(f"The speed of simulated time must be above 0, not {speed}.")
        self.speed = speed
        self._real = time.time()
        self._simulated = 0.0
        self._latest = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        """Simulated seconds; a wall clock that is set back makes time stand still."""
        with self._lock:
            self._latest = max(self._latest, self._simulated + (time.time() - self._real) * self.speed)
            return self._latest

    def real_seconds(self, simulated: float) -> int:
        """Whole real seconds: the unit of ``Retry-After``."""
        return max(1, math.ceil(simulated / self.speed))

    def spend(self, seconds: float) -> None:
        """Sleep for real, that much shorter."""
        time.sleep(max(0.0, seconds) / self.speed)

    def resume(self, saved: dict[str, Any]) -> None:
        """Take over the moment of the saved clock; from here on our own speed counts."""
        now = float(saved.get("now", 0.0))
        if "speed" in saved and "real" in saved:
            now += max(0.0, time.time() - float(saved["real"])) * float(saved["speed"])
        with self._lock:
            self._real, self._simulated = time.time(), max(now, self._latest)

    def save(self) -> dict[str, Any]:
        """The present moment, and how fast it moves."""
        return {"now": self.now(), "real": time.time(), "speed": self.speed}
