"""Ctrl-C and SIGTERM during a run: the first asks it to stop in order, the second leaves at once.

What only reads is left at the first; a third ends whatever still goes on.
"""

from __future__ import annotations

import _thread
import contextlib
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TextIO

from vpngw_iac.engine.execute.stop import ReadInterrupted, Stop

FIRST = "Stopping: nothing new is started. What runs in Azure goes on. Ctrl-C again leaves at once."
TERMINATED = "Terminated: nothing new is started. What runs in Azure goes on; the next run continues."

_LATER = 0.02
"""Seconds after which whatever ignored an exception has been left."""


class Interrupts:
    """Turns signals into requests to a `Stop`; while somebody is being asked, Ctrl-C ends the question instead."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self._asking = False
        self._dropped: type[KeyboardInterrupt] | None = None
        self._again: threading.Timer | None = None
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

    def heard(self, number: int, frame: FrameType | None) -> None:
        """The signal handler."""
        del frame
        terminated = number == signal.SIGTERM
        if (dropped := self._dropped) is not None:
            self._dropped = None
            if dropped is not ReadInterrupted or self._stop.may_interrupt:
                raise dropped
            return
        if self._asking:
            self._stop.request("terminated" if terminated else "interrupted")
            raise KeyboardInterrupt
        if self._stop.immediate:
            raise KeyboardInterrupt
        if self._stop.asked:
            self._stop.now()
        else:
            self._stop.request("terminated" if terminated else "interrupted")
            self._tell(TERMINATED if terminated else FIRST)
        if self._stop.may_interrupt:
            raise ReadInterrupted

    def dropped(self, kind: type[KeyboardInterrupt]) -> None:
        """What the handler raised was ignored, in a finalizer for example: it is raised again a little later."""
        self._dropped = kind
        self._again = threading.Timer(_LATER, _thread.interrupt_main)
        self._again.daemon = True
        self._again.start()

    def close(self) -> None:
        """Nothing is raised any more."""
        if self._again is not None:
            self._again.cancel()
            self._again.join()
        self._dropped = None

    def _tell(self, text: str) -> None:
        try:
            self.say(text)
        except RuntimeError:  # the signal came in the middle of a write to that stream, which refuses another one
            with contextlib.suppress(OSError):
                os.write(2, f"{text}\n".encode())


@contextmanager
def listening(stop: Stop) -> Iterator[Interrupts]:
    """Listen to SIGINT and SIGTERM; what was there before is restored."""
    interrupts = Interrupts(stop)
    if threading.current_thread() is not threading.main_thread():
        yield interrupts
        return
    before = {number: signal.signal(number, interrupts.heard) for number in (signal.SIGINT, signal.SIGTERM)}
    ignored = sys.unraisablehook

    def hook(unraisable: sys.UnraisableHookArgs) -> None:
        if isinstance(unraisable.exc_value, KeyboardInterrupt):
            interrupts.dropped(type(unraisable.exc_value))
        else:
            ignored(unraisable)

    sys.unraisablehook = hook
    try:
        yield interrupts
    finally:
        sys.unraisablehook = ignored
        interrupts.close()
        for number, handler in before.items():
            signal.signal(number, handler)


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
