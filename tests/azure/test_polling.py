"""Polling: through lying operation URLs, lost answers and growing waits, by what GET shows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.azure.scripted import (
    CONNECTION,
    GATEWAY,
    OPERATION,
    Broken,
    Reply,
    Script,
    cloud_of,
    document,
    error,
    network,
)
from vpngw_iac.arm import ArmId
from vpngw_iac.engine.execute.clock import VirtualClock
from vpngw_iac.engine.ports import Call, Ended, Observed, Pending, Running
from vpngw_iac.errors import (
    CloudError,
    Forbidden,
    SignInFailed,
    Throttled,
    Unavailable,
)

ACCEPTED = {"Azure-AsyncOperation": OPERATION + "?t=1&s=a%2Bb", "Retry-After": "10", "x-ms-request-id": "their-id"}


def put(resource_id: ArmId = GATEWAY, body: dict[str, Any] | None = None, **options: Any) -> Call:
    return Call("put", resource_id, {"location": "westeurope"} if body is None else body, **options)


def test_no_operation_url_of_another_host_is_kept_or_followed() -> None:
    elsewhere = {"Azure-AsyncOperation": "https://evil.example/op-1"}
    script = (
        Script()
        .on("PUT", "/vgw-hub", Reply(201, document(GATEWAY, "Updating"), elsewhere))
        .on("GET", "/vgw-hub", Reply(200, document(GATEWAY)))
    )
    cloud = cloud_of(script)

    pending = cloud.begin(put())
    assert isinstance(pending, Pending)
    found = cloud.poll(Pending("put", GATEWAY, "https://management.azure.com.evil.example/op-1"))

    assert pending.url is None
    assert isinstance(found, Ended)
    assert script.count("GET", "op-1") == 0


def test_a_put_that_answered_terminal_costs_one_look_and_no_poll_of_its_url() -> None:
    """An update of a local gateway that changes little: 200 and Succeeded, with a URL (recordings, section (c))."""
    script = (
        Script()
        .on("PUT", "/vgw-hub", Reply(200, document(GATEWAY), ACCEPTED))
        .on("GET", "/vgw-hub", Reply(200, document(GATEWAY)))
    )
    cloud = cloud_of(script)

    pending = cloud.begin(put())
    assert isinstance(pending, Pending)
    found = cloud.poll(pending)

    assert isinstance(found, Ended)
    assert (found.state, script.count("GET", "/op-1"), script.count("GET", "/vgw-hub")) == ("Succeeded", 0, 1)


def test_the_url_is_asked_where_the_resource_is_at_work_after_all() -> None:
    script = (
        Script()
        .on("PUT", "/vgw-hub", Reply(200, document(GATEWAY), ACCEPTED))
        .on("GET", "/op-1", Reply(200, {"status": "InProgress"}))
        .on("GET", "/vgw-hub", Reply(200, document(GATEWAY, "Updating")))
    )
    cloud = cloud_of(script)

    pending = cloud.begin(put())
    assert isinstance(pending, Pending)

    assert isinstance(cloud.poll(pending), Running)
    assert script.count("GET", "/op-1") == 1


def test_the_operation_url_is_followed_untouched() -> None:
    url = f"{OPERATION}?api-version=2026-03-01&t=638&c=MII%2Bx&s=a%2Fb%3D%3D&h=~_-."
    script = (
        Script()
        .on("GET", "/op-1", Reply(200, {"status": "InProgress"}))
        .on("GET", "/vgw-hub", Reply(200, document(GATEWAY, "Updating")))
    )

    cloud_of(script).poll(Pending("put", GATEWAY, url))

    assert script.asked[0].url == url


@pytest.mark.parametrize(
    "lie",
    [
        Reply(404, error("NotFound", "Operation op-1 not found")),
        Reply(404, "<html/>"),
        Reply(503, "<html/>"),
        Reply(200, "<html/>"),
        Reply(429, error("TooManyRequests")),
        Reply(200, {"status": "InProgress"}),
        Broken(),
    ],
)
def test_a_lying_operation_url_changes_nothing_about_a_put(lie: Reply | Broken) -> None:
    script = (
        Script()
        .on("GET", "/op-1", lie)
        .on("GET", "/vgw-hub", Reply(200, document(GATEWAY, "Updating")), Reply(200, document(GATEWAY)))
    )
    cloud, pending = cloud_of(script), Pending("put", GATEWAY, OPERATION)

    first, second = cloud.poll(pending), cloud.poll(pending)

    assert isinstance(first, Running)
    assert second == Ended("Succeeded", Observed(GATEWAY, document(GATEWAY)))


def test_the_reason_of_a_failure_comes_from_the_operation() -> None:
    failed = {"status": "Failed", "error": {"code": " InternalError", "message": "bad peer", "details": []}}
    script = (
        Script()
        .on("GET", "/op-1", Reply(200, failed))
        .on("GET", "/con-berlin", Reply(200, document(CONNECTION, "Failed")))
    )

    found = cloud_of(script).poll(Pending("put", CONNECTION, OPERATION))

    assert isinstance(found, Ended)
    assert found.error is not None
    assert (found.state, found.error.code) == ("Failed", "InternalError")
    assert found.error.message == f"put {CONNECTION}: InternalError: bad peer"


@pytest.mark.parametrize(
    ("trouble", "kind", "wait"),
    [
        (Reply(429, error("TooManyRequests"), {"Retry-After": "25"}), Throttled, 25.0),
        (Reply(503, "<html/>"), Unavailable, None),
        (Broken(), Unavailable, None),
    ],
)
def test_an_azure_that_does_not_answer_says_nothing_about_the_operation(
    trouble: Reply | Broken, kind: type[Throttled | Unavailable], wait: float | None
) -> None:
    script, clock = Script().on("GET", "/vgw-hub", trouble), VirtualClock()

    with pytest.raises(kind) as caught:
        cloud_of(script, clock).poll(Pending("put", GATEWAY))

    assert isinstance(caught.value, Throttled | Unavailable)
    assert (caught.value.retry_after, clock.now(), script.count()) == (wait, 0.0, 1)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(401, error("ExpiredAuthenticationToken")), SignInFailed),
        (Reply(403, error("AuthorizationFailed")), Forbidden),
    ],
)
def test_a_lost_sign_in_or_right_ends_the_polling(reply: Reply, kind: type[CloudError]) -> None:
    script = Script().on("GET", "/vgw-hub", reply).on("GET", "/op-1", Reply(200, {"status": "InProgress"}))

    with pytest.raises(kind):
        cloud_of(script).poll(Pending("put", GATEWAY, OPERATION))


def test_waits_grow_as_azure_asks() -> None:
    waits = ["10", "20", "40", "100"]
    running = [Reply(200, {"status": "InProgress"}, {"Retry-After": seconds}) for seconds in waits]
    script = Script().on("GET", "/op-1", *running).on("GET", "/vgw-hub", Reply(200, document(GATEWAY, "Updating")))
    cloud = cloud_of(script)

    found = [cloud.poll(Pending("put", GATEWAY, OPERATION)) for _ in waits]

    assert [each.retry_after for each in found if isinstance(each, Running)] == [10.0, 20.0, 40.0, 100.0]


def test_a_resource_that_get_does_not_show_yet_is_waited_for_but_not_for_ever() -> None:
    script = (
        Script()
        .on("PUT", "/con-x", Reply(201, document(CONNECTION, "Updating")))
        .on("GET", "/con-x", Reply(404, error("NotFound")))
    )
    clock = VirtualClock()
    cloud = cloud_of(script, clock)
    pending = cloud.begin(put(network("connections", "con-x")))
    assert isinstance(pending, Pending)

    early = cloud.poll(pending)
    clock.advance(600)
    late = cloud.poll(pending)

    assert isinstance(early, Running)
    assert isinstance(late, Ended)
    assert late.error is not None
    assert late.error.code == "ResourceNotFound"


class SetClock(VirtualClock):
    """Somebody sets the time of day; the seconds that pass are the same."""

    day = "2026-01-01T00:00:00.000000Z"

    def utc(self) -> str:
        return self.day


@pytest.mark.parametrize("day", ["2025-12-31T00:00:00.000000Z", "2026-01-02T00:00:00.000000Z"], ids=["back", "forth"])
def test_a_time_of_day_that_jumps_neither_ends_nor_prolongs_the_waiting(day: str) -> None:
    script = (
        Script()
        .on("PUT", "/con-x", Reply(201, document(CONNECTION, "Updating")))
        .on("GET", "/con-x", Reply(404, error("NotFound")))
    )
    clock = SetClock()
    cloud = cloud_of(script, clock)
    pending = cloud.begin(put(network("connections", "con-x")))
    assert isinstance(pending, Pending)
    clock.day = day

    early = cloud.poll(pending)
    clock.advance(600)
    late = cloud.poll(pending)

    assert isinstance(early, Running)
    assert isinstance(late, Ended)


def test_a_url_that_says_running_is_believed_for_a_minute_and_then_checked() -> None:
    script = (
        Script()
        .on("PUT", "/vgw-hub", Reply(201, document(GATEWAY, "Updating"), ACCEPTED))
        .on("GET", "/op-1", Reply(200, {"status": "InProgress"}, {"Retry-After": "10"}))
        .on("GET", "/vgw-hub", Reply(200, document(GATEWAY)))
    )
    clock = VirtualClock()
    cloud = cloud_of(script, clock)
    pending = cloud.begin(put())
    assert isinstance(pending, Pending)

    early = cloud.poll(pending)
    asked_early = script.count("GET", "/vgw-hub")
    clock.advance(61)
    late = cloud.poll(pending)

    assert (early, asked_early) == (Running(10.0, "Updating"), 0)
    assert isinstance(late, Ended)
