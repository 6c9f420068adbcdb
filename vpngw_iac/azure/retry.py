"""Reads are repeated here, writes never: what Azure asks to wait is waited, what breaks is tried again, with an end.

Nobody waits in silence: before the first pause that reaches half a minute the cause and the end are told.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

from vpngw_iac.azure.budget import Budget
from vpngw_iac.engine.ports import Clock
from vpngw_iac.errors import Contention, Throttled, Unavailable
from vpngw_iac.text import duration

T = TypeVar("T")
Tell = Callable[[str], None]

ATTEMPTS = 8
BUDGET = 600.0
"""Seconds in all: a subscription whose reads are used up is refilled within minutes (R-LIM-04)."""
LONGEST = 30.0
"""Seconds between two tries that Azure says nothing about."""
SILENCE = 30.0
"""Seconds after which people hear why nothing happens."""


class Retry:
    """Repeats a read that was throttled or broke."""

    def __init__(self, clock: Clock, budget: Budget | None = None, tell: Tell | None = None) -> None:
        self._clock = clock
        self._budget = budget or Budget()
        self.tell = tell or (lambda _: None)
        """Hears what is waited for."""
        self._random = random.Random()  # noqa: S311 - jitter, not a secret

    def read(self, subscription: str, ask: Callable[[], T], doing: str = "a read") -> T:
        """The result of `ask`; raises its last `Throttled` or `Unavailable` when patience ends."""
        began, waited, told = self._clock.now(), 0.0, False
        if (pause := self._budget.pause(subscription, "reads", self._clock.now())) > 0:
            self._clock.sleep(pause)
        for attempt in range(ATTEMPTS):
            try:
                return ask()
            except (Throttled, Unavailable, Contention) as error:
                pause = self._pause(error.retry_after, attempt)
                if attempt + 1 == ATTEMPTS or waited + pause > BUDGET:
                    raise _given_up(error, attempt + 1, pause) from None
                if not told and self._clock.now() - began + pause >= SILENCE:
                    told = True
                    self.tell(
                        f"{doing}: waiting for Azure. {error.message} Asking again in {duration(pause)}; "
                        f"giving up after {ATTEMPTS} tries or {duration(BUDGET)}."
                    )
                self._clock.sleep(pause)
                waited += pause
        raise AssertionError("the last attempt returns or raises")

    def _pause(self, asked: float | None, attempt: int) -> float:
        """What Azure asks, and up to a second more so that all threads do not come back at once."""
        if asked is not None:
            return asked + self._random.random()
        return min(LONGEST, 2.0**attempt) * self._random.uniform(0.5, 1.0)


def _given_up(error: Throttled | Unavailable | Contention, tries: int, asked: float) -> Exception:
    """The same error, and why nobody waits any longer."""
    why = f"asked {tries} times" if tries > 1 else "asked once"
    if asked > BUDGET:
        why += f"; it asks to wait {duration(asked)}, and we wait {duration(BUDGET)} at most"
    error.message = f"{error.message.rstrip()} ({why})"
    error.args = (error.message,)
    return error
