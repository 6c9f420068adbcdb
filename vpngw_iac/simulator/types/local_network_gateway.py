"""Local network gateways: the simplest type.

Evidence: ``test_network_local_gateway``, ``java_testLocalNetworkGateways`` (answers), and
``xplat_arm-network-local-gateway-tests-generated`` (InvalidIpAddress, InvalidAddressPrefixFormat,
LocalNetworkGatewayCannotHaveZeroAsn, and the late failure of a bad BGP peer).
"""

from __future__ import annotations

from vpngw_iac.simulator.checks import check_prefixes, is_address
from vpngw_iac.simulator.cloud_view import CloudView, same
from vpngw_iac.simulator.document import Document
from vpngw_iac.simulator.kind import Kind, PutRequest
from vpngw_iac.simulator.refusal import refuse
from vpngw_iac.simulator.relations import CONNECTIONS, GATEWAYS
from vpngw_iac.simulator.wire import Json


class LocalNetworkGateway(Kind):
    """``Microsoft.Network/localNetworkGateways``."""

    arm_type = "Microsoft.Network/localNetworkGateways"
    etag_header = True
    quick = True
    create_seconds = update_seconds = remove_seconds = 11.0

    def fill(self, change: PutRequest) -> Json:
        """Nothing is invented but the weight of a BGP peer that was sent."""
        properties = super().fill(change)
        space = properties.get("localNetworkAddressSpace") or {}
        if "localNetworkAddressSpace" in properties:
            space.setdefault("addressPrefixes", [])  # {} is answered so (test_network_local_gateway of 2017)
            properties["localNetworkAddressSpace"] = space
        if "bgpSettings" in properties:
            properties["bgpSettings"].setdefault("peerWeight", 0)
        return properties

    def check(self, change: PutRequest, properties: Json) -> None:
        """Prefixes, one address or name, an ASN."""
        check_prefixes((properties.get("localNetworkAddressSpace") or {}).get("addressPrefixes", []), change.id)
        address, name = properties.get("gatewayIpAddress"), properties.get("fqdn")
        if bool(address) == bool(name):
            raise refuse(
                "LocalNetworkGatewayMustHaveIpAddressOrFqdn",  # R-LNG-01; code not recorded
                f"Local network gateway {change.id} must have exactly one of gatewayIpAddress and fqdn.",
            )
        if address and not is_address(str(address)):
            raise refuse("InvalidIpAddress", f"The IP Address {address} is invalid.")
        if properties.get("bgpSettings", {"asn": 1}).get("asn") in (0, None):
            raise refuse(
                "LocalNetworkGatewayCannotHaveZeroAsn",
                f"The local network gateway {change.id} cannot have an ASN of zero",
            )

    def settle(self, cloud: CloudView, document: Document) -> Json | None:
        """A peer address that is not an address makes the operation fail, with a space before its code."""
        peer = (document.properties.get("bgpSettings") or {}).get("bgpPeeringAddress")
        if peer and not is_address(str(peer)):
            message = f" BadRequest: InvalidIPAddress - The specified BGP peer IP address '{peer}' is not valid."
            return {"code": " InternalError", "message": message, "details": []}
        return None

    def refuse_delete(self, cloud: CloudView, document: Document) -> None:
        """Refused while a connection leads to it (R-ORD-02, R-LNG-13); the code is not recorded."""
        users = [
            other.id
            for other in cloud.of_type(CONNECTIONS)
            if same(other.properties.get("localNetworkGateway2"), document.id)
        ] + [
            other.id
            for other in cloud.of_type(GATEWAYS)
            if same(other.properties.get("gatewayDefaultSite"), document.id)
        ]
        for used_by in users:
            raise refuse(
                "LocalNetworkGatewayCannotBeDeleted",
                f"Local network gateway {document.id} cannot be deleted because it is in use by {used_by}.",
            )


KIND = LocalNetworkGateway()
