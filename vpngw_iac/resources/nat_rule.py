"""NAT rules of a VPN gateway."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from vpngw_iac.arm import ArmId
from vpngw_iac.field import Cidr, Immutable, Outage, ServerDefault
from vpngw_iac.resources.base import ChildResource, Durations, OperationLock, UsedPart
from vpngw_iac.resources.wire import WireModel

NAT_RULES = "Microsoft.Network/virtualNetworkGateways/natRules"

NAT_SKUS = frozenset({"VpnGw2", "VpnGw3", "VpnGw4", "VpnGw5", "VpnGw2AZ", "VpnGw3AZ", "VpnGw4AZ", "VpnGw5AZ"})
"""SKUs of gateways that have NAT (R-NAT-01)."""


def nat_of(gateway: ArmId) -> UsedPart:
    """NAT as what a gateway of such a SKU offers to its rules."""
    return UsedPart(gateway, "NAT")


class NatMapping(WireModel):
    """One prefix, and ports for a dynamic rule (R-NAT-06)."""

    address_space: Cidr
    port_range: str | None = None


class NatRuleProperties(WireModel):
    """Properties of a NAT rule; mappings change in place, the rest does not.

    Type and mode are added when left out (recording ``test_network_vnet_gateway_nat_rule``).
    """

    type: Annotated[
        Literal["Static", "Dynamic"] | None, Immutable("the type of a NAT rule cannot change"), ServerDefault("Static")
    ] = None
    mode: Annotated[
        Literal["EgressSnat", "IngressSnat"] | None,
        Immutable("the direction of a NAT rule cannot change"),
        ServerDefault("EgressSnat"),
    ] = None
    internal_mappings: Annotated[
        tuple[NatMapping, ...], Outage("seconds", source="azurerm: virtual_network_gateway_nat_rule")
    ]
    external_mappings: Annotated[
        tuple[NatMapping, ...], Outage("seconds", source="azurerm: virtual_network_gateway_nat_rule")
    ]
    # The instance of an active-active gateway (R-NAT-11); a part of the rule's own gateway.
    ip_configuration_id: Annotated[ArmId | None, Immutable("a NAT rule stays on its instance (R-NAT-11)")] = None


class NatRule(ChildResource):
    """A NAT rule. Azure works on the whole gateway for it: 133 s in ``test_network_vnet_gateway_nat_rule``."""

    arm_type: ClassVar[str] = NAT_RULES
    kind: ClassVar[str] = "NatRule"
    sdk: ClassVar[str] = "network.virtual_network_gateway_nat_rules"
    durations: ClassVar[Durations] = Durations(create=130, update=130, delete=130)

    properties: NatRuleProperties

    @classmethod
    def uses(cls, resource_id: ArmId, document: Mapping[str, Any]) -> frozenset[UsedPart] | None:
        """The instance that it is bound to, and NAT itself: a SKU without it is not a SKU for a gateway with rules."""
        bound = (document.get("properties") or {}).get("ipConfigurationId")
        nat = {nat_of(resource_id.parent)} if resource_id.parent else set()
        return frozenset({*nat, UsedPart(ArmId(str(bound)))} if bound else nat)

    @classmethod
    def locks(cls, resource_id: ArmId, body: Mapping[str, Any], verb: str) -> tuple[OperationLock, ...]:
        """Rules and connections of one gateway share how much Azure bears at once."""
        gateway = resource_id.parent
        shared = (OperationLock(f"{gateway.key}/writes", adaptive=True),) if gateway else ()
        return (OperationLock(resource_id.key), *shared)
