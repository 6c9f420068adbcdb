"""Local network gateways: the device on the other side, seen from Azure."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from vpngw_iac.field import Block, Fqdn, Ipv4, Outage
from vpngw_iac.resources.base import Durations, Resource, Role
from vpngw_iac.resources.parts import AddressSpace, PeerBgpSettings
from vpngw_iac.resources.wire import Output, WireModel

# Changes in place; the tunnel is established again.
_AGAIN = Outage("seconds", source="R-LNG-12")


class LocalNetworkGatewayProperties(WireModel):
    """Exactly one of address and name (R-LNG-01); prefixes may be empty with BGP (R-LNG-08)."""

    gateway_ip_address: Annotated[Ipv4 | Output | None, _AGAIN] = None
    fqdn: Annotated[Fqdn | None, _AGAIN] = None
    local_network_address_space: Annotated[AddressSpace | None, Block(), _AGAIN] = None
    bgp_settings: Annotated[PeerBgpSettings | None, Block(), _AGAIN] = None


class LocalNetworkGateway(Resource):
    """A local network gateway; Azure invents nothing but ``peerWeight`` (recording ``test_network_local_gateway``)."""

    arm_type: ClassVar[str] = "Microsoft.Network/localNetworkGateways"
    kind: ClassVar[str] = "LocalNetworkGateway"
    sdk: ClassVar[str] = "network.local_network_gateways"
    durations: ClassVar[Durations] = Durations(create=15, update=15, delete=12)
    role: ClassVar[Role] = "site"
    facts: ClassVar[Mapping[str, str]] = {
        "device": "properties.gatewayIpAddress",
        "fqdn": "properties.fqdn",
        "prefixes": "properties.localNetworkAddressSpace.addressPrefixes",
    }
    individual: ClassVar[frozenset[str]] = frozenset({"asn"})
    # A connection takes another local network gateway in place, so a renamed one is made before the old one goes.
    may_coexist: ClassVar[bool] = True

    properties: LocalNetworkGatewayProperties
