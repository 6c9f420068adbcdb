"""The quota that answers tell is spent with care."""

from __future__ import annotations

import pytest

from tests.azure.scripted import GATEWAY, HUB, OTHER, Reply, Script, cloud_of, document
from vpngw_iac.azure import CloudClient
from vpngw_iac.azure.budget import FLOOR, ON_THE_WAY, REFILL, Budget
from vpngw_iac.engine.execute.clock import VirtualClock
from vpngw_iac.engine.ports import Call
from vpngw_iac.errors import Contention, Throttled

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


def test_room_for_calls_is_spent_before_they_are_answered_and_comes_back_with_time() -> None:
    budget = Budget()
    budget.note(HUB, {f"{LEFT}reads": str(FLOOR + 5), f"{LEFT}writes": "200"}, now=0)

    assert [budget.room(HUB, {"reads": 2}, 0) for _ in range(3)] == [0, 0, 1 / REFILL["reads"]]
    assert budget.room(HUB, {"reads": 2}, 1 / REFILL["reads"]) == 0
    assert budget.room(OTHER, {"reads": 1000}, 0) == 0, "nothing is known of it"


def test_room_is_spent_for_all_kinds_or_for_none() -> None:
    budget = Budget()
    budget.note(HUB, {f"{LEFT}reads": str(FLOOR + 1), f"{LEFT}deletes": str(FLOOR)}, now=0)

    assert budget.room(HUB, {"reads": 1, "deletes": 1}, 0) == 1 / REFILL["deletes"]
    assert budget.room(HUB, {"reads": 1}, 0) == 0


def test_an_answer_that_tells_less_than_we_think_is_believed_and_one_that_tells_more_is_late() -> None:
    budget = Budget()
    budget.note(HUB, {f"{LEFT}writes": "100"}, now=0)
    assert budget.room(HUB, {"writes": 80}, 0) == 0
    budget.note(HUB, {f"{LEFT}writes": "99"}, now=0)
    assert budget.room(HUB, {"writes": 5}, 0) > 0, "79 of ours are on their way"

    budget.note(HUB, {f"{LEFT}writes": "16"}, now=20)
    assert budget.room(HUB, {"writes": 5}, 20) == 0.5, "somebody else has spent them"


def test_a_bucket_that_fills_faster_than_azure_s_is_used_as_it_is() -> None:
    """A simulated cloud whose time is fast, or a subscription with more than is documented."""
    budget, now = Budget(), 0.0
    for _ in range(50):
        budget.note(HUB, {f"{LEFT}reads": "250"}, now)
        assert budget.room(HUB, {"reads": 100}, now) == 0
        now += ON_THE_WAY + 0.1


def test_a_refusal_for_the_quota_shuts_that_kind_and_one_for_a_lock_does_not() -> None:
    throttled = {"error": {"code": "SubscriptionRequestsThrottled", "message": "Too many."}}
    locked = {"error": {"code": "RetryableErrorDueToAnotherOperation", "message": "Busy."}}
    for body, wait in ((throttled, 30.0), (locked, 0.0)):
        clock = VirtualClock()
        cloud = cloud_of(Script().on("PUT", "", Reply(429, body, {"Retry-After": "30"})), clock)
        with pytest.raises((Throttled, Contention)):
            cloud.begin(Call("put", GATEWAY, {}))

        assert cloud.room(GATEWAY.subscription, {"writes": 1}) == wait
        assert cloud.room(GATEWAY.subscription, {"reads": 1}) == 0


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
