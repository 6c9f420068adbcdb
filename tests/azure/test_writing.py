"""Writing: each verb is one request, sent as it is and never repeated."""

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
)
from vpngw_iac.arm import ArmId
from vpngw_iac.engine.execute.clock import VirtualClock
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
