"""The quota that answers tell is spent with care."""

from __future__ import annotations

import pytest

from tests.azure.scripted import GATEWAY, HUB, OTHER, Reply, Script, cloud_of, document
from vpngw_iac.azure import CloudClient
from vpngw_iac.azure.budget import FLOOR, Budget
from vpngw_iac.engine.execute.clock import VirtualClock
from vpngw_iac.engine.ports import Call
from vpngw_iac.errors import Throttled

LEFT = "x-ms-ratelimit-remaining-subscription-"


def test_nothing_is_waited_for_while_there_is_plenty_or_nothing_is_known() -> None:
    budget = Budget()
    budget.note(HUB, {f"{LEFT}reads": str(FLOOR), f"{LEFT}writes": "nonsense", "other": "0"}, now=0)

    assert [budget.pause(HUB, kind, 0) for kind in ("reads", "writes", "deletes")] == [0, 0, 0]


def test_the_fewer_are_left_the_longer_the_pause_and_it_passes() -> None:
    budget = Budget()
    budget.note(HUB, {f"{LEFT}writes": "12"}, now=100)

    assert (budget.pause(HUB, "writes", 100), budget.pause(HUB, "writes", 101)) == (1.0, 0.0)
    assert budget.pause(HUB.upper(), "writes", 100.5) == 0.5
    assert (budget.pause(HUB, "reads", 100), budget.pause(OTHER, "writes", 100)) == (0.0, 0.0)


def test_the_emptier_of_two_buckets_counts() -> None:
    budget = Budget()
    budget.note(HUB, {f"{LEFT}global-deletes": "8", f"{LEFT}deletes": "199"}, now=0)

    assert budget.pause(HUB, "deletes", 0) == 2.0


def test_a_read_waits_until_the_bucket_has_filled() -> None:
    clock = VirtualClock()
    cloud = cloud_of(Script().on("GET", "", Reply(200, document(GATEWAY), {f"{LEFT}reads": "0"})), clock)

    cloud.read(GATEWAY)
    assert clock.now() == 0.0
    cloud.read(GATEWAY)

    assert clock.now() == 4.0


def test_a_write_is_left_to_the_scheduler_and_not_sent() -> None:
    clock = VirtualClock()
    script = Script().on("PUT", "", Reply(200, document(GATEWAY), {f"{LEFT}writes": "4"}))
    cloud, call = cloud_of(script, clock), Call("put", GATEWAY, {})
    cloud.begin(call)

    with pytest.raises(Throttled) as caught:
        cloud.begin(call)
    assert (caught.value.retry_after, len(script.asked)) == (3.0, 1)
    clock.advance(3)
    cloud.begin(call)

    assert len(script.asked) == 2


def test_sessions_through_one_door_share_what_is_known_of_the_quota() -> None:
    left = Reply(body=document(GATEWAY), headers={"x-ms-ratelimit-remaining-subscription-reads": "0"})
    script, clock = Script().on("GET", "/vgw-hub", left), VirtualClock()
    door = CloudClient("public", transport=script.send)
    first, second = (door.cloud(subscription=HUB, clock=clock, correlation=name) for name in ("first", "second"))

    first.read(GATEWAY)
    before = clock.now()
    second.read(GATEWAY)

    assert clock.now() > before
    assert [asked.headers["x-ms-correlation-request-id"] for asked in script.asked] == ["first", "second"]
