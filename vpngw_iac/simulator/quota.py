"""ARM's token buckets per subscription: how many calls are left, and 429 when none is (R-LIM-01, R-LIM-04)."""

from __future__ import annotations

import math

from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.simulator.refusal import Refusal
from vpngw_iac.simulator.wire import HttpRequest

SIZES = {"reads": (250, 25.0), "writes": (200, 10.0), "deletes": (200, 10.0)}
"""Bucket size and refill per second (R-LIM-01)."""

_KINDS = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}


@dataclass(slots=True)
class _Bucket:
    left: float
    moment: float


class Quota:
    """The buckets of one cloud; not kept between processes, as they refill within seconds."""

    def __init__(self, *, enforced: bool) -> None:
        self._enforced = enforced
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def take(self, request: HttpRequest, now: float) -> dict[str, str]:
        """The header with what is left after this call; raises `Refusal` when nothing was and quota is enforced."""
        parts = request.path.strip("/").lower().split("/")
        if len(parts) < 2 or parts[0] != "subscriptions":
            return {}
        kind = _KINDS.get(request.method, "writes")
        size, refill = SIZES[kind]
        bucket = self._buckets.setdefault((parts[1], kind), _Bucket(size, now))
        bucket.left = min(size, bucket.left + (now - bucket.moment) * refill)
        bucket.moment = now
        if bucket.left < 1 and self._enforced:
            wait = math.ceil((1 - bucket.left) / refill)
            raise Refusal(
                429,
                "SubscriptionRequestsThrottled",
                f"Number of {kind} for subscription '{parts[1]}' exceeded the limit. Please try again after '{wait}' "
                "seconds.",
                details=None,
                retry_after=wait,
            )
        bucket.left = max(0.0, bucket.left - 1)
        return {f"x-ms-ratelimit-remaining-subscription-{kind}": str(int(bucket.left))}
