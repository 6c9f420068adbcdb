"""What may not overlap, from the id and the body alone."""

from __future__ import annotations

import pytest

from tests.resources.samples import (
    arm_id,
    circuit,
    connection,
    gateway,
    gateway_subnet,
    nat_rule,
    ref,
    site,
    spoke_peering,
)
from vpngw_iac.resources.base import OperationLock, Resource
from vpngw_iac.resources.circuit_authorization import ExpressRouteCircuitAuthorization
from vpngw_iac.resources.circuit_peering import ExpressRouteCircuitPeering
from vpngw_iac.resources.nat_rule import NatRule
from vpngw_iac.resources.subnet import Subnet
from vpngw_iac.resources.virtual_network import VirtualNetwork
from vpngw_iac.resources.virtual_network_gateway import VirtualNetworkGateway
from vpngw_iac.resources.virtual_network_peering import VirtualNetworkPeering

GATEWAY = gateway().id.key
SUBNET = arm_id(Subnet, "vnet-hub", "GatewaySubnet").key
HUB = arm_id(VirtualNetwork, "vnet-hub").key
SPOKE = arm_id(VirtualNetwork, "vnet-spoke").key


def locks(resource: Resource, verb: str = "create") -> set[OperationLock]:
    return set(type(resource).locks(resource.id, resource.body(), verb))


@pytest.mark.parametrize("verb", ["create", "update", "delete"])
def test_a_write_to_a_gateway_holds_its_subnet_and_what_hangs_on_it(verb: str) -> None:
    assert {OperationLock(GATEWAY), OperationLock(f"{GATEWAY}/writes"), OperationLock(SUBNET)} == locks(
        gateway("default", "activeActive"), verb
    )


@pytest.mark.parametrize("verb", ["tag", "act"])
def test_a_tag_on_a_gateway_leaves_its_subnet_free(verb: str) -> None:
    assert {OperationLock(GATEWAY), OperationLock(f"{GATEWAY}/writes")} == locks(gateway(), verb)


def test_a_body_that_is_not_known_still_locks_the_resource() -> None:
    for model in (VirtualNetworkGateway, VirtualNetworkPeering):
        resource_id = arm_id(model, *["x"] * (len(model.arm_type.split("/")) - 1))
        assert OperationLock(resource_id.key) in model.locks(resource_id, {}, "delete")


def test_a_connection_shares_its_gateway_with_others() -> None:
    resource = connection()

    assert {OperationLock(resource.id.key), OperationLock(f"{GATEWAY}/writes", adaptive=True)} == locks(resource)
    assert {OperationLock(resource.id.key)} == locks(resource, "tag")
    assert locks(resource) == locks(resource, "act")


def test_a_connection_between_two_gateways_counts_on_both() -> None:
    other = arm_id(VirtualNetworkGateway, "vgw-other").key
    resource = connection(
        connection_type="Vnet2Vnet",
        local_network_gateway2=None,
        virtual_network_gateway2=ref(VirtualNetworkGateway, "vgw-other"),
    )

    assert {
        OperationLock(resource.id.key),
        OperationLock(f"{GATEWAY}/writes", adaptive=True),
        OperationLock(f"{other}/writes", adaptive=True),
    } == locks(resource)


def test_a_nat_rule_shares_the_gateway_with_connections() -> None:
    assert {
        OperationLock(arm_id(NatRule, "vgw-hub", "in").key),
        OperationLock(f"{GATEWAY}/writes", adaptive=True),
    } == locks(nat_rule())


def test_a_subnet_locks_its_network() -> None:
    assert {OperationLock(SUBNET), OperationLock(HUB)} == locks(gateway_subnet())


def test_a_peering_locks_both_networks_and_the_hubs_gateways() -> None:
    resource = spoke_peering(transit=True)

    assert {OperationLock(resource.id.key), OperationLock(HUB), OperationLock(SPOKE), OperationLock(SUBNET)} == locks(
        resource
    )


def test_a_peering_without_transit_leaves_the_gateways_alone() -> None:
    resource = spoke_peering(transit=False)

    assert {OperationLock(resource.id.key), OperationLock(HUB), OperationLock(SPOKE)} == locks(resource)


@pytest.mark.parametrize("model", [ExpressRouteCircuitPeering, ExpressRouteCircuitAuthorization])
def test_children_of_a_circuit_lock_it(model: type[Resource]) -> None:
    resource_id = arm_id(model, "erc-hub", "x")

    assert {OperationLock(resource_id.key), OperationLock(circuit().id.key)} == set(
        model.locks(resource_id, {}, "create")
    )


def test_other_resources_lock_themselves() -> None:
    assert {OperationLock(site().id.key)} == locks(site())
