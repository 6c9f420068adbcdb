"""Writing: each verb is one request, sent as it is, never repeated, and polled through thick and thin."""

from __future__ import annotations

from typing import Any

import pytest

from tests.azure.scripted import (
    ADDRESS,
    CONNECTION,
    ENDPOINT,
    GATEWAY,
    HUB,
    OPERATION,
    SITE,
    SUBNET,
    VNET,
    Broken,
    Reply,
    Script,
    cloud_of,
    document,
    error,
    group_id,
    network,
)
from vpngw_iac.arm import ArmId
from vpngw_iac.engine.clock import VirtualClock
from vpngw_iac.engine.ports import Call, Ended, Observed, Pending, Running
from vpngw_iac.errors import (
    AzureRefused,
    CloudError,
    Contention,
    Forbidden,
    PreconditionFailed,
    SignInFailed,
    Throttled,
    Unavailable,
    UsageError,
)

ACCEPTED = {"Azure-AsyncOperation": OPERATION + "?t=1&s=a%2Bb", "Retry-After": "10", "x-ms-request-id": "their-id"}


def put(resource_id: ArmId = GATEWAY, body: dict[str, Any] | None = None, **options: Any) -> Call:
    return Call("put", resource_id, {"location": "westeurope"} if body is None else body, **options)


def begun(script: Script, call: Call) -> Pending | Ended:
    return cloud_of(script).begin(call)


def test_a_put_is_sent_verbatim_and_returns_at_once() -> None:
    body = {
        "location": "westeurope",
        "etag": 'W/"7"',
        "properties": {"unknown": {"a": [None, 1]}, "sku": {"name": "x"}},
    }
    script = Script().on("PUT", "/vgw-hub", Reply(201, document(GATEWAY, "Updating"), ACCEPTED))

    found = begun(script, put(body=body, etag='W/"7"'))

    assert isinstance(found, Pending)
    assert (found.verb, found.id, found.retry_after) == ("put", GATEWAY, 10.0)
    assert found.url == ACCEPTED["Azure-AsyncOperation"]
    assert (found.ids.request, found.ids.operation) == ("their-id", "op-1")
    assert script.asked[0].body == body
    assert script.asked[0].headers["if-match"] == 'W/"7"'
    assert len(script.asked) == 1


def test_a_put_without_an_etag_makes_no_condition() -> None:
    script = Script().on("PUT", "/vgw-hub", Reply(201, document(GATEWAY, "Updating"), ACCEPTED))

    begun(script, put())

    assert "if-match" not in script.asked[0].headers


@pytest.mark.parametrize(
    "resource_id", [SUBNET, VNET, ADDRESS, SITE, CONNECTION, GATEWAY.child("natRules", "n"), group_id()]
)
def test_every_type_goes_through_the_same_driver(resource_id: ArmId) -> None:
    script = Script().on("PUT", "", Reply(200, document(resource_id)))

    begun(script, put(resource_id))

    assert script.asked[0].path.lower() == resource_id.key


def test_an_answer_that_is_done_already_is_polled_at_once() -> None:
    script = Script().on("PUT", "/lgw-berlin", Reply(200, document(SITE), ACCEPTED))

    found = begun(script, put(SITE))

    assert isinstance(found, Pending)
    assert found.retry_after == 0.0


def test_a_resource_group_is_put_in_one_call() -> None:
    script = (
        Script()
        .on("PUT", "/rg-hub", Reply(201, document(group_id())))
        .on("GET", "/rg-hub", Reply(200, document(group_id())))
    )
    cloud = cloud_of(script)

    pending = cloud.begin(put(group_id()))
    assert isinstance(pending, Pending)

    assert cloud.poll(pending) == Ended("Succeeded", Observed(group_id(), document(group_id())))


def test_the_header_of_other_tenants_is_sent_with_the_body_that_names_them() -> None:
    script = Script().on("PUT", "/con-berlin", Reply(201, document(CONNECTION, "Updating"), ACCEPTED))

    begun(script, put(CONNECTION, tenants=("tenant-b", "tenant-c")))

    assert script.asked[0].headers["x-ms-authorization-auxiliary"] == "Bearer simulated, Bearer simulated"


@pytest.mark.parametrize(
    "reply", [Reply(204), Reply(404, error("ResourceNotFound")), Reply(404, error("ResourceGroupNotFound"))]
)
def test_deleting_what_is_absent_has_ended(reply: Reply) -> None:
    found = begun(Script().on("DELETE", "/vgw-hub", reply), Call("delete", GATEWAY))

    assert found == Ended("Succeeded", Observed(GATEWAY, None))


def test_a_delete_prefers_the_operation_to_the_location() -> None:
    headers = {"Azure-AsyncOperation": OPERATION, "Location": OPERATION.replace("operations", "operationResults")}
    script = Script().on("DELETE", "/vgw-hub", Reply(202, None, headers))

    found = begun(script, Call("delete", GATEWAY))

    assert isinstance(found, Pending)
    assert found.url == OPERATION


def test_a_group_delete_is_followed_by_its_location() -> None:
    location = f"{ENDPOINT}/subscriptions/{HUB}/operationresults/job-1"
    script = (
        Script()
        .on("DELETE", "/rg-hub", Reply(202, None, {"Location": location, "Retry-After": "15"}))
        .on("GET", "/job-1", Reply(202, None, {"Retry-After": "15"}), Reply(200))
        .on("GET", "/rg-hub", Reply(404, error("ResourceGroupNotFound")))
    )
    cloud = cloud_of(script)

    pending = cloud.begin(Call("delete", group_id()))
    assert isinstance(pending, Pending)

    assert cloud.poll(pending) == Running(15.0, "Deleting")
    assert cloud.poll(pending) == Ended("Succeeded", Observed(group_id(), None))


def test_a_blocked_group_delete_fails_with_its_cause() -> None:
    location = f"{ENDPOINT}/subscriptions/{HUB}/operationresults/job-1"
    blocked = {"Error": {"Code": "ResourceGroupDeletionBlocked", "Message": "blocked by vgw", "Details": []}}
    script = (
        Script()
        .on("DELETE", "/rg-hub", Reply(202, None, {"Location": location}))
        .on("GET", "/job-1", Reply(409, blocked))
        .on("GET", "/rg-hub", Reply(200, document(group_id())))
    )
    cloud = cloud_of(script)

    pending = cloud.begin(Call("delete", group_id()))
    assert isinstance(pending, Pending)
    found = cloud.poll(pending)

    assert isinstance(found, Ended)
    assert found.error is not None
    assert (found.state, found.error.code) == ("Failed", "ResourceGroupDeletionBlocked")


@pytest.mark.parametrize("resource_id", [GATEWAY, VNET, SITE, CONNECTION, group_id()])
def test_tags_are_patched_by_the_method_that_the_type_has(resource_id: ArmId) -> None:
    script = Script().on("PATCH", "", Reply(200, document(resource_id, "Updating")))

    found = begun(script, Call("tag", resource_id, {"tags": {"a": "b"}}))

    assert isinstance(found, Pending)
    assert (found.url, found.retry_after) == (None, None)
    assert script.asked[0].body == {"tags": {"a": "b"}}


def test_a_tag_patch_without_an_operation_url_is_polled_by_get() -> None:
    script = (
        Script()
        .on("PATCH", "/vgw-hub", Reply(200, document(GATEWAY, "Updating")))
        .on("GET", "/vgw-hub", Reply(200, document(GATEWAY, "Updating")), Reply(200, document(GATEWAY)))
    )
    cloud = cloud_of(script)

    pending = cloud.begin(Call("tag", GATEWAY, {"tags": {}}))
    assert isinstance(pending, Pending)

    assert cloud.poll(pending) == Running(None, "Updating")
    assert cloud.poll(pending) == Ended("Succeeded", Observed(GATEWAY, document(GATEWAY)))


def test_a_key_is_set_by_its_own_call_and_ends_after_its_operation_and_the_connection() -> None:
    script = (
        Script()
        .on("PUT", "/con-berlin/sharedkey", Reply(200, None, {"Azure-AsyncOperation": OPERATION}))
        .on(
            "GET",
            "/op-1",
            Reply(200, {"status": "InProgress"}, {"Retry-After": "10"}),
            Reply(200, {"status": "Succeeded"}),
        )
        .on(
            "GET",
            "/con-berlin",
            Reply(200, document(CONNECTION, "Updating")),
            Reply(200, document(CONNECTION)),
        )
    )
    cloud = cloud_of(script)

    pending = cloud.begin(Call("act", CONNECTION, {"value": "n3w"}, action="sharedKey", secrets=("n3w",)))
    assert isinstance(pending, Pending)

    assert script.asked[0].body == {"value": "n3w"}
    assert cloud.poll(pending) == Running(10.0, "Updating")
    assert cloud.poll(pending) == Running(None, "Updating")
    assert isinstance(cloud.poll(pending), Ended)


def test_an_unknown_action_is_a_wrong_call() -> None:
    with pytest.raises(UsageError, match="explode"):
        begun(Script(), Call("act", CONNECTION, {}, action="explode"))


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(409, error("AnotherOperationInProgress")), Contention),
        (Reply(429, error("RetryableError", details=[{"code": "ReferencedResourceNotProvisioned"}])), Contention),
        (Reply(429, error("SubscriptionRequestsThrottled")), Throttled),
        (Reply(412, error("PreconditionFailed")), PreconditionFailed),
        (Reply(400, error("InvalidGatewaySku")), AzureRefused),
        (Reply(404, error("ResourceGroupNotFound")), AzureRefused),
        (Reply(409, error("MissingSubscriptionRegistration")), AzureRefused),
        (Reply(403, error("AuthorizationFailed")), Forbidden),
        (Reply(401, error("ExpiredAuthenticationToken")), SignInFailed),
        (Reply(503, error("ServerTimeout")), Unavailable),
        (Broken(), Unavailable),
    ],
)
def test_a_write_is_never_repeated_here(reply: Reply | Broken, kind: type[CloudError]) -> None:
    script, clock = Script().on("PUT", "/vgw-hub", reply), VirtualClock()

    with pytest.raises(kind) as caught:
        cloud_of(script, clock).begin(put())

    assert type(caught.value) is kind
    assert (len(script.asked), clock.now()) == (2 if kind is SignInFailed else 1, 0.0)


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
