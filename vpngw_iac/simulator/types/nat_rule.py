"""NAT rules of a VPN gateway.

Evidence: ``test_network_vnet_gateway_nat_rule`` (defaults, inside the gateway's body), R-NAT-01 to R-NAT-05. Calls on
the child resource itself are in no recording; they follow the other children.
"""

from __future__ import annotations

import re

from vpngw_iac.simulator.checks import check_prefixes
from vpngw_iac.simulator.cloud_view import CloudView, same
from vpngw_iac.simulator.document import Document, Hold
from vpngw_iac.simulator.instance_checks import check_nat_rule
from vpngw_iac.simulator.kind import MemberKind, PutRequest, defaults, exclusively
from vpngw_iac.simulator.refusal import not_provisioned, refuse
from vpngw_iac.simulator.relations import connections_of
from vpngw_iac.simulator.skus import NAT
from vpngw_iac.simulator.wire import Json

_LARGEST_BITS = 6
"""Bits of an address that Dynamic NAT may choose: a /26."""


class NatRule(MemberKind):
    """``Microsoft.Network/virtualNetworkGateways/natRules``."""

    arm_type = "Microsoft.Network/virtualNetworkGateways/natRules"
    create_seconds = update_seconds = remove_seconds = 130.0
    """A rule is a write of its gateway: 133 s (``test_network_vnet_gateway_nat_rule``)."""

    def fill(self, change: PutRequest) -> Json:
        """Static and EgressSnat when not said."""
        properties = super().fill(change)
        defaults(properties, type="Static", mode="EgressSnat", internalMappings=[], externalMappings=[])
        return properties

    def check(self, change: PutRequest, properties: Json) -> None:
        """Prefixes; type and mode stay (provider and Microsoft's NAT page)."""
        for side in ("internalMappings", "externalMappings"):
            check_prefixes([mapping.get("addressSpace") for mapping in properties[side]], change.id)
            for mapping in properties[side]:
                _check_ports(change, mapping.get("portRange"))
        _check_size(change, properties)
        for name in ("type", "mode"):
            if change.before is not None and change.earlier[name] != properties[name]:
                raise refuse(
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
                raise refuse(
                    "VpnNatRuleInUse",
                    f"NAT rule {document.id} cannot be deleted because it is in use by connection {connection.id}.",
                )


def _check_ports(change: PutRequest, ports: object) -> None:
    """A port, or a range of ports from low to high; the code is not recorded."""
    found = re.fullmatch(r"(\d+)(?:-(\d+))?", str(ports)) if ports else None
    low, high = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if ports and not 1 <= low <= high <= 65535:
        raise refuse("VpnNatRulePortRangeInvalid", f"Port range {ports} of NAT rule {change.id} is not valid.")


def _check_size(change: PutRequest, properties: Json) -> None:
    """Dynamic NAT goes to a /26 at most (MicrosoftDocs/azure-docs issues 91983, the text, and 92351; code assumed)."""
    outer = check_prefixes([mapping.get("addressSpace") for mapping in properties["externalMappings"]], change.id)
    if properties["type"] == "Dynamic" and any(one.max_prefixlen - one.prefixlen > _LARGEST_BITS for one in outer):
        rule = "/".join(change.id.names)
        told = f"The NAT rule {rule} has an external mapping subnet that exceeds size limits. "
        most = "Maximum external mapping subnet size for Dynamic NAT is /26."
        raise refuse("VpnNatRuleExternalMappingTooLarge", told + most)


def check_sku(sku: str, change: PutRequest) -> None:
    """NAT is not for every SKU (R-NAT-01); the code is not recorded."""
    if sku not in NAT:
        raise refuse(
            "NatRulesNotSupportedOnGatewaySku", f"NAT rules are not supported on gateway {change.id} with SKU {sku}."
        )


KIND = NatRule()
