"""How a run is asked to stop: gently (start nothing more) or at once."""

from __future__ import annotations

import threading
from typing import Literal


class Stop:
    """Shared between a signal handler and the coordinating thread."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._now = threading.Event()
        self.reason: Literal["", "interrupted", "terminated"] = ""

    def request(self, reason: Literal["interrupted", "terminated"] = "interrupted") -> None:
        """Start nothing more; running calls get ten seconds, then journal and lock are closed."""
        self.reason = self.reason or reason
        self._asked.set()

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
