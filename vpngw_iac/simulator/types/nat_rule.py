"""NAT rules of a VPN gateway.

Evidence: ``test_network_vnet_gateway_nat_rule`` (defaults, inside the gateway's body), R-NAT-01 to R-NAT-05. Calls on
the child resource itself are in no recording; they follow the other children.
"""

from __future__ import annotations

from vpngw_iac.simulator.checks import check_prefixes
from vpngw_iac.simulator.cloud_view import CloudView, same
from vpngw_iac.simulator.document import Document, Hold
from vpngw_iac.simulator.instance_checks import check_nat_rule
from vpngw_iac.simulator.kind import Kind, PutRequest, defaults, exclusively
from vpngw_iac.simulator.refusal import Refusal, not_provisioned
from vpngw_iac.simulator.relations import connections_of
from vpngw_iac.simulator.skus import NAT
from vpngw_iac.simulator.wire import Json


class NatRule(Kind):
    """``Microsoft.Network/virtualNetworkGateways/natRules``."""

    arm_type = "Microsoft.Network/virtualNetworkGateways/natRules"
    has_location = False
    has_guid = False
    contention = 409
    top_level = ()
    create_seconds = 60.0
    update_seconds = 60.0
    remove_seconds = 60.0

    def fill(self, change: PutRequest) -> Json:
        """Static and EgressSnat when not said."""
        properties = super().fill(change)
        defaults(properties, type="Static", mode="EgressSnat", internalMappings=[], externalMappings=[])
        return properties

    def check(self, change: PutRequest, properties: Json) -> None:
        """Prefixes; type and mode stay (provider and Microsoft's NAT page)."""
        for side in ("internalMappings", "externalMappings"):
            check_prefixes([mapping.get("addressSpace") for mapping in properties[side]], change.id)
        for name in ("type", "mode"):
            if change.before is not None and change.earlier[name] != properties[name]:
                raise Refusal(
                    400,
                    "VpnNatRuleUnsupportedPropertyUpdate",  # code not recorded
                    f"Property {name} of NAT rule {change.id} cannot be changed after creation.",
                )
        gateway = change.cloud.find(change.id.parent)
        if gateway is not None and not change.embedded:
            if gateway.state != "Succeeded":
                raise not_provisioned(gateway.id, str(change.id), gateway.state)
            check_sku(gateway.body["properties"]["sku"]["name"], change)
            check_nat_rule(change, properties, gateway)

    def holds(self, change: PutRequest) -> dict[str, Hold]:
        """Shares the gateway with its connections."""
        holds = exclusively(change.id)
        if change.id.parent is not None:
            holds[change.id.parent.key] = "shared"
        return holds

    def refuse_delete(self, cloud: CloudView, document: Document) -> None:
        """Refused while a connection is linked to it (R-NAT-16); the code is not recorded."""
        gateway = str(document.arm_id.parent)
        for connection in connections_of(cloud, gateway):
            links = [
                *connection.properties.get("ingressNatRules", []),
                *connection.properties.get("egressNatRules", []),
            ]
            if any(same(link, document.id) for link in links):
                raise Refusal(
                    400,
                    "VpnNatRuleInUse",
                    f"NAT rule {document.id} cannot be deleted because it is in use by connection {connection.id}.",
                )

    def settle(self, cloud: CloudView, document: Document) -> Json | None:
        """The gateway's etag changes with its rules."""
        cloud.touch(document.arm_id.parent)
        return None

    def removed(self, cloud: CloudView, document: Document) -> None:
        """The gateway's etag changes with its rules."""
        cloud.touch(document.arm_id.parent)


def check_sku(sku: str, change: PutRequest) -> None:
    """NAT is not for every SKU (R-NAT-01); the code is not recorded."""
    if sku not in NAT:
        raise Refusal(
            400,
            "NatRulesNotSupportedOnGatewaySku",
            f"NAT rules are not supported on gateway {change.id} with SKU {sku}.",
        )


KIND = NatRule()
