"""Threads that wait for answers: one set for all deployments of a process, however many are at work.

Whoever has calls to make has a queue of its own. The queue bounds what one of them has under way at once, so that each
has its turn; the set bounds the threads, and with them the connections.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeVar

MOST = 24
"""Threads of one set: with those that coordinate a run stays below 32."""

_LINGER = 1.0
"""Seconds after which a thread that has nothing to do ends."""

T = TypeVar("T")


class CallThreads:
    """At most `most` threads, begun when they are needed; they keep no process from leaving.

    What is handed in raises nothing, and begins in that order.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._changed = threading.Condition()
        self._waiting: deque[Callable[[], None]] = deque()
        self._idle = 0
        self._mine: set[threading.Thread] = set()

    def submit(self, work: Callable[[], None]) -> None:
        """Have it done by the next thread that is free."""
        with self._changed:
            self._waiting.append(work)
            if self._idle >= len(self._waiting) or len(self._mine) >= self._most:
                self._changed.notify()
                return
            thread = threading.Thread(target=self._toil, name="vpngw-call", daemon=True)
            self._mine.add(thread)
            try:
                thread.start()
            except RuntimeError:  # the machine has no more; those that there are do it
                self._mine.discard(thread)
                if not self._mine:
                    raise

    def stand_behind(self, work: Callable[[], None]) -> None:
        """The same from one of these threads, which is free in a moment: no other one is begun for it."""
        with self._changed:
            self._waiting.append(work)
            self._changed.notify()

    def queue(self, most: int) -> CallQueue:
        """A queue for one who has calls to make: at most `most` of them at once."""
        return CallQueue(self, most)

    def in_parallel(self, steps: Sequence[Callable[[], T]], most: int) -> list[T]:
        """Results in the order of the steps; the first failure is raised, and what has not begun is dropped.

        A step that has steps itself does them one after another: it has a thread already.
        """
        if len(steps) <= 1 or threading.current_thread() in self._mine:
            return [step() for step in steps]
        calls, inbox = self.queue(most), queue.SimpleQueue[tuple[int, T | None, BaseException | None]]()
        results: dict[int, T] = {}

        def done(number: int) -> None:
            try:
                inbox.put((number, steps[number](), None))
            except BaseException as error:  # whatever it is, it belongs to who waits here
                inbox.put((number, None, error))

        try:
            for number in range(len(steps)):
                calls.submit(lambda number=number: done(number))  # type: ignore[misc]
            while len(results) < len(steps):
                number, result, error = inbox.get()
                if error is not None:
                    raise error
                results[number] = result  # type: ignore[assignment]  # no error: a result
        finally:
            calls.close(wait=False)
        return [results[number] for number in range(len(steps))]

    def _toil(self) -> None:
        while (work := self._next()) is not None:
            with contextlib.suppress(BaseException):  # whatever it is, others have calls to make on this thread
                work()

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._waiting, _LINGER)
            self._idle -= 1
            if self._waiting:
                return self._waiting.popleft()
            self._mine.discard(threading.current_thread())
            return None


class CallQueue:
    """The calls of one run, or of one reading: at most so many at once; the others wait here."""

    def __init__(self, threads: CallThreads, most: int) -> None:
        self._threads, self._most = threads, most
        self._changed = threading.Condition()
        self._waiting: deque[Callable[[], None]] = deque()
        self._running = 0

    def submit(self, work: Callable[[], None]) -> None:
        """Have it done when it is its turn; it raises nothing."""
        with self._changed:
            self._waiting.append(work)
            if self._running >= self._most:
                return
            self._running += 1
        self._threads.submit(self._one)

    def close(self, *, wait: bool) -> None:
        """Drop what has not begun; with `wait` return when the rest has ended."""
        with self._changed:
            self._waiting.clear()
            if wait:
                self._changed.wait_for(lambda: not self._running)

    def _one(self) -> None:
        """Do what waits longest, and then stand behind the others who want a thread."""
        with self._changed:
            work = self._waiting.popleft() if self._waiting else None
        try:
            if work is not None:
                work()
        finally:
            with self._changed:
                goes_on = bool(self._waiting)
                if not goes_on:
                    self._running -= 1
                    self._changed.notify_all()
            if goes_on:
                self._threads.stand_behind(self._one)
