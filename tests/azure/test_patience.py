"""Reads are repeated as Azure asks, and not for ever."""

from __future__ import annotations

from typing import Any

import pytest

from tests.azure.scripted import (
    ENDPOINT,
    GATEWAY,
    HUB,
    Broken,
    Reply,
    Script,
    cloud_of,
    document,
    error,
    network,
)
from vpngw_iac.engine.execute.clock import VirtualClock
from vpngw_iac.errors import (
    CloudError,
    Throttled,
    Unavailable,
)

CONNECTIONS = [network("connections", f"con-{number}") for number in range(4)]


def one(reply: Reply | Broken, *more: Reply | Broken) -> Script:
    return Script().on("GET", "/vgw-hub", reply, *more)


def listed(*items: Any, link: str | None = None) -> Reply:
    return Reply(200, {"value": list(items)} | ({"nextLink": link} if link else {}))


@pytest.mark.parametrize(
    ("trouble", "shortest"),
    [
        (Reply(429, error("TooManyRequests"), {"Retry-After": "40"}), 40),
        (Reply(429, error("SubscriptionRequestsThrottled", "try again after '6' seconds.")), 6),
        (Reply(503, error("ServerTimeout")), 0.5),
        (Reply(500, error("InternalServerError")), 0.5),
        (Reply(503, "<html>down</html>"), 0.5),
        (Broken(), 0.5),
    ],
)
def test_a_read_is_repeated_after_what_azure_asks(trouble: Reply | Broken, shortest: float) -> None:
    clock = VirtualClock()

    found = cloud_of(one(trouble, Reply(200, document(GATEWAY))), clock).read(GATEWAY)

    assert found.present
    assert shortest <= clock.now() <= shortest + 1.5


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (Reply(503, error("ServerTimeout")), Unavailable),
        (Broken(), Unavailable),
        (Reply(429, error("TooManyRequests"), {"Retry-After": "90"}), Throttled),
    ],
)
def test_patience_ends(trouble: Reply | Broken, kind: type[CloudError]) -> None:
    script, clock = one(trouble), VirtualClock()

    with pytest.raises(kind):
        cloud_of(script, clock).read(GATEWAY)

    assert 4 <= script.count() <= 8
    assert clock.now() <= 600


def test_a_page_of_a_list_is_repeated_too() -> None:
    link = f"{ENDPOINT}/subscriptions/{HUB}/page2"
    script = (
        Script()
        .on("GET", "/connections", Broken(), listed(document(CONNECTIONS[0]), link=link))
        .on("GET", "/page2", Reply(503, "<html/>"), listed(document(CONNECTIONS[1])))
    )

    found = cloud_of(script).observe(CONNECTIONS[:2])

    assert all(each.present for each in found.values())
