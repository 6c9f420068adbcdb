"""References are typed arrows; some can be taken off while their target is away."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from pydantic import ValidationError

from tests.resources.samples import arm_id, connection, gateway, ref, spoke_peering
from vpngw_iac.resources.base import Ref, Resource, TextRef
from vpngw_iac.resources.local_network_gateway import LocalNetworkGateway
from vpngw_iac.resources.nat_rule import NatRule
from vpngw_iac.resources.public_ip import PublicIp
from vpngw_iac.resources.subnet import Subnet
from vpngw_iac.resources.virtual_network_gateway import IpConfigurationProperties, VirtualNetworkGateway
from vpngw_iac.resources.wire import WireModel, render


def arrows(resource: Resource) -> dict[str, bool]:
    """Detachable or not, by path."""
    return {path: loose for path, _, loose in resource.references()}


def test_every_reference_is_found_with_its_path() -> None:
    assert arrows(connection()) == {
        "properties.virtualNetworkGateway1": False,
        "properties.localNetworkGateway2": False,
    }


def test_the_first_two_instances_of_a_gateway_hold_their_addresses_and_the_third_lets_go() -> None:
    found = arrows(gateway("default", "activeActive", "p2s"))

    path = "properties.ipConfigurations[{}].properties.publicIPAddress"
    assert [found[path.format(index)] for index in range(3)] == [False, False, True]


def test_the_third_instance_is_taken_off_as_a_whole() -> None:
    resource = gateway("default", "activeActive", "p2s")

    without = resource.body_without(["properties.ipConfigurations[2].properties.publicIPAddress"])

    names = [item["name"] for item in without["properties"]["ipConfigurations"]]
    assert names == ["default", "activeActive"]
    assert len(resource.body()["properties"]["ipConfigurations"]) == 3


def test_the_default_site_is_left_out() -> None:
    resource = gateway(gateway_default_site=ref(LocalNetworkGateway, "lgw-berlin"))

    without = resource.body_without(["properties.gatewayDefaultSite"])

    assert arrows(resource)["properties.gatewayDefaultSite"]
    assert "gatewayDefaultSite" not in without["properties"]


def test_one_of_two_nat_rules_is_left_out_and_the_other_stays() -> None:
    resource = connection(
        ingress_nat_rules=(ref(NatRule, "vgw-hub", "one"), ref(NatRule, "vgw-hub", "two")),
        egress_nat_rules=(ref(NatRule, "vgw-hub", "three"),),
    )

    without = resource.body_without(["properties.ingressNatRules[0]", "properties.egressNatRules[0]"])["properties"]

    assert [str(arm_id(NatRule, "vgw-hub", "two"))] == [rule["id"] for rule in without["ingressNatRules"]]
    assert without["egressNatRules"] == []


def test_two_rules_of_one_list_are_left_out_together() -> None:
    names = [f"rule-{index}" for index in range(12)]
    resource = connection(ingress_nat_rules=tuple(ref(NatRule, "vgw-hub", name) for name in names))

    without = resource.body_without([f"properties.ingressNatRules[{index}]" for index in (2, 10)])

    kept = [rule["id"].rsplit("/", 1)[1] for rule in without["properties"]["ingressNatRules"]]
    assert [name for name in names if name not in ("rule-2", "rule-10")] == kept


def test_a_spoke_that_uses_the_hubs_gateway_lets_go_of_it_by_its_flag() -> None:
    resource = spoke_peering(transit=True)

    assert arrows(resource)["needs"]
    assert resource.body_without(["needs"])["properties"]["useRemoteGateways"] is False
    assert resource.body()["properties"]["useRemoteGateways"] is True


def test_a_peering_without_transit_cannot_let_go_by_a_flag() -> None:
    resource = spoke_peering(transit=False)

    assert not arrows(resource)["needs"]
    assert resource.body() == resource.body_without(["needs"])


def test_a_reference_that_cannot_be_taken_off_stays() -> None:
    resource = connection()

    assert resource.body() == resource.body_without(["properties.localNetworkGateway2"])


def test_a_reference_to_another_type_is_refused() -> None:
    wrong: Any = ref(PublicIp, "pip")

    with pytest.raises(ValidationError, match=r"expected a reference to Microsoft.Network/virtualNetworks/subnets"):
        IpConfigurationProperties(subnet=wrong)


def test_an_id_of_another_type_is_refused() -> None:
    wrong: Any = {"id": str(arm_id(PublicIp, "pip"))}

    with pytest.raises(ValidationError, match=r"got Microsoft.Network/publicIPAddresses"):
        IpConfigurationProperties(subnet=wrong)


def test_an_id_of_a_part_means_the_resource_it_belongs_to() -> None:
    class Holder(WireModel):
        arrow: Ref[VirtualNetworkGateway]
        text: TextRef[VirtualNetworkGateway]

    part = gateway().part("ipConfigurations", "default")

    holder = Holder.model_validate({"arrow": {"id": str(part.id)}, "text": str(part.id)})

    assert part == holder.arrow
    assert gateway().id == holder.text.target
    assert {"arrow": {"id": str(part.id)}, "text": str(part.id)} == render(holder)


def test_an_arrow_becomes_text_where_the_wire_wants_text() -> None:
    class Holder(WireModel):
        text: TextRef[VirtualNetworkGateway]

    arrow: Any = gateway().ref()

    assert {"text": str(gateway().id)} == render(Holder(text=arrow))


def test_references_are_values() -> None:
    one, same_in_capitals = ref(Subnet, "v", "s"), Ref[Subnet].to(str(arm_id(Subnet, "v", "s")).upper())

    assert one == same_in_capitals
    assert len({one, same_in_capitals}) == 1
    assert one == pickle.loads(pickle.dumps(one))
    assert "subnets/s" in repr(one)
    with pytest.raises(AttributeError, match="immutable"):
        one.id = arm_id(Subnet, "v", "t")
