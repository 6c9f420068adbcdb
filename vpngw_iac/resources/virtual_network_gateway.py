"""Virtual network gateways, VPN and ExpressRoute: the one resource that takes twenty minutes or more to make.

The update semantics stand in the markers: what changes in place, what it costs, and what only a new gateway can do.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from vpngw_iac.arm import ArmId
from vpngw_iac.errors import Finding
from vpngw_iac.field import (
    AnyCase,
    Block,
    Children,
    Detachable,
    Immutable,
    Items,
    KeyedBy,
    Observed,
    Outage,
    ReadOnly,
    ServerDefault,
    Transition,
    Verdict,
)
from vpngw_iac.paths import objects, value_at
from vpngw_iac.resources.base import Document, Durations, OperationLock, PartKind, Resource, Role, UsedPart
from vpngw_iac.resources.gateway_sku import generation_change, is_frozen, needs_generation_2, sku_change
from vpngw_iac.resources.local_network_gateway import LocalNetworkGateway
from vpngw_iac.resources.nat_rule import NAT_RULES, NAT_SKUS, nat_of
from vpngw_iac.resources.parts import AddressSpace, ExtendedLocation, ManagedIdentity
from vpngw_iac.resources.public_ip import PublicIp
from vpngw_iac.resources.subnet import Subnet
from vpngw_iac.resources.virtual_network import GATEWAY_SUBNET
from vpngw_iac.resources.vpn_client import PolicyGroup, VpnClientConfiguration
from vpngw_iac.resources.wire import Ref, WireModel

# VpnGw1 to VpnGw2 took 1446 s in a recording, as long as a create.
_RESIZE = Outage("minutes", rebuild=True, source="About gateway SKUs, resize: about 45 minutes")

# Both need the other side to learn something before BGP comes up again.
_NEW_ASN = Outage("none", peers="reconfigure", source="R-ER-02", until="the device has the new AS number")
_SWITCH = Outage(
    "minutes", peers="reconfigure", rebuild=True, source="R-AA-05", until="the device has the new BGP addresses"
)


class GatewaySku(WireModel):
    """SKU of a gateway. Azure wants name and tier, which are the same word."""

    name: Annotated[str, AnyCase(), Transition(sku_change), _RESIZE]
    tier: Annotated[str, AnyCase(), Transition(sku_change), _RESIZE] = Field(
        default_factory=lambda data: str(data.get("name", ""))
    )
    capacity: Observed = None


class IpConfigurationProperties(WireModel):
    """Where an instance of the gateway lives. ExpressRoute gateways get their public IP from Azure (R-PIP-11)."""

    # Azure documents no change of an existing entry; azurerm replaces the gateway.
    subnet: Annotated[Ref[Subnet], Immutable("an instance of a gateway stays in its subnet")]
    public_ip_address: Annotated[
        Ref[PublicIp] | None, Immutable("an instance of a gateway keeps its public IP"), Field(alias="publicIPAddress")
    ] = None
    private_ip_allocation_method: Annotated[
        Literal["Static", "Dynamic"] | None, ServerDefault("Dynamic"), Field(alias="privateIPAllocationMethod")
    ] = None
    # Shown only while enablePrivateIpAddress is true (recorded answers).
    private_ip_address: Annotated[None, ReadOnly(), Field(alias="privateIPAddress")] = None


class IpConfiguration(WireModel):
    """One instance of the gateway, or the third public IP that active-active point-to-site needs (R-PIP-07)."""

    name: str
    properties: IpConfigurationProperties


class InstanceBgp(WireModel):
    """BGP addresses of one instance; only the custom (APIPA) ones are ours to say (R-BGP-08)."""

    ipconfiguration_id: ArmId
    # Others hang connections on this gateway and put their addresses here, so that they are owned one by one.
    custom_bgp_ip_addresses: Annotated[
        tuple[str, ...], Items(), ServerDefault([]), Outage("seconds", source="R-BGP-09")
    ] = ()
    default_bgp_ip_addresses: Observed = None
    tunnel_ip_addresses: Observed = None


class GatewayBgp(WireModel):
    """BGP of the gateway. Azure adds the whole block even without BGP (recording ``test_network_vpn_gateway``)."""

    # Every peer must learn the new number; a way back to 65515 needs a gateway reset (R-ER-02).
    asn: Annotated[int | None, ServerDefault(65515), _NEW_ASN] = None
    peer_weight: Annotated[int | None, ServerDefault(0)] = None
    bgp_peering_addresses: Annotated[tuple[InstanceBgp, ...] | None, KeyedBy("ipconfigurationId", items_stay=True)] = (
        None
    )
    # Active-active: two addresses in one string; what is sent is silently replaced.
    bgp_peering_address: Annotated[None, ReadOnly("test_network_active_active_cross_premise_connection")] = None


class ScaleBounds(WireModel):
    """Scale units of ErGwScale; equal bounds fix the size (R-SKU-20)."""

    min: int
    max: int


class AutoScale(WireModel):
    """Scaling takes up to 30 minutes and interrupts nothing (R-SKU-25)."""

    bounds: Annotated[ScaleBounds, Outage("none", source="R-SKU-25")]
    # Follows bounds.min in recorded answers.
    min_scale_units: Annotated[None, ReadOnly("follows bounds.min")] = None


class GatewayProperties(WireModel):
    """Properties of a VPN or ExpressRoute gateway."""

    gateway_type: Annotated[
        Literal["Vpn", "ExpressRoute", "LocalGateway"], Immutable("the type of a gateway is decided when it is created")
    ]
    vpn_type: Annotated[
        Literal["RouteBased", "PolicyBased"] | None,
        Immutable("policy-based and route-based gateways do not become each other (R-IKE-09)"),
    ] = None
    vpn_gateway_generation: Annotated[
        Literal["None", "Generation1", "Generation2"] | None, Transition(generation_change)
    ] = None
    # Only a LocalGateway (in an edge zone) has none (recording test_network_vnet_gateway_local_gateway).
    sku: GatewaySku | None = None
    # Switching takes 30 to 45 minutes and gives the gateway other BGP addresses, which every peer must learn (R-AA-05,
    # R-BGP-11).
    active_active: Annotated[bool | None, ServerDefault(False), _SWITCH] = None
    ip_configurations: Annotated[tuple[IpConfiguration, ...], KeyedBy("name"), Detachable(items_from=2)]
    enable_bgp: Annotated[bool | None, ServerDefault(False), Outage("seconds", source="R-BGP-17")] = None
    bgp_settings: GatewayBgp | None = None
    # Switching it off took 1288 s in a recording, as long as a create.
    enable_private_ip_address: Annotated[
        bool | None, ServerDefault(False), Outage("minutes", rebuild=True, source="R-PRIV-02")
    ] = None
    vpn_client_configuration: Annotated[
        VpnClientConfiguration | None,
        Block(),
        Outage("none", clients="reconfigure", profiles=True, source="R-P2S-07, R-P2S-08"),
    ] = None
    virtual_network_gateway_policy_groups: Annotated[
        tuple[PolicyGroup, ...] | None,
        KeyedBy("name", alike=("properties.isDefault", "properties.policyMembers")),
        ServerDefault([]),
        Outage("none", source="R-UG-03"),
    ] = None
    # Azure's documentation says that null removes it (R-LNG-13).
    gateway_default_site: Annotated[
        Ref[LocalNetworkGateway] | None,
        Detachable(),
        ServerDefault(None),
        Outage("seconds", source="R-FT-01"),
    ] = None
    # Clients are disconnected while it is set (MicrosoftDocs/azure-docs#64508), and learn the routes from a new profile
    # (R-CR-01, MicrosoftDocs/azure-docs#54799: clients were restarted and had the new route only after a download).
    custom_routes: Annotated[
        AddressSpace | None, Block(), Outage("none", clients="seconds", profiles=True, source="R-CR-01")
    ] = None
    auto_scale_configuration: Annotated[AutoScale | None, Block()] = None
    disable_ipsec_replay_protection: Annotated[
        bool | None, ServerDefault(False), Field(alias="disableIPSecReplayProtection")
    ] = None
    enable_bgp_route_translation_for_nat: Annotated[bool | None, ServerDefault(False)] = None
    enable_dns_forwarding: Annotated[bool | None, ServerDefault(False)] = None
    # Both added as false since api-version 2023-09-01; off by default (R-ER-23).
    allow_virtual_wan_traffic: Annotated[bool | None, ServerDefault(False)] = None
    allow_remote_vnet_traffic: Annotated[bool | None, ServerDefault(False)] = None
    # No path from an existing gateway (R-HB-01).
    enable_high_bandwidth_vpn_gateway: Annotated[
        bool | None, ServerDefault(False), Immutable("only a new gateway gets high-bandwidth tunnels (R-HB-01)")
    ] = None
    # An ExpressRoute gateway was once seen to answer the empty text.
    admin_state: Annotated[Literal["Enabled", "Disabled"] | None, ServerDefault("")] = None
    resiliency_model: Literal["SingleHomed", "MultiHomed"] | None = None
    v_net_extended_location_resource_id: Annotated[
        ArmId | None, Immutable(), Field(alias="vNetExtendedLocationResourceId")
    ] = None

    # In the body of a GET since 2021-05-01; rules are resources of their own here.
    nat_rules: Annotated[None, Children(NAT_RULES)] = None
    inbound_dns_forwarding_endpoint: Observed = None
    # States, not settings (recording test_network_vnet_gateway_nat_rule); a migration must not be disturbed (R-OPS-10).
    virtual_network_gateway_migration_status: Annotated[None, ReadOnly("test_network_vnet_gateway_nat_rule")] = None
    packet_capture_diagnostic_state: Annotated[None, ReadOnly("test_network_vnet_gateway_nat_rule")] = None
    is_migrate_to_cses: Annotated[
        None, ReadOnly("test_network_vnet_gateway_nat_rule"), Field(alias="isMigrateToCSES")
    ] = None


_TWO_INSTANCES = Durations(create=1400, update=130, delete=450)


class VirtualNetworkGateway(Resource):
    """A VPN or an ExpressRoute gateway."""

    arm_type: ClassVar[str] = "Microsoft.Network/virtualNetworkGateways"
    kind: ClassVar[str] = "VirtualNetworkGateway"
    sdk: ClassVar[str] = "network.virtual_network_gateways"
    sdk_calls: ClassVar[Mapping[str, str]] = {**Resource.sdk_calls, "tag": "begin_update_tags"}
    # Recordings, durations: create 886 to 1288 s, ordinary update 93 to 153 s, delete 334 to 579 s.
    durations: ClassVar[Durations] = Durations(create=1100, update=130, delete=450)
    needs_replace_flag: ClassVar[bool] = True
    role: ClassVar[Role] = "gateway"
    facts: ClassVar[Mapping[str, str]] = {
        "sku": "properties.sku.name",
        "active_active": "properties.activeActive",
        "asn": "properties.bgpSettings.asn",
        "bgp_address": "properties.bgpSettings.bgpPeeringAddress",
        "bgp_addresses": "properties.bgpSettings.bgpPeeringAddresses",
        "clients": "properties.vpnClientConfiguration.vpnClientConnectionHealth.vpnClientConnectionsCount",
        "client_protocols": "properties.vpnClientConfiguration.vpnClientProtocols",
    }
    security_paths: ClassVar[tuple[str, ...]] = (
        "ipsecPolicies",
        "Certificates",
        "radius",
        "aad",
        "vpnAuthenticationTypes",
    )
    individual: ClassVar[frozenset[str]] = frozenset({"asn"})
    parts: ClassVar[Mapping[str, PartKind]] = {
        "properties.natRules": "natRule",
        "properties.virtualNetworkGatewayPolicyGroups": "policyGroup",
        "properties.vpnClientConfiguration.vpnClientRootCertificates": "rootCertificate",
    }
    # It sees connections of other groups and subscriptions, which no LIST of a group does.
    lists: ClassVar[tuple[str, str, PartKind] | None] = (sdk, "list_connections", "connection")
    clients_path: ClassVar[str] = "properties.vpnClientConfiguration"
    roots_path: ClassVar[str] = "properties.vpnClientConfiguration.vpnClientRootCertificates"

    properties: GatewayProperties
    identity: Annotated[ManagedIdentity | None, Block()] = None
    extended_location: Annotated[ExtendedLocation | None, Immutable()] = None

    def body_without(self, paths: Collection[str]) -> Document:
        """Without its third ipConfiguration an active-active gateway serves no clients (R-PIP-07): both are off."""
        document = super().body_without(paths)
        properties, whole = document["properties"], self.properties
        too_few = len(properties["ipConfigurations"]) < 3 <= len(whole.ip_configurations)
        if too_few and whole.active_active:
            properties.pop("vpnClientConfiguration", None)
        return document

    @classmethod
    def usual_durations(cls, body: Mapping[str, Any]) -> Durations:
        """Two instances take longer: 1315 to 1528 s (recordings, durations)."""
        return _TWO_INSTANCES if value_at(body, "properties.activeActive") is True else cls.durations

    @classmethod
    def locks(cls, resource_id: ArmId, body: Mapping[str, Any], verb: str) -> tuple[OperationLock, ...]:
        """A write also holds its GatewaySubnet and its connections and NAT rules: none of them is written beside it."""
        own = (OperationLock(resource_id.key), OperationLock(f"{resource_id.key}/writes"))
        if verb in ("tag", "act"):
            return own
        configurations = (body.get("properties") or {}).get("ipConfigurations") or ()
        subnets = {
            ArmId(subnet["id"]).key
            for configuration in configurations
            if (subnet := (configuration.get("properties") or {}).get("subnet"))
        }
        return (*own, *(OperationLock(key) for key in sorted(subnets)))

    @classmethod
    def offers(cls, resource_id: ArmId, document: Mapping[str, Any]) -> frozenset[UsedPart]:
        """Its instances, their custom BGP addresses, and NAT if the SKU has it (R-NAT-01)."""
        properties = document.get("properties") or {}
        instances = {
            UsedPart(resource_id.child("ipConfigurations", str(item.get("name"))))
            for item in properties.get("ipConfigurations") or ()
        }
        custom = {
            UsedPart(resource_id.child("ipConfigurations", _last(item.get("ipconfigurationId"))), str(text))
            for item in (properties.get("bgpSettings") or {}).get("bgpPeeringAddresses") or ()
            for text in item.get("customBgpIpAddresses") or ()
        }
        nat = {nat_of(resource_id)} if _sku(properties) in NAT_SKUS else set()
        return frozenset(instances | custom | nat)

    @classmethod
    def networks_of(cls, document: Mapping[str, Any]) -> frozenset[ArmId]:
        """The network of its GatewaySubnet."""
        items = objects(value_at(document, "properties.ipConfigurations"))
        subnets = [ArmId.of(value_at(item, "properties.subnet.id")) for item in items]
        return frozenset(subnet.parent for subnet in subnets if subnet is not None and subnet.parent is not None)

    @classmethod
    def found_in(cls, network: ArmId, documents: Mapping[ArmId, Mapping[str, Any] | None]) -> set[ArmId] | None:
        """Those that its GatewaySubnet names, in its own document or in the one inside its network."""
        subnet = network.child("subnets", GATEWAY_SUBNET)
        if documents.get(network) is None and documents.get(subnet) is None:
            return None
        inside = objects(value_at(documents.get(network), "properties.subnets"))
        shown = [documents.get(subnet), *(s for s in inside if str(s.get("name")).lower() == subnet.name.lower())]
        listed = (item for each in shown for item in objects(value_at(each, "properties.ipConfigurations")))
        users = (part.parent for item in listed if (part := ArmId.of(item.get("id"))) is not None)
        return {user for user in users if user is not None and user.type.lower() == cls.arm_type.lower()}

    def neighbours(self, documents: Mapping[ArmId, Mapping[str, Any] | None]) -> Iterator[ArmId]:
        """Others in its network."""
        for network in self.networks_of(self.body()):
            yield from (self.found_in(network, documents) or set()) - {self.id}

    def excludes(self, neighbour: Mapping[str, Any]) -> bool:
        """A network takes one gateway of each type (R-SKU-19); another for circuits says adminState."""
        waits = self.properties.admin_state or value_at(neighbour, "properties.adminState") == "Disabled"
        same = value_at(neighbour, "properties.gatewayType") == self.properties.gateway_type
        return bool(same and not (waits and self.properties.gateway_type == "ExpressRoute"))

    @classmethod
    def obstacles(
        cls,
        address: str,
        wanted: Mapping[str, tuple[Any, Any]],
        observed: Mapping[str, Any],
        read: Callable[[ArmId], Mapping[str, Any] | None],
    ) -> Iterator[Finding]:
        """A gateway on a Basic public IP moves to the AZ family only through Azure's migration of that IP."""
        declared, now = wanted.get("properties.sku.name", (None, None))
        properties = observed.get("properties") or {}
        if not str(declared).upper().endswith("AZ") or declared == now or properties.get("gatewayType") != "Vpn":
            return
        for configuration in properties.get("ipConfigurations") or ():
            public_ip = ArmId.of(value_at(configuration, "properties.publicIPAddress.id"))
            if public_ip is not None and value_at(read(public_ip), "sku.name") == "Basic":
                yield Finding(
                    rule="V-CHANGE-01",
                    address=address,
                    summary="Azure cannot make this change",
                    detail=f"The gateway stands on the Basic public IP {public_ip.name}; from there it moves to the "
                    "AZ family only through Azure's public IP migration, which makes both at once.",
                    advice="Run that migration, then declare what it made.",
                    source="About migrating a Basic SKU public IP address to Standard SKU",
                )

    @classmethod
    def instances(cls, facts: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each by its ipConfiguration."""
        for each in facts.get("bgp_addresses") or ():
            if isinstance(each, Mapping):
                yield (
                    _last(each.get("ipconfigurationId")),
                    {
                        "public": each.get("tunnelIpAddresses"),
                        "BGP": each.get("defaultBgpIpAddresses"),
                        "BGP, custom": each.get("customBgpIpAddresses"),
                    },
                )

    @classmethod
    def tidied(cls, body: Document) -> Document:
        """BGP addresses and NAT rules of an ipConfiguration go with it; the others are always sent back as read.

        Leaving them out is an update that disturbs BGP (Azure/Azure-Landing-Zones#335).
        """
        properties = dict(body.get("properties") or {})
        names = {str(item.get("name")).lower() for item in properties.get("ipConfigurations") or ()}
        rules, block = properties.get("natRules"), properties.get("bgpSettings")
        if isinstance(rules, list):
            properties["natRules"] = [rule for rule in rules if _instance_of(rule) in {"", *names}]
        if isinstance(block, dict) and isinstance(block.get("bgpPeeringAddresses"), list):
            listed = block["bgpPeeringAddresses"]
            kept = [item for item in listed if _last(item.get("ipconfigurationId")).lower() in names]
            properties["bgpSettings"] = {**block, "bgpPeeringAddresses": kept}
        return {**body, "properties": properties}

    @classmethod
    def judge(cls, declared: Mapping[str, Any], observed: Mapping[str, Any]) -> Verdict:
        """What only the whole gateway shows; asked when a PUT is planned."""
        wanted, now = declared.get("properties") or {}, observed.get("properties") or {}
        old, new = _sku(now), _sku(wanted)
        kind = str(now.get("gatewayType") or wanted.get("gatewayType") or "")
        verdict = sku_change(old, new, kind)
        if verdict.how != "in place" or kind.lower() != "vpn":
            return verdict
        if needs_generation_2(new) and str(now.get("vpnGatewayGeneration") or "").lower() == "generation1":
            return generation_change("Generation1", "Generation2")
        if is_frozen(old) and is_frozen(new):
            return Verdict(
                "impossible",
                f"A gateway of SKU {old} accepts no change any more (R-SKU-04). Declare sku={old}AZ first: that move "
                "is done in place and keeps the addresses.",
            )
        return verdict


def _last(identifier: Any) -> str:
    return str(identifier or "").rsplit("/", 1)[-1]


def _instance_of(rule: Mapping[str, Any]) -> str:
    """Name of the ipConfiguration that a NAT rule is bound to in lower case; empty if it is bound to none."""
    return _last((rule.get("properties") or {}).get("ipConfigurationId")).lower()


def _sku(properties: Mapping[str, Any]) -> str | None:
    name = (properties.get("sku") or {}).get("name")
    return str(name) if name else None
