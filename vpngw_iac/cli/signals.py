"""Ctrl-C and SIGTERM during a run: the first asks it to stop in order, the second leaves at once.

What only reads is left at the first; a third ends whatever still goes on. Once a run has ended a signal does not keep
back what is told of it, unless telling takes long.

In GitHub Actions a cancelled step hears SIGINT, SIGTERM 7.5 s later, and is killed with its children 2.5 s after that
(https://github.com/actions/runner, src/Runner.Sdk/ProcessInvoker.cs, ``CancelAndKillProcessTree``; read with its page
in docs/github-facts.md): there the first signal begins a stop that is over within 6 s, whatever hangs, and decides the
exit code; later ones change nothing.
"""

from __future__ import annotations

import _thread
import contextlib
import os
import queue
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import TextIO

from vpngw_iac.engine.execute.stop import ReadInterrupted, Stop
from vpngw_iac.errors import ExitCode

FIRST = "Stopping: nothing new is started. What runs in Azure goes on. Ctrl-C again leaves at once."
TERMINATED = "Terminated: nothing new is started. What runs in Azure goes on; the next run continues."

CANCELLED = "Cancelled: nothing new is started. What runs in Azure goes on; the next run continues."

GRACE_IN_ACTIONS = 2.5
"""Seconds that running calls get in GitHub Actions."""
_LEAVES_AFTER, _ENDS_AFTER = 3.5, 5.5
"""Seconds from the first signal there: after which no call is waited for, and after which the process is ended."""

_TOLD_WITHIN = 3.0
"""Seconds in which what a run did is told; after these a signal ends that, too: who reads it may hang."""

_LATER = 0.02
"""Seconds after which whatever ignored an exception has been left."""


class Interrupts:
    """Turns signals into requests to a `Stop`; while somebody is being asked, Ctrl-C ends the question instead."""

    def __init__(self, stop: Stop, *, bounded: bool = False) -> None:
        """`bounded`: the first signal alone counts, and the process ends soon after it."""
        self._stop = stop
        self._bounded = bounded
        self._alarms: tuple[threading.Timer, ...] = ()
        self._asking = False
        self._over_since: float | None = None
        self._dropped: type[KeyboardInterrupt] | None = None
        self._again: threading.Thread | None = None
        self._left: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._closed = threading.Event()
        self.ignored: Callable[[sys.UnraisableHookArgs], object] = sys.unraisablehook
        """What hears of the other exceptions that nobody can catch."""
        self.say: Callable[[str], None] = lambda _: None
        """Tells people what was heard."""

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Around a prompt: Ctrl-C raises `KeyboardInterrupt` there."""
        self._asking = True
        try:
            yield
        finally:
            self._asking = False

    def over(self) -> None:
        """The run has ended: what it did is being told."""
        self._over_since = time.monotonic()

    def _is_over(self) -> bool:
        """Whether no run hears it any more; raises `KeyboardInterrupt` where telling takes long."""
        if self._over_since is None:
            return False
        if time.monotonic() - self._over_since > _TOLD_WITHIN:
            raise KeyboardInterrupt
        return True

    def heard(self, number: int, frame: FrameType | None) -> None:
        """The signal handler."""
        terminated = number == signal.SIGTERM
        if self._is_over() or (self._bounded and self._stop.asked and self._dropped is None):
            return
        if (dropped := self._dropped) is not None:
            if _is_within(frame, Interrupts.unraisable.__code__):  # what is raised there is lost for good
                self._left.put(True)
                return
            self._dropped = None
            if dropped is not ReadInterrupted or self._stop.may_interrupt:
                raise dropped
            return
        self._set_alarms(ExitCode.TERMINATED if terminated else ExitCode.INTERRUPTED)
        if self._asking:
            self._stop.request("terminated" if terminated else "interrupted")
            raise KeyboardInterrupt
        if self._stop.immediate:
            raise KeyboardInterrupt
        if self._stop.asked:
            self._stop.now()
        else:
            self._stop.request("terminated" if terminated else "interrupted")
            self._tell(CANCELLED if self._bounded else TERMINATED if terminated else FIRST)
        if self._stop.may_interrupt:
            raise ReadInterrupted

    def unraisable(self, unraisable: sys.UnraisableHookArgs) -> None:
        """`sys.unraisablehook`: what the handler raised in a finalizer, for example, is raised again a little later."""
        if not isinstance(unraisable.exc_value, KeyboardInterrupt):
            self.ignored(unraisable)
            return
        self._dropped = type(unraisable.exc_value)
        if self._again is None:
            self._again = threading.Thread(target=self._raise_again, daemon=True)
            self._again.start()
        self._left.put(True)

    def _raise_again(self) -> None:
        while self._left.get():
            if not self._closed.wait(_LATER):
                _thread.interrupt_main()

    def _set_alarms(self, code: ExitCode) -> None:
        """From the first signal on the stop takes its time, and no more."""
        if not self._bounded or self._alarms:
            return
        self._alarms = (
            threading.Timer(_LEAVES_AFTER, self._stop.now),
            threading.Timer(_ENDS_AFTER, os._exit, [int(code)]),  # a lock in blobs runs out by itself
        )
        for alarm in self._alarms:
            alarm.daemon = True
            alarm.start()

    def close(self) -> None:
        """Nothing is raised any more."""
        if self._alarms:
            self._alarms[0].cancel()  # the other one ends the process whatever is still told
        self._closed.set()
        if self._again is not None:
            self._left.put(False)
            self._again.join()
        self._dropped = None

    def _tell(self, text: str) -> None:
        try:
            self.say(text)
        except RuntimeError:  # the signal came in the middle of a write to that stream, which refuses another one
            with contextlib.suppress(OSError):
                os.write(2, f"{text}\n".encode())


@contextmanager
def listening(stop: Stop, *, bounded: bool = False) -> Iterator[Interrupts]:
    """Listen to SIGINT and SIGTERM; what was there before is restored, unless a `bounded` stop is under way."""
    interrupts = Interrupts(stop, bounded=bounded)
    if threading.current_thread() is not threading.main_thread():
        yield interrupts
        return
    before = {number: signal.signal(number, interrupts.heard) for number in (signal.SIGINT, signal.SIGTERM)}
    sys.unraisablehook = interrupts.unraisable
    try:
        yield interrupts
    finally:
        sys.unraisablehook = interrupts.ignored
        interrupts.close()
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if bounded and stop.asked else handler)


def _is_within(frame: FrameType | None, code: CodeType) -> bool:
    """Whether a function of this code has not returned yet."""
    while frame is not None and frame.f_code is not code:
        frame = frame.f_back
    return frame is not None


def read_line(stream: TextIO) -> str:
    """A line that somebody types. A signal ends the wait also if it came just before the wait began."""
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        return stream.readline()
    heard, wake = socket.socketpair()
    with heard, wake:
        wake.setblocking(False)
        before = signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        try:
            select.select([stream.fileno(), heard.fileno()], [], [])
        finally:
            signal.set_wakeup_fd(before)
    return stream.readline()
