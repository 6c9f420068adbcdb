"""How many requests a subscription has left, as its answers tell: we slow down before the wall.

ARM refills token buckets: 25 reads, 10 writes and 10 deletes a second; a 429 makes everybody in the subscription wait
(R-LIM-01, R-LIM-04).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import Literal

from vpngw_iac.azure.parse import count_of

Kind = Literal["reads", "writes", "deletes"]

FLOOR = 16
"""Below so many left we leave room for others: our own reading threads, and other people's portals."""

SECONDS_EACH = 0.25
"""Pause for each request that is missing to the floor."""

_HEADER = re.compile(r"x-ms-ratelimit-remaining-subscription-(?:global-)?(reads|writes|deletes)")


class Budget:
    """What is left by subscription and kind of request. Safe between threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._left: dict[tuple[str, str], tuple[int, float]] = {}

    def note(self, subscription: str, headers: Mapping[str, str], now: float) -> None:
        """Remember what an answer tells; of the subscription's and the global bucket the emptier one counts."""
        told: dict[str, int] = {}
        for name, value in headers.items():
            found = _HEADER.fullmatch(name)
            left = count_of(value) if found else None
            if found and left is not None:
                told[found[1]] = min(left, told.get(found[1], left))
        with self._guard:
            for kind, left in told.items():
                self._left[subscription.lower(), kind] = (left, now)

    def pause(self, subscription: str, kind: Kind, now: float) -> float:
        """Seconds to wait before the next request of this kind; zero while there is plenty, or nothing is known."""
        with self._guard:
            left, seen = self._left.get((subscription.lower(), kind), (FLOOR, now))
        return max(0.0, seen + (FLOOR - left) * SECONDS_EACH - now)
