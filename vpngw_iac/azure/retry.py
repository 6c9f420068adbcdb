"""Reads are repeated here, writes never: what Azure asks to wait is waited, what breaks is tried again, with an end."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

from vpngw_iac.azure.budget import Budget
from vpngw_iac.engine.ports import Clock
from vpngw_iac.errors import Contention, Throttled, Unavailable

T = TypeVar("T")

ATTEMPTS = 8
BUDGET = 600.0
"""Seconds in all: a subscription whose reads are used up is refilled within minutes (R-LIM-04)."""
LONGEST = 30.0
"""Seconds between two tries that Azure says nothing about."""


class Retry:
    """Repeats a read that was throttled or broke."""

    def __init__(self, clock: Clock, budget: Budget | None = None) -> None:
        self._clock = clock
        self._budget = budget or Budget()
        self._random = random.Random()  # noqa: S311 - jitter, not a secret

    def read(self, subscription: str, ask: Callable[[], T]) -> T:
        """The result of `ask`; raises its last `Throttled` or `Unavailable` when patience ends."""
        waited = 0.0
        if (pause := self._budget.pause(subscription, "reads", self._clock.now())) > 0:
            self._clock.sleep(pause)
        for attempt in range(ATTEMPTS):
            try:
                return ask()
            except (Throttled, Unavailable, Contention) as error:
                pause = self._pause(error.retry_after, attempt)
                if attempt + 1 == ATTEMPTS or waited + pause > BUDGET:
                    raise
                self._clock.sleep(pause)
                waited += pause
        raise AssertionError("the last attempt returns or raises")

    def _pause(self, asked: float | None, attempt: int) -> float:
        """What Azure asks, and up to a second more so that all threads do not come back at once."""
        if asked is not None:
            return asked + self._random.random()
        return min(LONGEST, 2.0**attempt) * self._random.uniform(0.5, 1.0)
