"""VPN and ExpressRoute gateways as people write them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, cast

from pydantic import AfterValidator, Field, model_validator

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.network import (
    AnyNetwork,
    AnyPublicIp,
    ExistingPublicIp,
    ExistingVirtualNetwork,
    Prefixes,
    VirtualNetwork,
)
from vpngw_iac.blueprints.operations_settings import Access, AnyLock, AnyMaintenance, ManyDiagnostics
from vpngw_iac.blueprints.part import (
    AnyId,
    ExistingPart,
    Many,
    Name,
    Named,
    NamedPart,
    OnRemoval,
    OursOrExisting,
    Part,
    Short,
    Sku,
    Tags,
    Waive,
    ids_only,
    listed,
    sku_field,
    sku_name,
)
from vpngw_iac.blueprints.site import Nat
from vpngw_iac.field import Asn, GroupName, IpAddress, Region, Wire, rule_error

VPN_SKUS = (
    "Basic", "VpnGw1AZ", "VpnGw2AZ", "VpnGw3AZ", "VpnGw4AZ", "VpnGw5AZ",
    "VpnGw1", "VpnGw2", "VpnGw3", "VpnGw4", "VpnGw5", "Standard", "HighPerformance",
)  # fmt: skip
"""VPN gateway SKUs that exist; which of them can still be created is R-SKU-01 and R-SKU-03."""

EXPRESSROUTE_SKUS = (
    "ErGw1AZ", "ErGw2AZ", "ErGw3AZ", "ErGwScale", "Standard", "HighPerformance", "UltraPerformance",
)  # fmt: skip
"""ExpressRoute gateway SKUs (R-SKU-20, R-ER-16)."""

VpnSku = Annotated[str | Sku, sku_field("a VPN gateway", VPN_SKUS)]
ExpressRouteSku = Annotated[str | Sku, sku_field("an ExpressRoute gateway", EXPRESSROUTE_SKUS)]

GATEWAY = "Microsoft.Network/virtualNetworkGateways"
IdentityId = Annotated[AnyId, AfterValidator(ids_only("Microsoft.ManagedIdentity/userAssignedIdentities"))]
GatewayId = Annotated[ArmId, AfterValidator(ids_only(GATEWAY))]


class Bgp(Part):
    """BGP of an Azure VPN gateway: ``Bgp(asn=65010)``."""

    stands: ClassVar[str] = "VpnGateway: properties"

    asn: Annotated[Asn | None, Wire("bgpSettings.asn")] = None
    """AS number of the gateway, which the other side must not use too (R-BGP-06). Left out, a new gateway gets Azure's
    65515 and one that exists keeps its own."""
    peer_weight: Annotated[Annotated[int, Field(ge=0, le=100)] | None, Wire("bgpSettings.peerWeight")] = None
    """Weight of routes learned from this speaker (R-BGP-20). Default 0."""
    translate_nat_routes: Annotated[bool | None, Wire("enableBgpRouteTranslationForNat")] = None
    """Translate learned and advertised prefixes by the NAT rules (R-NAT-12). Default false."""
    apipa: Annotated[
        Many[Annotated[Many[IpAddress], listed]],
        listed,
        Field(max_length=2),
        Wire("properties.bgpSettings.bgpPeeringAddresses[0].customBgpIpAddresses", of="VpnGateway", by_code=True),
    ] = ()
    """APIPA addresses that the gateway has beside those of its links (R-BGP-08): per instance an address, or a list of
    them. For connections that others make. Addresses that others put there themselves are theirs, and stay."""


Feature = bool | None
"""On, off, or not ours to say: then what Azure has is kept."""


class _Gateway(NamedPart, Part):
    """What can be said of a gateway of ours, whatever is connected by it."""

    name: Name
    network: AnyNetwork
    sku: str | Sku
    resource_group: GroupName | None = None
    """Default: the group of the network."""
    virtual_wan_traffic: Annotated[Feature, Wire("properties.allowVirtualWanTraffic")] = None
    """Accept traffic from Virtual WAN networks. Default off (R-ER-23)."""
    remote_vnet_traffic: Annotated[Feature, Wire("properties.allowRemoteVnetTraffic")] = None
    """Accept traffic from other VNets through this gateway. Default off (R-ER-23)."""
    edge_zone: Annotated[str | None, Wire("extendedLocation.name")] = None
    """Name of the edge zone to build the gateway in (R-ER-28)."""
    guests: Many[str] = ()
    """Ids or names of connections that others hang on this gateway with our consent; no alarm in drift."""
    expected: Many[str] = ()
    """Ids or names of other foreign things on this gateway that are known; no alarm in drift."""
    maintenance: Annotated[
        AnyMaintenance | None, Wire("properties.maintenanceConfigurationId", of="MaintenanceAssignment", by_code=True)
    ] = None
    """When Azure may service it (R-MNT-01, R-MNT-03). Left out: whenever Azure finds best."""
    diagnostics: ManyDiagnostics = ()
    """Where its logs and metrics go (R-SEC-08, R-SEC-09): one setting or several. Left out: none of ours; Azure Policy
    may set some."""
    lock: AnyLock | None = None
    """``"CanNotDelete"``, ``"ReadOnly"`` or ``Lock(...)``. It is lifted for changes of ours and put back."""
    access: Access = ()
    """Role assignments on the gateway."""
    label: Name | None = None
    """Name in addresses and reports; give one if two gateways of a blueprint bear the same name."""
    tags: Annotated[Tags, Wire("tags", by_code=True)] = Field(default_factory=dict)
    protect: bool = False
    """Neither deleted nor replaced until an apply with ``protect=False``; its public addresses too."""
    on_removal: OnRemoval = "delete"
    waive: Waive = Field(default_factory=dict)

    @property
    def sku_name(self) -> str:
        """SKU on the wire."""
        return sku_name(self.sku)


class VpnGateway(_Gateway):
    """A VPN gateway that is ours; `existing` uses one that is not.

    ``VpnGateway(name="vgw-hub", network=network, sku="VpnGw1AZ")``
    """

    stands: ClassVar[str] = "VpnGateway"

    sku: Annotated[VpnSku, Wire("properties.sku.name", by_code=True)]
    """VpnGw1AZ to VpnGw5AZ, or Basic for tests (R-SKU-07). A bigger one of the family is reached in place."""
    generation: Annotated[Literal[1, 2] | None, Wire("properties.vpnGatewayGeneration", by_code=True)] = None
    """Hardware generation (R-SKU-10). Left out, Azure decides (Generation1 for VpnGw2AZ and VpnGw3AZ); VpnGw4AZ and
    VpnGw5AZ exist in generation 2 only. It cannot change in place."""
    vpn_type: Annotated[
        Literal["route-based", "policy-based"],
        Wire("properties.vpnType", values={"route-based": "RouteBased", "policy-based": "PolicyBased"}),
    ] = "route-based"
    """Policy-based: SKU Basic, one IKEv1 tunnel, nothing else (R-SKU-11, R-IKE-07)."""
    active_active: Annotated[bool, Wire("properties.activeActive")] = False
    """Two instances with an address each (R-AA-01). Changing it takes 30 to 45 minutes and changes BGP addresses."""
    bgp: Annotated[Bgp | None, Wire("properties")] = None
    """Left out: no BGP. ``Bgp()`` uses Azure's AS number 65515."""
    nat_rules: Annotated[Many[Nat], listed, Wire("", of="NatRule", by_code=True)] = ()
    """NAT rules of the gateway beside those that its sites name: for connections of others, or for later."""
    public_ips: Annotated[
        Many[AnyPublicIp],
        Field(max_length=3),
        Wire("properties.ipConfigurations[*].properties.publicIPAddress", by_code=True),
    ] = ()
    """Addresses in the order of instances, the third for point-to-site on active-active (R-PIP-07). Those not
    given are made under derived names."""
    ip_configurations: Annotated[
        Many[Name], Field(max_length=3), Wire("properties.ipConfigurations[*].name", by_code=True)
    ] = ()
    """Names of its ipConfigurations, in the order of instances. Default: ``default``, ``activeActive`` (R-NAT-11) and
    ``pointToSite``; tools before us used others, and an existing one cannot be renamed."""
    zones: Annotated[Many[str] | None, Wire("zones", of="PublicIp", by_code=True)] = None
    """Zones of the addresses that are made here. Default: all three where SKU and region have zones (R-PIP-02)."""
    custom_routes: Annotated[Prefixes, Wire("properties.customRoutes.addressPrefixes", by_code=True)] = ()
    """Further prefixes that point-to-site clients route into the tunnel (R-CR-01)."""
    default_site: Annotated[str | None, Wire("properties.gatewayDefaultSite", by_code=True)] = None
    """Forced tunnelling: name of the site (or ``site/link``) that takes all traffic without a route (R-FT-01); the id
    of a local network gateway is accepted too."""
    private_ip: Annotated[Feature, Wire("properties.enablePrivateIpAddress")] = None
    """Private tunnel addresses, for VPN over ExpressRoute private peering (R-PRIV-02)."""
    replay_protection: Annotated[
        Feature, Wire("properties.disableIPSecReplayProtection", values={True: False, False: True})
    ] = None
    """IPsec replay protection. Azure's default is on; off weakens security (R-SEC-11)."""
    dns_forwarding: Annotated[Feature, Wire("properties.enableDnsForwarding")] = None
    """DNS forwarding for clients. Default off."""
    high_bandwidth: Annotated[Feature, Wire("properties.enableHighBandwidthVpnGateway")] = None
    """High-bandwidth tunnels over ExpressRoute: VpnGw5AZ, decided at creation (R-HB-01)."""
    identities: Annotated[Many[IdentityId], Wire("identity.userAssignedIdentities", by_code=True)] = ()
    """User-assigned identities, needed to read certificates from Key Vault (R-CERT-02)."""

    @model_validator(mode="after")
    def _addresses_have_instances(self) -> "VpnGateway":
        if self.bgp is not None and len(self.bgp.apipa) > 1 and not self.active_active:
            raise rule_error(
                "R-BGP-08",
                "Bgp(apipa=...) has addresses for two instances, and the gateway has one. Write the addresses of its "
                "instance as one list in the list, [[...]], or set active_active=True.",
            )
        return self

    @classmethod
    def existing(
        cls,
        id: str | ArmId,
        *,
        location: str | None = None,
        network: VirtualNetwork | ExistingVirtualNetwork | None = None,
        sku: str | None = None,
        active_active: bool | None = None,
        asn: int | None = None,
        public_ips: Iterable[ExistingPublicIp] = (),
        ip_configurations: Iterable[str] = (),
        tenant: str | None = None,
        label: str | None = None,
    ) -> "ExistingVpnGateway":
        """Use a gateway that is managed elsewhere; it is read and never put.

        The facts are for checks without Azure. `location` is needed where connections of ours start at it, `network`
        where spokes use it, `public_ips` where others reach it by address.
        """
        facts = {"location": location, "network": network, "sku": sku, "active_active": active_active, "asn": asn}
        lists = {"public_ips": tuple(public_ips), "ip_configurations": tuple(ip_configurations)}
        return ExistingVpnGateway.model_validate({"existing": id, "tenant": tenant, "label": label, **lists, **facts})


class ExistingVpnGateway(ExistingPart, Part):
    """A VPN gateway that is only used. Facts not given are read at plan."""

    existing: GatewayId
    location: Region | None = None
    network: AnyNetwork | None = None
    sku: VpnSku | None = None
    active_active: bool | None = None
    asn: Asn | None = None
    """Given: the gateway speaks BGP with this AS number."""
    public_ips: Many[ExistingPublicIp] = ()
    """Its addresses, for others that reach it by address."""
    ip_configurations: Annotated[Many[Name], Field(max_length=3)] = ()
    """Names of its ipConfigurations. Default: ``default`` and ``activeActive`` (R-NAT-11)."""
    tenant: str | None = None
    label: Name | None = None
    waive: Waive = Field(default_factory=dict)


def _scale_units(value: object) -> object:
    """``4`` is a fixed size."""
    return (value, value) if isinstance(value, int) else value


if TYPE_CHECKING:
    ScaleUnits = tuple[int, int] | int
else:
    ScaleUnits = Annotated[tuple[int, int], Short(_scale_units, {"type": "integer"})]


class ExpressRouteGateway(_Gateway):
    """An ExpressRoute gateway that is ours. Microsoft gives it a public address of its own (R-PIP-11).

    ``ExpressRouteGateway(name="ergw-hub", network=network, sku="ErGw1AZ")``
    """

    stands: ClassVar[str] = "ExpressRouteGateway"

    sku: Annotated[ExpressRouteSku, Wire("properties.sku.name", by_code=True)]
    scale_units: Annotated[ScaleUnits | None, Wire("properties.autoScaleConfiguration.bounds", by_code=True)] = None
    """Smallest and largest number of scale units of ErGwScale, or one number for a fixed size (R-SKU-20, R-SKU-21)."""
    ip_configuration: Annotated[Name, Wire("properties.ipConfigurations[0].name", by_code=True)] = "default"
    """Name of its ipConfiguration; an existing one cannot be renamed."""
    admin_state: Annotated[
        Literal["enabled", "disabled"] | None,
        Wire("properties.adminState", values={"enabled": "Enabled", "disabled": "Disabled"}),
    ] = None
    """Whether it serves traffic when the network has several ExpressRoute gateways. Default enabled."""
    resiliency: Annotated[
        Literal["single-homed", "multi-homed"] | None,
        Wire("properties.resiliencyModel", values={"single-homed": "SingleHomed", "multi-homed": "MultiHomed"}),
    ] = None
    """Resiliency model. Default single-homed."""

    @property
    def scale_bounds(self) -> tuple[int, int] | None:
        """Smallest and largest number of scale units."""
        return cast("tuple[int, int] | None", self.scale_units)

    @model_validator(mode="after")
    def _bounds_belong_to_scale(self) -> "ExpressRouteGateway":
        scales = self.sku_name == "ErGwScale"
        if scales != (self.scale_units is not None) and not isinstance(self.sku, Sku):
            raise rule_error("R-SKU-21", "ErGwScale takes scale_units=(2, 10) or one number; other SKUs take none.")
        return self

    @classmethod
    def existing(
        cls,
        id: str | ArmId,
        *,
        location: str | None = None,
        network: VirtualNetwork | ExistingVirtualNetwork | None = None,
        sku: str | None = None,
        tenant: str | None = None,
        label: str | None = None,
    ) -> "ExistingExpressRouteGateway":
        """Use a gateway that is managed elsewhere; `location` is needed where connections of ours start at it."""
        facts = {"location": location, "network": network, "sku": sku}
        return ExistingExpressRouteGateway.model_validate({"existing": id, "tenant": tenant, "label": label, **facts})


class ExistingExpressRouteGateway(ExistingPart, Part):
    """An ExpressRoute gateway that is only used. Facts not given are read at plan."""

    existing: GatewayId
    location: Region | None = None
    network: AnyNetwork | None = None
    sku: ExpressRouteSku | None = None
    tenant: str | None = None
    label: Name | None = None
    waive: Waive = Field(default_factory=dict)


AnyVpnGateway = Annotated[
    OursOrExisting[VpnGateway, ExistingVpnGateway],
    Named("gateways", "VpnGateway(...)"),
]
"""A VPN gateway: ours, or only used."""

AnyExpressRouteGateway = Annotated[
    OursOrExisting[ExpressRouteGateway, ExistingExpressRouteGateway],
    Named("gateways", "ExpressRouteGateway(...)"),
]
"""An ExpressRoute gateway: ours, or only used."""
