"""Reading many: how few requests it costs, and what an incomplete list must never mean."""

from __future__ import annotations

from typing import Any

import pytest

from tests.azure.scripted import (
    CIRCUIT,
    ENDPOINT,
    GATEWAY,
    HUB,
    OTHER,
    SUBNET,
    VNET,
    Reply,
    Script,
    cloud_of,
    document,
    error,
    network,
)
from vpngw_iac.engine.ports import Observed
from vpngw_iac.errors import (
    CloudError,
    EndpointError,
)

CONNECTIONS = [network("connections", f"con-{number}") for number in range(4)]


def listed(*items: Any, link: str | None = None) -> Reply:
    return Reply(200, {"value": list(items)} | ({"nextLink": link} if link else {}))


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
