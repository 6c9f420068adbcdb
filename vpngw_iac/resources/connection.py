"""Connections of gateways: to a site (IPsec), to another gateway (Vnet2Vnet), to a circuit (ExpressRoute)."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from vpngw_iac.arm import ArmId
from vpngw_iac.field import (
    Block,
    Detachable,
    Immutable,
    KeyedBy,
    NotInList,
    Observed,
    Outage,
    ReadOnly,
    ServerDefault,
    Unordered,
    WriteOnly,
)
from vpngw_iac.paths import value_at
from vpngw_iac.resources.base import Durations, KeyCall, OperationLock, Resource, Role, Tunnel, UsedPart
from vpngw_iac.resources.local_network_gateway import LocalNetworkGateway
from vpngw_iac.resources.nat_rule import NatRule
from vpngw_iac.resources.parts import CertificateText, IdOnly, IpsecPolicy
from vpngw_iac.resources.virtual_network_gateway import VirtualNetworkGateway
from vpngw_iac.resources.wire import Output, Ref, WireModel, elsewhere
from vpngw_iac.secret import SecretReference

if TYPE_CHECKING:
    from vpngw_iac.resources.express_route_circuit import ExpressRouteCircuit
else:
    ExpressRouteCircuit = elsewhere("Microsoft.Network/expressRouteCircuits")

# The tunnel drops for a few seconds while both sides agree again (R-IPSEC-07, R-PSK-05).
_SECONDS = Outage("seconds", source="R-IPSEC-07")
# Setting a key takes seconds (R-PSK-05), but both ends must have the same one.
_NEW_KEY = Outage("reconfigure", source="R-PSK-05", until="the device has the new key")
_OTHER_PROOF = Outage("reconfigure", source="R-CERT-05", until="the device authenticates in the new way")


class CustomBgpAddress(WireModel):
    """Which APIPA address of which instance this connection uses (R-BGP-10)."""

    ip_configuration_id: ArmId
    custom_bgp_ip_address: str


class TrafficSelector(WireModel):
    """Prefixes that Azure proposes when it initiates (R-TS-04)."""

    local_address_ranges: Annotated[tuple[str, ...], Unordered()]
    remote_address_ranges: Annotated[tuple[str, ...], Unordered()]


class TunnelProperties(WireModel):
    """Addresses of one tunnel of a connection."""

    tunnel_ip_address: str
    bgp_peering_address: str | None = None


class PropagatedRouteTables(WireModel):
    """Where its routes go to: route tables by label or id."""

    labels: Annotated[tuple[str, ...] | None, Unordered()] = None
    ids: Annotated[tuple[IdOnly, ...] | None, Unordered()] = None


class RoutingConfiguration(WireModel):
    """Route tables and route maps of a connection; where there is none Azure answers nothing (no recording has one)."""

    associated_route_table: IdOnly | None = None
    propagated_route_tables: PropagatedRouteTables | None = None
    inbound_route_map: IdOnly | None = None
    outbound_route_map: IdOnly | None = None


class CertificateAuthentication(WireModel):
    """Certificates instead of a shared key: ours in Key Vault by secret id, theirs by subject and chain (R-CERT-05)."""

    outbound_auth_certificate: str
    inbound_auth_certificate_subject_name: str
    inbound_auth_certificate_chain: tuple[CertificateText, ...]


class ConnectionProperties(WireModel):
    """Properties of a connection; Azure fills in what is left out (``test_network_vpn_connection_ipsec``)."""

    # Azure answers IPsec to IPSec.
    connection_type: Annotated[
        Literal["IPsec", "Vnet2Vnet", "ExpressRoute", "VPNClient"],
        Immutable("what a connection joins is decided when it is created"),
    ]
    virtual_network_gateway1: Annotated[Ref[VirtualNetworkGateway], Immutable("a connection stays on its gateway")]
    virtual_network_gateway2: Annotated[
        Ref[VirtualNetworkGateway] | None, Immutable("a connection keeps its other gateway")
    ] = None
    # Another local network gateway on an IPsec connection is taken in place.
    local_network_gateway2: Annotated[Ref[LocalNetworkGateway] | None, _SECONDS] = None
    peer: Annotated[Ref[ExpressRouteCircuit] | None, Immutable("a connection keeps its circuit (R-ER-13)")] = None
    # Azure echoes it in GET and PUT answers and leaves it out of LIST.
    shared_key: Annotated[
        SecretReference | None,
        WriteOnly(),
        NotInList("test_network_vpn_connection_ipsec"),
        _NEW_KEY,
    ] = None
    # Of a circuit in another subscription (R-ER-12): made by Azure if the authorization is ours.
    # Azure redeems another one by making the connection anew; nothing says that its traffic goes on meanwhile.
    authorization_key: Annotated[SecretReference | Output | None, WriteOnly(), Outage("minutes", source="R-ER-12")] = (
        None
    )
    connection_protocol: Annotated[
        Literal["IKEv1", "IKEv2"] | None,
        Immutable("the IKE version of a connection cannot change (R-IKE-03)"),
        ServerDefault("IKEv2"),
    ] = None
    connection_mode: Annotated[
        Literal["Default", "InitiatorOnly", "ResponderOnly"] | None, ServerDefault("Default"), _SECONDS
    ] = None
    # 0 stands for the default of 45 seconds (recording ``test_network_vpn_connection_ipsec``; R-DPD-01).
    dpd_timeout_seconds: Annotated[int | None, ServerDefault(0), _SECONDS] = None
    enable_bgp: Annotated[bool | None, ServerDefault(False), _SECONDS] = None
    # One address per instance. Nobody else has a say in a connection of ours, but the instances are the gateway's: each
    # is compared by itself.
    gateway_custom_bgp_ip_addresses: Annotated[
        tuple[CustomBgpAddress, ...] | None, KeyedBy("ipConfigurationId"), ServerDefault([]), _SECONDS
    ] = None
    ipsec_policies: Annotated[
        tuple[IpsecPolicy, ...] | None, ServerDefault([]), Outage("seconds", source="R-IPSEC-07")
    ] = None
    use_policy_based_traffic_selectors: Annotated[bool | None, ServerDefault(False), _SECONDS] = None
    traffic_selector_policies: Annotated[tuple[TrafficSelector, ...] | None, ServerDefault([]), _SECONDS] = None
    use_local_azure_ip_address: Annotated[bool | None, ServerDefault(False), _SECONDS] = None
    # Rules are made on the gateway first, then linked; unlinked before they go (R-NAT-16).
    ingress_nat_rules: Annotated[
        tuple[Ref[NatRule], ...] | None, Unordered(), Detachable(), ServerDefault([]), _SECONDS
    ] = None
    egress_nat_rules: Annotated[
        tuple[Ref[NatRule], ...] | None, Unordered(), Detachable(), ServerDefault([]), _SECONDS
    ] = None
    authentication_type: Annotated[Literal["PSK", "Certificate"] | None, ServerDefault("PSK"), _OTHER_PROOF] = None
    certificate_authentication: Annotated[CertificateAuthentication | None, Block(), _OTHER_PROOF] = None
    routing_configuration: Annotated[RoutingConfiguration | None, Block()] = None
    tunnel_properties: Annotated[tuple[TunnelProperties, ...] | None, KeyedBy("tunnelIpAddress"), _SECONDS] = None
    # ExpressRoute only: higher weight wins (R-ER-14), FastPath (R-ER-20, R-ER-21).
    routing_weight: Annotated[int | None, ServerDefault(0), Outage("none", source="R-ER-14")] = None
    express_route_gateway_bypass: Annotated[bool | None, ServerDefault(False), Outage("none", source="R-ER-20")] = None
    enable_private_link_fast_path: Annotated[bool | None, ServerDefault(False)] = None

    # Volatile; missing while Updating, and in LIST.
    connection_status: Annotated[None, ReadOnly(), NotInList("test_network_vpn_connection_ipsec")] = None
    tunnel_connection_status: Annotated[None, ReadOnly(), NotInList("test_network_vpn_connection_ipsec")] = None
    ingress_bytes_transferred: Observed = None
    egress_bytes_transferred: Observed = None
    packet_capture_diagnostic_state: Annotated[
        None, ReadOnly("net_VirtualNetworkGateway_CanCreateVNetToVNetConnection")
    ] = None


class Connection(Resource):
    """A connection; it lives in the subscription and at the location of its first gateway."""

    arm_type: ClassVar[str] = "Microsoft.Network/connections"
    kind: ClassVar[str] = "Connection"
    sdk: ClassVar[str] = "network.virtual_network_gateway_connections"
    sdk_calls: ClassVar[Mapping[str, str]] = {
        **Resource.sdk_calls,
        "tag": "begin_update_tags",
        "act": "begin_set_shared_key",
    }
    # Recordings, durations: 10 to 125 s, with outliers of many minutes on active-active gateways.
    durations: ClassVar[Durations] = Durations(create=40, update=30, delete=30)
    role: ClassVar[Role] = "connection"
    facts: ClassVar[Mapping[str, str]] = {
        "status": "properties.connectionStatus",
        "type": "properties.connectionType",
        "tunnels": "properties.tunnelConnectionStatus",
        "ingress_bytes": "properties.ingressBytesTransferred",
        "egress_bytes": "properties.egressBytesTransferred",
    }
    security_paths: ClassVar[tuple[str, ...]] = ("sharedKey", "ipsecPolicies", "trafficSelector")
    individual: ClassVar[frozenset[str]] = frozenset({"sharedKey"})
    # The list of operations has known the call under both names.
    key_call: ClassVar[KeyCall | None] = KeyCall(
        "properties.sharedKey",
        "sharedKey",
        ("Microsoft.Network/connections/sharedKey/write", "Microsoft.Network/connections/sharedKey/action"),
    )
    blocks_writes_of: ClassVar[frozenset[Role]] = frozenset({"gateway"})  # R-OPS-03, R-OPS-04
    bgp_path: ClassVar[str] = "properties.enableBgp"  # each connection says so for itself (R-BGP-01)
    # Without a choice of addresses a connection uses the ordinary address of each instance.
    letting_go: ClassVar[tuple[str, ...]] = ("properties.gatewayCustomBgpIpAddresses",)

    instance: Literal[0, 1] | None = Field(default=None, exclude=True)
    """The one instance of an active-active gateway that the device is built to: the other tunnel is expected down."""
    live: bool = Field(default=True, exclude=True)
    """Whether it counts when it is verified."""
    expects: tuple[str, ...] = Field(default=(), exclude=True)
    """Prefixes that must be learned from the other side."""
    backup_of: str | None = Field(default=None, exclude=True)
    """The site or circuit link that it stands in for."""

    properties: ConnectionProperties

    def joins(self) -> Iterator[ArmId]:
        """With an authorization key nobody needs a right on the circuit, nor a token of its tenant (R-ER-12)."""
        properties = self.properties
        authorized = properties.peer if properties.authorization_key is not None else None
        yield from (target for target in super().joins() if authorized is None or target != authorized.target)

    @classmethod
    def uses(cls, resource_id: ArmId, document: Mapping[str, Any]) -> frozenset[UsedPart] | None:
        """Custom BGP addresses that it chose (R-BGP-10), and NAT rules; LIST answers tell no NAT rules.

        Before api-version 2021-05-01 no answer told the choice; an ExpressRoute connection has none.
        """
        properties = document.get("properties") or {}
        chosen = properties.get("gatewayCustomBgpIpAddresses")
        if chosen is None and str(properties.get("connectionType")).lower() == "ipsec":
            return None
        rules = (*(properties.get("ingressNatRules") or ()), *(properties.get("egressNatRules") or ()))
        return frozenset(
            {UsedPart(ArmId(str(c["ipConfigurationId"])), str(c.get("customBgpIpAddress"))) for c in chosen or ()}
            | {UsedPart(ArmId(str(rule["id"]))) for rule in rules}
        )

    @classmethod
    def leads_to(cls, document: Mapping[str, Any]) -> frozenset[ArmId]:
        """The site, the other gateway or the circuit (``java_testVirtualNetworkGatewaySiteToSite``: LIST tells it)."""
        properties = document.get("properties") or {}
        ends = (properties.get(name) for name in ("localNetworkGateway2", "virtualNetworkGateway2", "peer"))
        return frozenset(ArmId(str(end["id"])) for end in ends if isinstance(end, Mapping) and end.get("id"))

    @classmethod
    def begins_at(cls, document: Mapping[str, Any]) -> ArmId | None:
        """Its own gateway."""
        return ArmId.of(value_at(document, "properties.virtualNetworkGateway1.id"))

    @classmethod
    def tunnels(cls, facts: Mapping[str, Any]) -> tuple[Tunnel, ...]:
        """One per instance, where Azure tells them apart."""
        return tuple(
            Tunnel(
                str(tunnel.get("tunnel", "")),
                str(tunnel.get("connectionStatus") or "Unknown"),
                tunnel.get("ingressBytesTransferred"),
                tunnel.get("egressBytesTransferred"),
                tunnel.get("lastConnectionEstablishedUtcTime"),
            )
            for tunnel in facts.get("tunnels") or ()
        )

    @classmethod
    def locks(cls, resource_id: ArmId, body: Mapping[str, Any], verb: str) -> tuple[OperationLock, ...]:
        """Connections of one gateway share how much Azure bears at once; a Vnet2Vnet one counts on both gateways."""
        own = OperationLock(resource_id.key)
        if verb == "tag":
            return (own,)
        properties = body.get("properties") or {}
        gateways = {
            ArmId(gateway["id"]).key
            for name in ("virtualNetworkGateway1", "virtualNetworkGateway2")
            if (gateway := properties.get(name))
        }
        return (own, *(OperationLock(f"{key}/writes", adaptive=True) for key in sorted(gateways)))
