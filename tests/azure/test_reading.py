"""Reading one resource: who is absent, who is unreadable, what is sent along."""

from __future__ import annotations

import pytest

from tests.azure.scripted import (
    CORRELATION,
    GATEWAY,
    HUB,
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
from vpngw_iac.engine.ports import Observed
from vpngw_iac.errors import (
    AzureRefused,
    CloudError,
    EndpointError,
    ExitCode,
    Forbidden,
    SignInFailed,
    UsageError,
)


def one(reply: Reply | Broken, *more: Reply | Broken) -> Script:
    return Script().on("GET", "/vgw-hub", reply, *more)


@pytest.mark.parametrize(
    "code", ["ResourceNotFound", "NotFound", "ResourceGroupNotFound", "ParentResourceNotFound", " notfound"]
)
def test_four_codes_of_a_404_mean_absent(code: str) -> None:
    found = cloud_of(one(Reply(404, error(code)))).read(GATEWAY)

    assert found == Observed(GATEWAY, None)


@pytest.mark.parametrize(
    ("reply", "kind", "exit_code"),
    [
        (Reply(404, error("SubscriptionNotFound")), Forbidden, ExitCode.PERMISSION),
        (Reply(404, error("InvalidResourceType")), AzureRefused, ExitCode.ERROR),
        (Reply(404, error("NoSuchHost")), AzureRefused, ExitCode.ERROR),
        (Reply(404, "<html>nothing here</html>", {"Content-Type": "text/html"}), EndpointError, ExitCode.ERROR),
        (Reply(404), EndpointError, ExitCode.ERROR),
        (Reply(200, "<html>welcome to the portal</html>"), EndpointError, ExitCode.ERROR),
        (Reply(200, "[]"), EndpointError, ExitCode.ERROR),
        (Reply(200, "{}"), EndpointError, ExitCode.ERROR),
        (Reply(200), EndpointError, ExitCode.ERROR),
        (Reply(302, None, {"Location": "https://login.example"}), EndpointError, ExitCode.ERROR),
        (Reply(403, error("AuthorizationFailed")), Forbidden, ExitCode.PERMISSION),
        (Reply(401, error("InvalidAuthenticationToken")), SignInFailed, ExitCode.PERMISSION),
        (Reply(400, error("InvalidApiVersionParameter")), AzureRefused, ExitCode.ERROR),
    ],
)
def test_everything_else_is_an_error_and_never_an_absence(
    reply: Reply, kind: type[CloudError], exit_code: ExitCode
) -> None:
    script = one(reply)

    with pytest.raises(kind) as caught:
        cloud_of(script).read(GATEWAY)

    assert type(caught.value) is kind
    assert caught.value.exit_code == exit_code
    assert script.count() == (2 if kind is SignInFailed else 1)


def test_an_unreadable_id_among_others_raises() -> None:
    script = (
        Script()
        .on("GET", "/vgw-hub", Reply(403, error("AuthorizationFailed")))
        .on("GET", "/lgw-berlin", Reply(404, error("ResourceNotFound")))
    )

    with pytest.raises(Forbidden):
        cloud_of(script).observe([GATEWAY, SITE])


def test_a_document_is_what_azure_sent_to_the_last_unknown_property() -> None:
    sent = document(GATEWAY, newThing={"of2031": [1, {"Odd-Name": None}]}, enableBgp=False) | {"zonesToBe": ["x"]}

    found = cloud_of(one(Reply(200, sent))).read(GATEWAY)

    assert found.document == sent
    assert (found.etag, found.state, found.source) == ('W/"1"', "Succeeded", "get")


def test_each_type_is_read_with_the_api_version_of_the_sdk() -> None:
    script = Script().on("GET", "", Reply(404, error("NotFound")))
    cloud = cloud_of(script)

    ids = [GATEWAY, SUBNET, VNET.child("virtualNetworkPeerings", "p"), group_id()]
    for each in ids:
        cloud.read(each)

    assert [asked.path.lower() for asked in script.asked] == [each.key for each in ids]
    assert [each.query["api-version"] for each in script.asked] == ["2026-03-01"] * 3 + ["2025-04-01"]


def test_a_type_that_is_not_ours_is_a_wrong_call() -> None:
    with pytest.raises(UsageError, match=r"Microsoft\.Compute/virtualMachines"):
        cloud_of(Script()).read(ArmId.build(HUB, "g", "Microsoft.Compute/virtualMachines", "vm"))


def test_correlation_stays_and_each_call_has_its_own_request_id() -> None:
    script = one(Reply(200, document(GATEWAY)))
    cloud = cloud_of(script)

    cloud.read(GATEWAY)
    cloud.read(GATEWAY)

    first, second = script.asked
    assert first.headers["x-ms-correlation-request-id"] == CORRELATION
    assert second.headers["x-ms-correlation-request-id"] == CORRELATION
    assert first.headers["x-ms-client-request-id"] != second.headers["x-ms-client-request-id"]
    assert first.headers["user-agent"].startswith("vpngw/")


def test_an_error_carries_what_support_asks_for() -> None:
    reply = Reply(400, error("Bad"), {"x-ms-request-id": "their-id"})

    with pytest.raises(AzureRefused) as caught:
        cloud_of(one(reply), VirtualClock(60)).read(GATEWAY)

    ids = caught.value.ids
    assert (ids.correlation, ids.request, ids.at) == (CORRELATION, "their-id", "2026-01-01T00:01:00.000000Z")
