"""Replacements: only by an edit, only when named, with dependents, and with references taken off and put back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workspace.conftest import Harness, Killed
from tests.worlds import (
    Deployment,
    base,
    clients,
    connection,
    gateway,
    hub,
    hub_with_spokes,
    hub_without_gateway,
    nat_rule,
    network,
    public_ip,
    public_ip_output,
    rid,
    site,
)
from vpngw_iac.errors import Refused
from vpngw_iac.resources.base import Ref

GATEWAY = frozenset({"VpnGateway/hub"})


def positions(harness: Harness, *writes: str) -> list[int]:
    done = harness.writes()
    return [done.index(write) for write in writes]


def test_a_smaller_sku_is_refused_until_the_gateway_is_named(harness: Harness) -> None:
    harness.create(hub("berlin", sku="VpnGw3AZ"))
    smaller = hub("berlin", sku="VpnGw2AZ")

    with pytest.raises(Refused) as refused:
        harness.apply(smaller)

    assert [f.rule for f in refused.value.findings if f.blocks] == ["V-REPLACE-01"]
    assert harness.writes() == []


def test_replacing_a_gateway_replaces_its_connections_and_keeps_the_public_ip(harness: Harness) -> None:
    harness.create(hub("berlin", "paris", sku="VpnGw3AZ"))
    before = harness.document(rid("publicIPAddresses", "pip-hub-1"))["properties"]["ipAddress"]
    smaller = hub("berlin", "paris", sku="VpnGw2AZ")

    changes = harness.changes(smaller, replace=GATEWAY)
    harness.converge(smaller, replace=GATEWAY)

    assert changes == {
        "VpnGateway/hub": "replace",
        "VpnConnection/hub/berlin": "replace",
        "VpnConnection/hub/paris": "replace",
    }
    assert sorted(harness.writes()[:2]) == ["DELETE connections/con-berlin", "DELETE connections/con-paris"]
    assert harness.writes()[2:4] == [
        "DELETE virtualNetworkGateways/vgw-hub",
        "PUT virtualNetworkGateways/vgw-hub",
    ]
    assert harness.document(rid("publicIPAddresses", "pip-hub-1"))["properties"]["ipAddress"] == before


def test_a_replacement_says_who_loses_connectivity_and_counts_twice(harness: Harness) -> None:
    harness.create(hub("berlin", sku="VpnGw3AZ"))

    plan = harness.plan(hub("berlin", sku="VpnGw2AZ"), replace=GATEWAY)

    change = next(c for c in plan.changes if c.address == "VpnGateway/hub")
    assert (plan.summary.add, plan.summary.replace, plan.summary.destroy) == (2, 2, 2)
    assert change.outage.level != "none"
    assert change.outage.who == ("berlin",)


def test_a_gateway_under_spokes_is_replaced_with_their_peerings_detached_and_attached(harness: Harness) -> None:
    harness.create(hub_with_spokes("red", "blue", sku="VpnGw3AZ"))
    smaller = hub_with_spokes("red", "blue", sku="VpnGw2AZ")

    changes = harness.changes(smaller, replace=GATEWAY)
    harness.converge(smaller, replace=GATEWAY)

    assert changes == {"VpnGateway/hub": "replace", "VpnConnection/hub/berlin": "replace"}
    writes = harness.writes()
    for spoke in ("red", "blue"):
        peering = [i for i, write in enumerate(writes) if write == "PUT virtualNetworkPeerings/to-hub"]
        assert len(peering) == 4
        document = harness.document(rid("virtualNetworks/virtualNetworkPeerings", f"vnet-{spoke}", "to-hub"))
        assert document["properties"]["useRemoteGateways"] is True
    gone = writes.index("DELETE virtualNetworkGateways/vgw-hub")
    back = writes.index("PUT virtualNetworkGateways/vgw-hub")
    assert [i < gone for i in peering] == [True, True, False, False]
    assert all(i > back for i in peering[2:])


def everything() -> Deployment:
    """A default site, a NAT rule on a connection, and two spokes."""
    deployment = hub_with_spokes("red", "blue", sku="VpnGw3AZ").plus(nat_rule("in"))
    linked = connection("berlin", ingressNatRules=[Ref.to(nat_rule("in").id)])
    lgw = Ref.to(rid("localNetworkGateways", "lgw-berlin"))
    return deployment.but(linked, gateway(sku="VpnGw3AZ", gatewayDefaultSite=lgw))


def test_replacing_a_hub_with_spokes_nat_and_a_default_site_converges(harness: Harness) -> None:
    before = harness.create(everything())
    lgw = Ref.to(rid("localNetworkGateways", "lgw-berlin"))
    after = before.but(gateway(sku="VpnGw2AZ", gatewayDefaultSite=lgw))

    changes = harness.changes(after, replace=GATEWAY)
    harness.converge(after, replace=GATEWAY)

    assert changes == {
        "VpnGateway/hub": "replace",
        "VpnConnection/hub/berlin": "replace",
        "NatRule/hub/in": "replace",
    }


def test_a_replaced_nat_rule_is_unlinked_from_its_connection_and_linked_again(harness: Harness) -> None:
    before = harness.create(everything())
    after = before.but(nat_rule("in", mode="EgressSnat"))
    linked = connection("berlin", egressNatRules=[Ref.to(nat_rule("in").id)])
    after = after.but(linked)
    harness.mark()

    changes = harness.changes(after)
    harness.converge(after)

    assert changes["NatRule/hub/in"] == "replace"
    assert [w for w in harness.writes() if "berlin" in w or "natRules" in w] == [
        "PUT connections/con-berlin",
        "DELETE natRules/in",
        "PUT natRules/in",
        "PUT connections/con-berlin",
    ]


def test_a_replaced_default_site_is_taken_off_the_gateway_and_put_back(harness: Harness) -> None:
    lgw = Ref.to(rid("localNetworkGateways", "lgw-berlin"))
    before = harness.create(hub("berlin", gatewayDefaultSite=lgw))

    changes = harness.changes(before, replace=frozenset({"LocalNetworkGateway/hub/berlin"}))
    harness.converge(before, replace=frozenset({"LocalNetworkGateway/hub/berlin"}))

    assert changes == {"LocalNetworkGateway/hub/berlin": "replace", "VpnConnection/hub/berlin": "replace"}
    off, gone, back, on = positions(
        harness,
        "PUT virtualNetworkGateways/vgw-hub",
        "DELETE localNetworkGateways/lgw-berlin",
        "PUT localNetworkGateways/lgw-berlin",
        "PUT connections/con-berlin",
    )
    assert off < gone < back < on
    assert harness.writes().count("PUT virtualNetworkGateways/vgw-hub") == 2


def test_a_removed_default_site_is_taken_off_before_it_is_deleted(harness: Harness) -> None:
    lgw = Ref.to(rid("localNetworkGateways", "lgw-berlin"))
    before = harness.create(hub("berlin", "paris", gatewayDefaultSite=lgw))
    after = before.but(gateway()).without("LocalNetworkGateway/hub/berlin", "VpnConnection/hub/berlin")

    harness.converge(after)

    off, gone = positions(harness, "PUT virtualNetworkGateways/vgw-hub", "DELETE localNetworkGateways/lgw-berlin")
    assert off < gone


def test_a_removed_nat_rule_is_unlinked_first(harness: Harness) -> None:
    before = harness.create(everything())

    harness.converge(before.but(connection("berlin")).without("NatRule/hub/in"))

    assert [w for w in harness.writes() if "nat" in w or "con-" in w] == [
        "PUT connections/con-berlin",
        "DELETE natRules/in",
    ]


def active_active(ips: int) -> Deployment:
    properties = {"activeActive": True} if ips > 1 else {}
    return Deployment("hub", (*base(ips=ips), gateway(ips=ips, **properties)))


def test_leaving_active_active_releases_the_surplus_public_ip_after_the_gateway(harness: Harness) -> None:
    harness.create(active_active(2))

    harness.converge(active_active(1))

    assert harness.writes() == ["PUT virtualNetworkGateways/vgw-hub", "DELETE publicIPAddresses/pip-hub-2"]


def test_a_public_ip_is_only_replaced_by_name_and_its_gateway_follows(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))

    changes = harness.changes(deployment, replace=frozenset({"PublicIp/hub/1"}))
    with pytest.raises(Refused) as refused:
        harness.apply(deployment, replace=frozenset({"PublicIp/hub/1"}))
    harness.converge(deployment, replace=frozenset({"PublicIp/hub/1", "VpnGateway/hub"}))

    assert changes == {
        "PublicIp/hub/1": "replace",
        "VpnGateway/hub": "replace",
        "VpnConnection/hub/berlin": "replace",
    }
    assert [f.address for f in refused.value.findings if f.blocks] == ["VpnGateway/hub"]


def test_who_uses_the_address_of_a_replaced_public_ip_is_updated_and_not_replaced(harness: Harness) -> None:
    items = (public_ip(), site("far", gatewayIpAddress=public_ip_output()))
    deployment = harness.create(hub_without_gateway().plus(*items))
    named = frozenset({"PublicIp/hub/1"})

    changes = harness.changes(deployment, replace=named)
    harness.converge(deployment, replace=named)

    assert changes == {"PublicIp/hub/1": "replace", "LocalNetworkGateway/hub/far": "update"}
    address = harness.document(rid("publicIPAddresses", "pip-hub-1"))["properties"]["ipAddress"]
    assert harness.document(rid("localNetworkGateways", "lgw-far"))["properties"]["gatewayIpAddress"] == address


def test_an_update_that_waited_for_an_output_is_dropped_if_nothing_differs(harness: Harness) -> None:
    items = (public_ip(), site("far", tags={"a": "1"}, gatewayIpAddress=public_ip_output()))
    deployment = harness.create(hub_without_gateway().plus(*items))
    identity = str(rid("publicIPAddresses", "pip-hub-1"))
    address = harness.document(rid("publicIPAddresses", "pip-hub-1"))["properties"]["ipAddress"]
    harness.simulator.delete(identity)

    plan = harness.plan(deployment)

    change = next(c for c in plan.changes if c.address == "LocalNetworkGateway/hub/far")
    assert address
    assert [d.declared for d in change.differences] == ["(known after PublicIp/hub/1)"]
    assert change.known_after == ("PublicIp/hub/1",)


def test_a_sku_that_microsoft_moved_is_a_warning_and_never_a_replacement(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))
    identity = rid("virtualNetworkGateways", "vgw-hub")
    document = harness.document(identity)
    document["properties"]["sku"] = {"name": "VpnGw3AZ", "tier": "VpnGw3AZ"}
    harness.simulator.put(str(identity), document)
    harness.mark()

    plan = harness.plan(deployment)
    outcome = harness.apply(deployment)

    told = [f for f in plan.findings if f.rule == "V-MOVED-01"]
    assert plan.changes == ()
    assert "VpnGw3AZ" in told[0].detail
    assert (outcome.outcome, harness.writes()) == ("succeeded", [])
    assert all(item.severity == "cosmetic" for item in harness.drift(deployment).items)


def test_an_update_of_a_gateway_that_microsoft_moved_carries_the_observed_sku(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))
    identity = rid("virtualNetworkGateways", "vgw-hub")
    document = harness.document(identity)
    document["properties"]["sku"] = {"name": "VpnGw3AZ", "tier": "VpnGw3AZ"}
    harness.simulator.put(str(identity), document)

    outcome = harness.apply(deployment.but(gateway(enableDnsForwarding=True)))

    now = harness.document(identity)["properties"]
    assert outcome.outcome == "succeeded"
    assert (now["sku"]["name"], now["enableDnsForwarding"]) == ("VpnGw3AZ", True)


def test_a_given_name_that_is_edited_replaces_and_says_which_part_changed(harness: Harness) -> None:
    before = harness.create(hub_without_gateway("berlin"))
    after = before.but(site("berlin", identity="lgw-hamburg"))

    change = harness.change(after, "LocalNetworkGateway/hub/berlin")
    harness.converge(after)

    assert (change.action, change.reason) == ("replace", "its name changes")
    assert not harness.exists(rid("localNetworkGateways", "lgw-berlin"))
    assert harness.exists(rid("localNetworkGateways", "lgw-hamburg"))


def test_a_renamed_local_network_gateway_is_made_first_and_its_connection_repointed(harness: Harness) -> None:
    before = harness.create(hub("berlin"))
    after = before.but(site("berlin", identity="lgw-hamburg"), connection("berlin", to="lgw-hamburg"))

    changes = harness.changes(after)
    harness.converge(after)

    assert changes == {"LocalNetworkGateway/hub/berlin": "replace", "VpnConnection/hub/berlin": "update"}
    assert harness.writes() == [
        "PUT localNetworkGateways/lgw-hamburg",
        "PUT connections/con-berlin",
        "DELETE localNetworkGateways/lgw-berlin",
    ]


def test_the_old_one_of_a_rename_is_not_forgotten_when_the_repointing_fails(harness: Harness) -> None:
    from vpngw_iac.simulator.faults import AnswerInstead

    before = harness.create(hub("berlin"))
    after = before.but(site("berlin", identity="lgw-hamburg"), connection("berlin", to="lgw-hamburg"))
    refusal = AnswerInstead(status=400, code="BadRequest", message="No.")
    harness.fault(refusal, method="PUT", path="*/connections/con-berlin")

    failed = harness.apply(after)
    harness.converge(after)

    assert failed.outcome == "failed"
    assert not harness.exists(rid("localNetworkGateways", "lgw-berlin"))
    assert harness.exists(rid("localNetworkGateways", "lgw-hamburg"))


def test_a_network_in_another_group_replaces_everything_that_stands_in_it(harness: Harness) -> None:
    before = harness.create(hub_without_gateway())

    change = harness.change(
        before.but(network().model_copy(update={"id": rid("virtualNetworks", "vnet-hub", group="rg-other")})),
        "VirtualNetwork/hub",
    )

    assert (change.action, change.reason) == ("replace", "its resource group changes")


def test_a_gateway_is_replaced_although_somebody_deleted_its_connection(harness: Harness) -> None:
    harness.create(hub("berlin", sku="VpnGw3AZ"))
    harness.simulator.delete(str(rid("connections", "con-berlin")))
    smaller = hub("berlin", sku="VpnGw2AZ")

    changes = harness.changes(smaller, replace=GATEWAY)
    harness.converge(smaller, replace=GATEWAY)

    assert changes == {"VpnGateway/hub": "replace", "VpnConnection/hub/berlin": "create"}


def third_ip() -> Deployment:
    """Active-active gateways with clients have a third public IP (R-AA-01)."""
    properties: dict[str, Any] = {"activeActive": True} | clients("berlin")
    return Deployment("hub", (*base(ips=3), gateway(ips=3, **properties), site("berlin"), connection("berlin")))


def test_the_third_public_ip_is_replaced_by_taking_it_off_the_gateway_and_putting_it_back(harness: Harness) -> None:
    deployment = harness.create(third_ip())
    named = frozenset({"PublicIp/hub/3"})

    changes = harness.changes(deployment, replace=named)
    harness.converge(deployment, replace=named)

    assert changes == {"PublicIp/hub/3": "replace"}
    assert harness.writes() == [
        "PUT virtualNetworkGateways/vgw-hub",
        "DELETE publicIPAddresses/pip-hub-3",
        "PUT publicIPAddresses/pip-hub-3",
        "PUT virtualNetworkGateways/vgw-hub",
    ]
    held = harness.document(rid("virtualNetworkGateways", "vgw-hub"))["properties"]
    assert len(held["ipConfigurations"]) == 3
    assert len(held["vpnClientConfiguration"]["vpnClientRootCertificates"]) == 1


@pytest.mark.parametrize("looks", range(2, 30, 4))
def test_whoever_dies_while_the_third_public_ip_is_off_is_continued(harness: Harness, looks: int) -> None:
    deployment = harness.create(third_ip())
    harness.clock.dies_at = harness.clock.looks + looks
    with pytest.raises(Killed):
        harness.apply(deployment, replace=frozenset({"PublicIp/hub/3"}))

    again = {f.address for f in harness.plan(deployment).findings if f.rule == "V-REPLACE-01"}
    harness.converge(deployment, **({"replace": frozenset(again)} if again else {}))

    held = harness.document(rid("virtualNetworkGateways", "vgw-hub"))["properties"]
    assert len(held["ipConfigurations"]) == 3
    assert not [w for w in harness.writes() if w == "DELETE virtualNetworkGateways/vgw-hub"]
