"""How many requests a subscription has left, as its answers tell: we slow down before the wall.

ARM refills token buckets: 25 reads, 10 writes and 10 deletes a second; a 429 makes everybody in the subscription wait
(R-LIM-01, R-LIM-04).
"""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import field

from vpngw_iac.azure.parse import count_of
from vpngw_iac.engine.ports import Quota
from vpngw_iac.late_dataclass import dataclass

FLOOR = 16
"""Below so many left we leave room for others: our own reading threads, and other people's portals."""

SECONDS_EACH = 0.25
"""Pause for each request that is missing to the floor."""

REFILL: Mapping[Quota, float] = {"reads": 25.0, "writes": 10.0, "deletes": 10.0}
"""Requests that come back each second (R-LIM-01)."""

ON_THE_WAY = 2.0
"""Seconds after which a request that was spent has been counted by Azure."""

_HEADER = re.compile(r"x-ms-ratelimit-remaining-subscription-(?:global-)?(reads|writes|deletes)")


@dataclass(slots=True)
class _Bucket:
    told: int
    """What an answer told last, and when."""
    seen: float
    size: float
    left: float
    """What is left of it now for all we know: told, less what was spent since and not answered yet."""
    moment: float
    shut_until: float = 0.0
    """Azure refused one: who asks earlier waits longer (R-LIM-04)."""
    spent: deque[tuple[float, int]] = field(default_factory=deque)
    """When how many were spent that may not be answered yet."""

    def refill(self, kind: Quota, now: float) -> None:
        self.left = min(self.size, self.left + max(0.0, now - self.moment) * REFILL[kind])
        self.moment = now
        while self.spent and now - self.spent[0][0] > ON_THE_WAY:
            self.spent.popleft()

    def tell(self, left: int, now: float) -> None:
        """Believe an answer, less what was spent and is on its way."""
        self.told, self.seen, self.size = left, now, max(self.size, left)
        self.left = min(left, max(self.left, left - sum(count for _, count in self.spent)))

    def spend(self, count: int, now: float) -> None:
        self.left -= count
        self.spent.append((now, count))


class Budget:
    """What is left by subscription and kind of request. Safe between threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._buckets: dict[tuple[str, Quota], _Bucket] = {}

    def note(self, subscription: str, headers: Mapping[str, str], now: float) -> None:
        """Remember what an answer tells; of the subscription's and the global bucket the emptier one counts."""
        told: dict[Quota, int] = {}
        for name, value in headers.items():
            found = _HEADER.fullmatch(name)
            left = count_of(value) if found else None
            if found and left is not None:
                kind = _kind(found[1])
                told[kind] = min(left, told.get(kind, left))
        with self._guard:
            for kind, left in told.items():
                bucket = self._buckets.setdefault((subscription.lower(), kind), _Bucket(left, now, left, left, now))
                bucket.refill(kind, now)
                bucket.tell(left, now)

    def refused(self, subscription: str, kind: Quota, seconds: float, now: float) -> None:
        """Azure said "too many requests": nothing is left, and nothing comes back for so long."""
        with self._guard:
            bucket = self._buckets.setdefault((subscription.lower(), kind), _Bucket(FLOOR, now, FLOOR, 0.0, now))
            bucket.refill(kind, now)
            bucket.left, bucket.shut_until = min(bucket.left, FLOOR), max(bucket.shut_until, now + seconds)

    def pause(self, subscription: str, kind: Quota, now: float) -> float:
        """Seconds to wait before the next request of this kind; zero while there is plenty, or nothing is known."""
        with self._guard:
            bucket = self._buckets.get((subscription.lower(), kind))
            return max(0.0, bucket.seen + (FLOOR - bucket.told) * SECONDS_EACH - now) if bucket else 0.0

    def room(self, subscription: str, calls: Mapping[Quota, int], now: float) -> float:
        """Seconds until so many calls more leave the floor untouched; zero spends them, or nothing is known."""
        with self._guard:
            known = {kind: self._buckets.get((subscription.lower(), kind)) for kind in calls}
            wait = 0.0
            for kind, bucket in known.items():
                if bucket is not None:
                    bucket.refill(kind, now)
                    missing = (FLOOR + calls[kind] - bucket.left) / REFILL[kind]
                    wait = max(wait, missing, bucket.shut_until - now)
            for kind, bucket in known.items() if wait <= 0 else ():
                if bucket is not None:
                    bucket.spend(calls[kind], now)
            return max(0.0, wait)


def _kind(word: str) -> Quota:
    return "reads" if word == "reads" else "writes" if word == "writes" else "deletes"


def kind_of(method: str) -> Quota:
    """What a request of this method is counted as."""
    return "reads" if method in ("GET", "HEAD") else "deletes" if method == "DELETE" else "writes"
