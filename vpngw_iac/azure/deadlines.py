"""Things to do at a time, unless they are called off before: one thread for all of them, not one for each.

A run of a thousand sites makes ten thousand calls, each of which has two ends that are called off nearly always.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable


class Deadline:
    """One of them. Safe to call off from any thread, also after its time."""

    __slots__ = ("due",)

    def __init__(self, due: Callable[[], None]) -> None:
        self.due: Callable[[], None] | None = due

    def cancel(self) -> None:
        """It is not done any more; what it would have used is let go."""
        self.due = None


class Deadlines:
    """Does what is due from a thread of its own, which begins with the first and keeps nobody from leaving."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Deadline]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def after(self, seconds: float, due: Callable[[], None]) -> Deadline:
        """Do something after so many seconds, unless it is cancelled before."""
        deadline = Deadline(due)
        with self._changed:
            self._drop_cancelled()
            heapq.heappush(self._heap, (time.monotonic() + seconds, next(self._numbers), deadline))
            if self._thread is None or not self._thread.is_alive():  # a forked process has no threads
                self._thread = threading.Thread(target=self._run, name="vpngw-deadlines", daemon=True)
                self._thread.start()
            elif self._heap[0][2] is deadline:
                self._changed.notify()
        return deadline

    def _drop_cancelled(self) -> None:
        """What was called off and is next goes; so does all of it when the heap has grown for nothing."""
        while self._heap and self._heap[0][2].due is None:
            heapq.heappop(self._heap)
        if len(self._heap) > _MANY:
            alive = [entry for entry in self._heap if entry[2].due is not None]
            if 2 * len(alive) < len(self._heap):
                heapq.heapify(alive)
                self._heap = alive

    def _run(self) -> None:
        while True:
            due = self._next()
            if due is not None:
                due()

    def _next(self) -> Callable[[], None] | None:
        """What is due now, after waiting for it."""
        with self._changed:
            self._drop_cancelled()
            if not self._heap:
                self._changed.wait()
                return None
            rest = self._heap[0][0] - time.monotonic()
            if rest > 0:
                self._changed.wait(rest)
                return None
            return heapq.heappop(self._heap)[2].due


_MANY = 1000
