"""Reading: who is absent, who is unreadable, how many requests it costs, and what is repeated."""

from __future__ import annotations

from typing import Any

import pytest

from tests.azure.scripted import (
    ADDRESS,
    CIRCUIT,
    CONNECTION,
    CORRELATION,
    ENDPOINT,
    GATEWAY,
    HUB,
    OTHER,
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
from vpngw_iac.engine.ports import Observed
from vpngw_iac.errors import (
    AzureRefused,
    CloudError,
    EndpointError,
    ExitCode,
    Forbidden,
    SignInFailed,
    Throttled,
    Unavailable,
    UsageError,
)

CONNECTIONS = [network("connections", f"con-{number}") for number in range(4)]


def one(reply: Reply | Broken, *more: Reply | Broken) -> Script:
    return Script().on("GET", "/vgw-hub", reply, *more)


def listed(*items: Any, link: str | None = None) -> Reply:
    return Reply(200, {"value": list(items)} | ({"nextLink": link} if link else {}))


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


# --- lists ---------------------------------------------------------------------------------------------------------


def test_two_of_a_type_in_a_group_cost_one_list() -> None:
    script = Script().on("GET", "/connections", listed(*(document(each) for each in CONNECTIONS)))

    found = cloud_of(script).observe(CONNECTIONS)

    assert {each: found[each].source for each in CONNECTIONS} == dict.fromkeys(CONNECTIONS, "list")
    assert script.count() == 1


def test_two_hundred_sites_cost_two_requests() -> None:
    sites = [network("localNetworkGateways", f"lgw-{number}") for number in range(200)]
    tunnels = [network("connections", f"con-{number}") for number in range(200)]
    script = (
        Script()
        .on("GET", "/localNetworkGateways", listed(*(document(each) for each in sites)))
        .on("GET", "/connections", listed(*(document(each) for each in tunnels)))
    )

    found = cloud_of(script).observe([*sites, *tunnels])

    assert all(each.present for each in found.values())
    assert (len(found), len(script.asked)) == (400, 2)


def test_one_of_a_type_costs_one_get() -> None:
    script = Script().on("GET", "/con-0", Reply(200, document(CONNECTIONS[0])))

    found = cloud_of(script).observe([CONNECTIONS[0], CONNECTIONS[0]])

    assert found[CONNECTIONS[0]].source == "get"
    assert script.count() == 1


def test_deep_reads_each_by_get() -> None:
    script = Script()
    for each in CONNECTIONS:
        script.on("GET", f"/{each.name}", Reply(200, document(each)))

    found = cloud_of(script).observe(CONNECTIONS, deep=True)

    assert {each.source for each in found.values()} == {"get"}
    assert script.count() == 4


def test_children_are_listed_at_their_parent() -> None:
    gateway_subnet, other = SUBNET, VNET.child("subnets", "other")
    rules = [GATEWAY.child("natRules", name) for name in ("a", "b")]
    keys = [CIRCUIT.child("authorizations", name) for name in ("a", "b")]
    script = (
        Script()
        .on("GET", "/vnet-hub/subnets", listed(document(gateway_subnet), document(other)))
        .on("GET", "/vgw-hub/natRules", listed(*(document(each) for each in rules)))
        .on("GET", "/erc-1/authorizations", listed(*(document(each) for each in keys)))
    )

    found = cloud_of(script).observe([gateway_subnet, other, *rules, *keys])

    assert all(each.present and each.source == "list" for each in found.values())
    assert script.count() == 3


def test_groups_and_subscriptions_are_listed_apart() -> None:
    here = [network("publicIPAddresses", name) for name in ("a", "b")]
    there = [network("publicIPAddresses", name, subscription=OTHER) for name in ("a", "b")]
    script = Script().on("GET", "/publicIPAddresses", listed(*(document(each) for each in (*here, *there))))

    cloud_of(script).observe([*here, *there])

    assert sorted(each.path.split("/")[2] for each in script.asked) == [HUB, OTHER]


def test_what_a_complete_list_does_not_show_is_absent() -> None:
    script = Script().on("GET", "/connections", listed(document(CONNECTIONS[0])))

    found = cloud_of(script).observe(CONNECTIONS[:2])

    assert found[CONNECTIONS[1]] == Observed(CONNECTIONS[1], None, "list")


@pytest.mark.parametrize("code", ["ResourceGroupNotFound", "ResourceNotFound"])
def test_nothing_is_present_in_a_group_that_is_absent(code: str) -> None:
    script = Script().on("GET", "/connections", Reply(404, error(code)))

    found = cloud_of(script).observe(CONNECTIONS[:2])

    assert not any(each.present for each in found.values())


def test_ids_in_a_list_are_matched_without_case() -> None:
    shown = document(CONNECTIONS[0]) | {"id": str(CONNECTIONS[0]).upper()}
    script = Script().on("GET", "/connections", listed(shown, document(CONNECTIONS[1])))

    found = cloud_of(script).observe(CONNECTIONS[:2])

    assert found[CONNECTIONS[0]].present


def test_every_page_is_read_and_its_link_is_followed_untouched() -> None:
    base = f"{ENDPOINT}{network('connections', 'x').parent}/providers/Microsoft.Network/connections"
    second, third = f"{base}/page2?$skiptoken=a%2Bb%3D%3D&s=Q", f"{base}/page3?c=d"
    script = (
        Script()
        .on("GET", "/connections", listed(document(CONNECTIONS[0]), link=second))
        .on("GET", "/page2", listed(document(CONNECTIONS[1]), link=third))
        .on("GET", "/page3", listed(document(CONNECTIONS[2])))
    )

    found = cloud_of(script).observe(CONNECTIONS)

    assert [found[each].present for each in CONNECTIONS] == [True, True, True, False]
    assert [each.url for each in script.asked[1:]] == [second, third]


@pytest.mark.parametrize(
    "second",
    [
        Reply(404, error("ResourceNotFound")),
        Reply(200, {"values": []}),
        Reply(200, "<html/>"),
    ],
)
def test_a_list_that_is_not_complete_makes_nothing_absent(second: Reply) -> None:
    link = f"{ENDPOINT}/subscriptions/{HUB}/page2"
    script = Script().on("GET", "/connections", listed(document(CONNECTIONS[0]), link=link)).on("GET", "/page2", second)

    with pytest.raises(CloudError):
        cloud_of(script).observe(CONNECTIONS[:2])


@pytest.mark.parametrize("body", [{}, {"value": None}, [], {"error": "?"}])
def test_an_answer_that_is_no_list_makes_nothing_absent(body: Any) -> None:
    script = Script().on("GET", "/connections", Reply(200, body))

    with pytest.raises(EndpointError):
        cloud_of(script).observe(CONNECTIONS[:2])


def test_no_token_follows_a_link_to_another_host() -> None:
    script = Script().on("GET", "/connections", listed(link="https://evil.example/page2"))

    with pytest.raises(EndpointError):
        cloud_of(script).observe(CONNECTIONS[:2])

    assert script.count() == 1


def test_a_link_that_turns_in_circles_ends() -> None:
    link = f"{ENDPOINT}/subscriptions/{HUB}/page2"
    script = Script().on("GET", "/connections", listed(link=link)).on("GET", "/page2", listed(link=link))

    with pytest.raises(EndpointError):
        cloud_of(script).observe(CONNECTIONS[:2])


def test_somebody_who_may_not_list_may_still_read_one_by_one() -> None:
    script = Script().on("GET", "/connections", Reply(403, error("AuthorizationFailed")))
    for each in CONNECTIONS[:2]:
        script.on("GET", f"/{each.name}", Reply(200, document(each)))

    found = cloud_of(script).observe(CONNECTIONS[:2])

    assert {each.source for each in found.values()} == {"get"}


# --- repeated reads ------------------------------------------------------------------------------------------------


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


# --- what hangs on others ------------------------------------------------------------------------------------------


def test_what_hangs_on_a_gateway_comes_with_owner_and_group() -> None:
    foreign = network("connections", "con-foreign", subscription=OTHER, group="rg-theirs")
    shown = document(
        GATEWAY,
        natRules=[document(GATEWAY.child("natRules", "nat-1"))],
        virtualNetworkGatewayPolicyGroups=[
            {"name": "staff", "id": f"{GATEWAY}/virtualNetworkGatewayPolicyGroups/staff"}
        ],
        vpnClientConfiguration={
            "vpnClientRootCertificates": [{"name": "root-1", "properties": {"publicCertData": "x"}}]
        },
    )
    items = [
        document(CONNECTION) | {"tags": {"VPNGW-Deployment": "hub"}},
        document(foreign, sharedKey="never-shown"),
    ]
    script = Script().on("GET", "/vgw-hub", Reply(200, shown)).on("GET", "/vgw-hub/connections", listed(*items))

    found = cloud_of(script).attached([GATEWAY])

    assert [(each.kind, each.name, each.id, each.owner) for each in found] == [
        ("connection", "con-berlin", CONNECTION, "hub"),
        ("connection", "con-foreign", foreign, None),
        ("natRule", "nat-1", GATEWAY.child("natRules", "nat-1"), None),
        ("policyGroup", "staff", GATEWAY.child("virtualNetworkGatewayPolicyGroups", "staff"), None),
        ("rootCertificate", "root-1", None, None),
    ]
    assert "never-shown" not in repr(found)


def test_peerings_hang_on_networks_and_resources_on_groups() -> None:
    peering = VNET.child("virtualNetworkPeerings", "to-spoke")
    script = (
        Script()
        .on(
            "GET",
            "/vnet-hub",
            Reply(200, document(VNET, virtualNetworkPeerings=[document(peering)], subnets=[document(SUBNET)])),
        )
        .on("GET", "/rg-hub/resources", listed({"id": str(ADDRESS), "name": "pip-1", "tags": None}))
    )

    found = cloud_of(script).attached([group_id(), VNET, SITE])

    assert [(each.holder, each.kind, each.id) for each in found] == [
        (group_id(), "resource", ADDRESS),
        (VNET, "peering", peering),
        (VNET, "subnet", SUBNET),
    ]


def test_nothing_hangs_on_what_is_absent() -> None:
    script = (
        Script()
        .on("GET", "/vgw-hub", Reply(404, error("ResourceNotFound")))
        .on("GET", "/resources", Reply(404, error("ResourceGroupNotFound")))
    )

    assert cloud_of(script).attached([GATEWAY, group_id()]) == ()


def test_management_locks_at_or_above_a_gateway_hang_on_it() -> None:
    def lock(scope: object, level: str = "CanNotDelete") -> dict[str, Any]:
        return {"id": f"{scope}/providers/Microsoft.Authorization/locks/keep", "properties": {"level": level}}

    script = Script().on("GET", "/vgw-hub", Reply(404, error("ResourceNotFound")))
    script.locks = listed(
        lock(GATEWAY),
        lock(str(group_id()).upper(), "ReadOnly"),
        lock(f"/subscriptions/{HUB}"),
        lock(group_id("rg-other")),
        lock(CONNECTION),
        {"id": "garbage"},
    )

    found = cloud_of(script).attached([GATEWAY])

    assert {(each.kind, each.holder, each.id) for each in found} == {("lock", GATEWAY, None)}
    assert [each.name.split(" ")[0] + each.name.split(" ")[-1] for each in found] == [
        "keep(CanNotDelete)",
        "keep(ReadOnly)",
        "keep(CanNotDelete)",
    ]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(403, error("AuthorizationFailed")),
        Reply(501, error("NotSimulated")),
        Reply(404, error("InvalidResourceType")),
    ],
)
def test_who_cannot_list_locks_can_still_plan(reply: Reply) -> None:
    script = Script().on("GET", "/vnet-hub", Reply(200, document(VNET)))
    script.locks = reply

    assert cloud_of(script).attached([VNET]) == ()
