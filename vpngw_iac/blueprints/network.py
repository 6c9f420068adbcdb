"""Networks and public addresses as people write them."""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, Self, cast

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.operations_settings import Access, AnyLock, ManyDiagnostics
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
    Tags,
    Waive,
    ids_only,
    listed,
)
from vpngw_iac.field import Cidr, DnsLabel, Fqdn, GroupName, Guid, IpAddress, Ipv4, Region, Wire, rule_error

ENCRYPTION: Final = {"allow-unencrypted": "AllowUnencrypted", "drop-unencrypted": "DropUnencrypted"}

Prefixes = Annotated[Many[Cidr], listed]
"""One address prefix or several."""


class Route(Part):
    """A route of a `RouteTable`: ``Route(name="spokes", prefix="10.8.0.0/14", next_hop_ip="10.1.1.4")``."""

    stands: ClassVar[str] = "RouteTable: properties.routes[0]"

    name: Annotated[Name, Wire("name")]
    prefix: Annotated[Cidr, Wire("properties.addressPrefix")]
    """Where the packets go to."""
    next_hop_type: Annotated[
        Literal["VirtualAppliance", "VirtualNetworkGateway", "VnetLocal", "Internet", "None"],
        Wire("properties.nextHopType"),
    ] = "VirtualAppliance"
    """``None`` drops them."""
    next_hop_ip: Annotated[IpAddress | None, Wire("properties.nextHopIpAddress")] = None
    """Address of the firewall; with ``VirtualAppliance`` alone."""

    @model_validator(mode="after")
    def _has_its_hop(self) -> Self:
        if (self.next_hop_type == "VirtualAppliance") != (self.next_hop_ip is not None):
            how = "must have" if self.next_hop_ip is None else "cannot have"
            raise rule_error("T-ROUTE", f"Route {self.name!r} goes to {self.next_hop_type} and {how} a next_hop_ip.")
        return self


class RouteTable(NamedPart, Part):
    """A route table that is ours, for subnets of ours and for a GatewaySubnet; one value may serve several.

    ``RouteTable(name="rt-hub", routes=[Route(name="spokes", prefix="10.8.0.0/14", next_hop_ip="10.1.1.4")])``
    """

    stands: ClassVar[str] = "RouteTable"

    name: Name
    location: Annotated[Region | None, Wire("location", by_code=True)] = None
    """Default: the region of the network. A subnet takes a table of its own region only."""
    resource_group: GroupName | None = None
    """Default: the network's."""
    routes: Annotated[Many[Route], listed, Wire("properties.routes")] = ()
    """Routes that are ours, by name. Those that somebody else adds survive."""
    disable_bgp_propagation: Annotated[bool | None, Wire("properties.disableBgpRoutePropagation")] = None
    """``True`` keeps what gateways learn out of the subnets; never for a GatewaySubnet (R-SUBNET-13)."""
    label: Name | None = None
    """Name in addresses and reports; give one if two tables of a blueprint bear the same name."""
    tags: Annotated[Tags, Wire("tags", by_code=True)] = Field(default_factory=dict)
    protect: bool = False
    """Neither deleted nor replaced until an apply with ``protect=False``."""
    on_removal: OnRemoval = "delete"

    @model_validator(mode="after")
    def _one_of_a_name(self) -> Self:
        names = [route.name.lower() for route in self.routes]
        if twice := next((route.name for route in self.routes if names.count(route.name.lower()) > 1), None):
            raise rule_error("T-ROUTE", f"Two routes of {self.name!r} are called {twice!r}.")
        return self


class SecurityRule(Part):
    """A rule of a `SecurityGroup`; ``*`` is everything, and a service tag may stand for a prefix.

    ``SecurityRule(name="https", priority=100, direction="Inbound", access="Allow", destination_ports="443")``
    """

    stands: ClassVar[str] = "SecurityGroup: properties.securityRules[0]"

    name: Annotated[Name, Wire("name")]
    priority: Annotated[int, Field(ge=100, le=4096), Wire("properties.priority")]
    """100 to 4096; the lowest that fits decides. Once in each direction."""
    direction: Annotated[Literal["Inbound", "Outbound"], Wire("properties.direction")]
    """As the subnet sees it."""
    access: Annotated[Literal["Allow", "Deny"], Wire("properties.access")]
    """What happens to traffic that fits."""
    protocol: Annotated[Literal["Tcp", "Udp", "Icmp", "Esp", "Ah", "*"], Wire("properties.protocol")] = "*"
    """``*`` is every protocol."""
    source: Annotated[Many[str], listed, Wire("properties.sourceAddressPrefixes", by_code=True)] = ("*",)
    """Prefixes, addresses or a service tag."""
    source_ports: Annotated[Many[str], listed, Wire("properties.sourcePortRanges", by_code=True)] = ("*",)
    """Ports and ranges such as ``1000-2000``."""
    destination: Annotated[Many[str], listed, Wire("properties.destinationAddressPrefixes", by_code=True)] = ("*",)
    """Prefixes, addresses or a service tag."""
    destination_ports: Annotated[Many[str], listed, Wire("properties.destinationPortRanges", by_code=True)] = ("*",)
    """Ports and ranges."""
    notes: Annotated[str | None, Wire("properties.description")] = None
    """Why."""


class SecurityGroup(NamedPart, Part):
    """A network security group that is ours, for subnets of ours; one value may serve several.

    ``SecurityGroup(name="nsg-web", rules=[SecurityRule(name="https", priority=100, direction="Inbound",
    access="Allow")])``
    """

    stands: ClassVar[str] = "SecurityGroup"

    name: Name
    location: Annotated[Region | None, Wire("location", by_code=True)] = None
    """Default: the region of the network."""
    resource_group: GroupName | None = None
    """Default: the network's."""
    rules: Annotated[Many[SecurityRule], listed, Wire("properties.securityRules", by_code=True)] = ()
    """Rules that are ours, by name. Those that somebody else adds survive."""
    label: Name | None = None
    """Name in addresses and reports."""
    tags: Annotated[Tags, Wire("tags", by_code=True)] = Field(default_factory=dict)
    protect: bool = False
    on_removal: OnRemoval = "delete"

    @model_validator(mode="after")
    def _one_of_a_kind(self) -> Self:
        names = [rule.name.lower() for rule in self.rules]
        places = [(rule.direction, rule.priority) for rule in self.rules]
        if len(set(names)) < len(names) or len(set(places)) < len(places):
            raise rule_error("T-RULE", f"Two rules of {self.name!r} have one name, or one priority in a direction.")
        return self


def _id_or_ours(value: Any) -> str:
    return "<ours>" if isinstance(value, RouteTable | SecurityGroup | Mapping) else "<existing>"


AnySecurityGroup = Annotated[
    Annotated[SecurityGroup, Tag("<ours>")]
    | Annotated[AnyId, AfterValidator(ids_only("Microsoft.Network/networkSecurityGroups")), Tag("<existing>")],
    Discriminator(_id_or_ours),
]
"""A network security group: ours, or the id of one that is only used."""


AnyRouteTable = Annotated[
    Annotated[RouteTable, Tag("<ours>")]
    | Annotated[AnyId, AfterValidator(ids_only("Microsoft.Network/routeTables")), Tag("<existing>")],
    Discriminator(_id_or_ours),
]
"""A route table: ours, or the id of one that is only used."""


class Delegation(Part):
    """A service that a subnet is delegated to: ``Delegation(name="web", service="Microsoft.Web/serverFarms")``."""

    stands: ClassVar[str] = "Subnet: properties.delegations[0]"

    name: Annotated[Name, Wire("name")]
    service: Annotated[str, Wire("properties.serviceName")]
    """``Microsoft.Web/serverFarms`` and the like."""


def _delegations(value: Any) -> Any:
    """A service stands for a delegation of its name."""
    return {"name": value.replace("/", "."), "service": value} if isinstance(value, str) else value


class SubnetSettings(Part):
    """What any subnet of ours may say."""

    stands: ClassVar[str] = "Subnet"

    route_table: Annotated[AnyRouteTable | None, Wire("properties.routeTable.id", by_code=True)] = None
    """`RouteTable`, or the id of an existing one. That of a GatewaySubnet is without a route for 0.0.0.0/0
    (R-SUBNET-11), with BGP propagation."""
    security_group: Annotated[AnySecurityGroup | None, Wire("properties.networkSecurityGroup.id")] = None
    """`SecurityGroup`, or the id of an existing one; none for a GatewaySubnet (R-SUBNET-10)."""
    nat_gateway: Annotated[
        Annotated[AnyId, AfterValidator(ids_only("Microsoft.Network/natGateways"))] | None,
        Wire("properties.natGateway.id"),
    ] = None
    """Id of an existing NAT gateway; none for a GatewaySubnet."""
    service_endpoints: Annotated[Many[str], listed, Wire("properties.serviceEndpoints[*].service")] = ()
    """Services that are reached over Azure's backbone, as ``Microsoft.Storage``; regions are Azure's choice."""
    delegations: Annotated[
        Many[Annotated[Delegation, Short(_delegations, {"type": "string"})]], listed, Wire("properties.delegations")
    ] = ()
    """Services that the subnet is delegated to: ``"Microsoft.Web/serverFarms"`` or `Delegation`."""
    private_endpoint_policies: Annotated[
        Literal["enabled", "disabled", "security-groups", "route-tables"] | None,
        Wire(
            "properties.privateEndpointNetworkPolicies",
            values={
                "enabled": "Enabled",
                "disabled": "Disabled",
                "security-groups": "NetworkSecurityGroupEnabled",
                "route-tables": "RouteTableEnabled",
            },
        ),
    ] = None
    """What holds for private endpoints in it. Default disabled."""
    private_link_policies: Annotated[
        bool | None, Wire("properties.privateLinkServiceNetworkPolicies", values={True: "Enabled", False: "Disabled"})
    ] = None
    """Network policies for private link services. Default on."""
    default_outbound: Annotated[bool | None, Wire("properties.defaultOutboundAccess")] = None
    """Outbound access without a NAT gateway or address. Left out, Azure decides."""


class GatewaySubnet(SubnetSettings):
    """The GatewaySubnet with more than its prefix: a hub with a firewall sends what gateways receive through it.

    ``GatewaySubnet(prefix="10.1.255.0/27", route_table=RouteTable(name="rt-hub"))``
    """

    prefix: Annotated[Prefixes, Field(min_length=1), Wire("properties.addressPrefixes", by_code=True)]
    """/27 or larger, /29 for SKU Basic (R-SUBNET-02); one, or an IPv4 and an IPv6 one."""


AnyGatewaySubnet = Annotated[
    Annotated[Prefixes, Tag("<prefixes>")] | Annotated[GatewaySubnet, Tag("<subnet>")],
    Discriminator(lambda value: "<subnet>" if isinstance(value, GatewaySubnet | Mapping) else "<prefixes>"),
]
"""The prefix of a GatewaySubnet, or a `GatewaySubnet`."""


class Subnet(SubnetSettings):
    """A subnet of a network that is ours: ``Subnet(name="workload", prefixes="10.10.1.0/24")``."""

    name: Name
    prefixes: Annotated[Prefixes, Field(min_length=1), Wire("properties.addressPrefixes", by_code=True)]
    """Address prefixes inside the network's address space; one, or an IPv4 and an IPv6 one."""

    @property
    def is_gateway_subnet(self) -> bool:
        """Whether the name is the one reserved for gateways (R-SUBNET-01)."""
        return self.name.lower() == "gatewaysubnet"


def gateway_entry(said: Any) -> Subnet | None:
    """The GatewaySubnet of a network as a subnet like the others."""
    if not said:
        return None
    whole = said if isinstance(said, GatewaySubnet) else GatewaySubnet.model_construct(prefix=said)
    settings = {name: getattr(whole, name) for name in SubnetSettings.model_fields}
    return Subnet.model_construct(name="GatewaySubnet", prefixes=whole.prefix, **settings)


_SUBNET_MAP = {"type": "object", "additionalProperties": {"type": ["string", "array", "object"]}}


def _subnets(value: Any) -> Any:
    """``{"workload": "10.1.0.0/24"}`` is a short form."""
    if isinstance(value, Mapping):
        return tuple(
            {"name": name, **entry} if isinstance(entry, Mapping) else {"name": name, "prefixes": entry}
            for name, entry in value.items()
        )
    return value


def _distinct(value: tuple[Subnet, ...]) -> tuple[Subnet, ...]:
    seen: set[str] = set()
    for subnet in value:
        if subnet.is_gateway_subnet:
            raise rule_error("T-SUBNET", 'GatewaySubnet is not listed here: write gateway_subnet="10.1.255.0/27".')
        if subnet.name.lower() in seen:
            raise rule_error("T-SUBNET", f"Two subnets are called {subnet.name!r}.")
        seen.add(subnet.name.lower())
    return value


_KeptSubnets = Annotated[Many[Subnet], Short(_subnets, _SUBNET_MAP), AfterValidator(_distinct)]

if TYPE_CHECKING:
    Subnets = Sequence[Subnet] | Mapping[str, str | Sequence[str]]
else:
    Subnets = _KeptSubnets


class VirtualNetwork(NamedPart, Part):
    """A virtual network that is ours; `existing` uses one that is not.

    ``VirtualNetwork(name="vnet-hub", location="westeurope", address_space="10.1.0.0/16",
    gateway_subnet="10.1.255.0/27")``
    """

    stands: ClassVar[str] = "VirtualNetwork"

    name: Name
    location: Annotated[Region, Wire("location")]
    """Azure region, ``westeurope`` or ``West Europe``. Gateways live in the region of their network (R-SCOPE-01)."""
    resource_group: GroupName | None = None
    """Created if absent, otherwise used. Default: the resource group given with ``-g``."""
    address_space: Annotated[Prefixes, Field(min_length=1), Wire("properties.addressSpace.addressPrefixes")]
    """All of its prefixes; subnets lie inside."""
    gateway_subnet: Annotated[
        AnyGatewaySubnet | None, Wire("properties.addressPrefixes", of="Subnet", by_code=True)
    ] = None
    """Prefix of the GatewaySubnet: /27 or larger, /29 for SKU Basic (R-SUBNET-02), or a `GatewaySubnet` with a route
    table. Several prefixes need a preview feature, except one IPv4 with one IPv6 (R-SUBNET-08, R-SUBNET-18). Left out:
    there is none, or it is not ours."""
    subnets: Subnets = ()
    """Other subnets that are ours: ``{"workload": "10.1.0.0/24"}`` or a list of `Subnet`. Foreign ones survive."""
    dns_servers: Annotated[Many[IpAddress], Wire("properties.dhcpOptions.dnsServers")] = ()
    """Custom DNS servers; they must forward to 168.63.129.16, or Azure cannot run the gateway (R-DNS-01)."""
    summarized_gateway_prefixes: Annotated[Prefixes, Wire("properties.summarizedGatewayPrefixes.addressPrefixes")] = ()
    """Summaries that VPN and ExpressRoute gateways advertise in place of the spokes they cover (R-BGP-22)."""
    bgp_community: Annotated[
        Annotated[str, Field(pattern=r"^\d+:\d+$")] | None, Wire("properties.bgpCommunities.virtualNetworkCommunity")
    ] = None
    """BGP community that the network bears over ExpressRoute: ``12076:20000`` to ``12076:49999``."""
    ddos_plan: Annotated[
        Annotated[AnyId, AfterValidator(ids_only("Microsoft.Network/ddosProtectionPlans"))] | None,
        Wire("properties.ddosProtectionPlan.id"),
    ] = None
    """Id of an existing DDoS protection plan; it counts with `ddos_protection`."""
    ddos_protection: Annotated[bool | None, Wire("properties.enableDdosProtection")] = None
    """Protection by the plan. Default off."""
    encryption: Annotated[
        Literal["allow-unencrypted", "drop-unencrypted"] | None,
        Wire(
            "properties.encryption.enforcement",
            values=ENCRYPTION,
            by_code=True,
        ),
    ] = None
    """Encrypt between machines that can, and let or drop the rest. Left out: none of ours."""
    flow_timeout: Annotated[Annotated[int, Field(ge=4, le=30)] | None, Wire("properties.flowTimeoutInMinutes")] = None
    """Minutes after which an idle flow ends, 4 to 30. Left out: Azure's."""
    edge_zone: Annotated[str | None, Wire("extendedLocation.name")] = None
    """Name of the edge zone, where its gateways say ``edge_zone`` too. It cannot change later."""
    expected: Many[str] = ()
    """Ids or names of foreign peerings on this network that are known; no alarm in drift."""
    subscription: Guid | None = None
    """Default: the subscription of the run."""
    tenant: Guid | None = None
    """Entra tenant of that subscription. Default: the tenant of the run."""
    label: Name | None = None
    """Name in addresses and reports; give one if two networks of a blueprint bear the same name."""
    tags: Annotated[Tags, Wire("tags", by_code=True)] = Field(default_factory=dict)
    protect: bool = False
    """Neither deleted nor replaced until an apply with ``protect=False``."""
    on_removal: OnRemoval = "delete"
    waive: Waive = Field(default_factory=dict)

    @model_validator(mode="after")
    def _subnets_fit(self) -> Self:
        """Azure answers NetcfgInvalidSubnet to a subnet outside, NetcfgSubnetRangesOverlap to two in one place."""
        spaces = [ipaddress.ip_network(prefix) for prefix in self.address_space]
        gateways = gateway_entry(self.gateway_subnet)
        named = [("gateway_subnet", prefix) for prefix in gateways.prefixes] if gateways else []
        named += [(f"Subnet {subnet.name!r}", prefix) for subnet in self.own_subnets for prefix in subnet.prefixes]
        taken: list[tuple[str, ipaddress.IPv4Network | ipaddress.IPv6Network]] = []
        for name, prefix in named:
            inner = ipaddress.ip_network(prefix)
            if other := next((known for known, range_ in taken if range_.overlaps(inner)), None):
                raise rule_error("T-SUBNET", f"{name} {prefix} overlaps {other}.")
            taken.append((f"{name} {prefix}", inner))
            if not any(inner.version == space.version and inner.subnet_of(space) for space in spaces):  # type: ignore[arg-type]
                wide = ", ".join(self.address_space)
                raise rule_error("T-SUBNET", f"{name} {prefix} does not lie in the address space {wide}.")
        return self

    @property
    def own_subnets(self) -> tuple[Subnet, ...]:
        """The subnets, whichever way they were written."""
        return cast("tuple[Subnet, ...]", self.subnets)

    @classmethod
    def existing(
        cls,
        id: str | ArmId,
        *,
        location: str | None = None,
        address_space: Iterable[str] | str | None = None,
        gateway_subnet: GatewaySubnet | Iterable[str] | str | None = None,
        tenant: str | None = None,
        label: str | None = None,
    ) -> "ExistingVirtualNetwork":
        """Use a network that is managed elsewhere; it is read and never put.

        The facts are for checks without Azure. `gateway_subnet` means that this subnet is ours to create and keep.
        """
        facts = {"location": location, "address_space": address_space, "gateway_subnet": gateway_subnet}
        return ExistingVirtualNetwork.model_validate({"existing": id, "tenant": tenant, "label": label, **facts})


class ExistingVirtualNetwork(ExistingPart, Part):
    """A virtual network that is only used. Facts not given are read at plan."""

    existing: Annotated[ArmId, AfterValidator(ids_only("Microsoft.Network/virtualNetworks"))]
    location: Region | None = None
    address_space: Prefixes | None = None
    gateway_subnet: AnyGatewaySubnet | None = None
    """Given: this GatewaySubnet is ours. Left out: it is there and only used."""
    tenant: Guid | None = None
    label: Name | None = None
    waive: Waive = Field(default_factory=dict)


class IpTag(Part):
    """An IP tag of a public address: ``IpTag(type="RoutingPreference", tag="Internet")``."""

    stands: ClassVar[str] = "PublicIp: properties.ipTags[0]"

    type: Annotated[str, Field(min_length=1), Wire("ipTagType")]
    """``RoutingPreference`` or ``FirstPartyUsage``."""
    tag: Annotated[str, Field(min_length=1), Wire("tag")]
    """``Internet`` and the like."""


class PublicIp(Part):
    """A public address of ours with a name or settings of its own; always SKU Standard and static (R-PIP-01).

    ``PublicIp(name="pip-hub", dns_label="vpn-hub")``
    """

    stands: ClassVar[str] = "PublicIp"

    name: Name
    resource_group: GroupName | None = None
    """Default: the gateway's."""
    zones: Annotated[Many[str] | None, Wire("zones", by_code=True)] = None
    """Availability zones. Default: 1, 2 and 3 where SKU and region have zones (R-PIP-02, R-PIP-03)."""
    dns_label: Annotated[DnsLabel | None, Wire("properties.dnsSettings.domainNameLabel")] = None
    """``label`` of ``label.region.cloudapp.azure.com``, once in a region (R-PIP-24, R-PIP-25)."""
    idle_timeout: Annotated[Annotated[int, Field(ge=4, le=30)] | None, Wire("properties.idleTimeoutInMinutes")] = None
    """Minutes, default 4."""
    prefix: Annotated[
        Annotated[AnyId, AfterValidator(ids_only("Microsoft.Network/publicIPPrefixes"))] | None,
        Wire("properties.publicIPPrefix.id"),
    ] = None
    """Id of an existing public IP prefix to take the address from."""
    reverse_fqdn: Annotated[Fqdn | None, Wire("properties.dnsSettings.reverseFqdn")] = None
    """Name that the address resolves to backwards; it must resolve to the address, or to its `dns_label`."""
    ddos: Annotated[
        Literal["inherited", "enabled", "disabled"] | None,
        Wire(
            "properties.ddosSettings.protectionMode",
            values={"inherited": "VirtualNetworkInherited", "enabled": "Enabled", "disabled": "Disabled"},
        ),
    ] = None
    """DDoS protection of the address. Default: that of the network."""
    ddos_plan: Annotated[
        Annotated[AnyId, AfterValidator(ids_only("Microsoft.Network/ddosProtectionPlans"))] | None,
        Wire("properties.ddosSettings.ddosProtectionPlan.id"),
    ] = None
    """Id of an existing plan, with ``ddos="enabled"``."""
    ip_tags: Annotated[Many[IpTag], listed, Wire("properties.ipTags")] = ()
    """IP tags. The routing preference is one: ``IpTag(type="RoutingPreference", tag="Internet")``. They are decided at
    creation."""
    diagnostics: ManyDiagnostics = ()
    """Where its logs and metrics go: one setting or several."""
    lock: AnyLock | None = None
    """Management lock of the address."""
    access: Access = ()
    """Role assignments on the address."""
    tags: Annotated[Tags, Wire("tags", by_code=True)] = Field(default_factory=dict)
    protect: bool = False
    on_removal: OnRemoval = "delete"
    waive: Waive = Field(default_factory=dict)

    @classmethod
    def existing(cls, id: str | ArmId, *, address: str | None = None) -> "ExistingPublicIp":
        """Use an address that is managed elsewhere."""
        return ExistingPublicIp.model_validate({"existing": id, "address": address})


class ExistingPublicIp(Part):
    """A public IP resource that is only used."""

    existing: Annotated[ArmId, AfterValidator(ids_only("Microsoft.Network/publicIPAddresses"))]
    address: Ipv4 | None = None
    """The address itself, a fact for checks without Azure."""

    @property
    def name(self) -> str:
        """Its name in Azure."""
        return self.existing.name


AnyNetwork = Annotated[
    OursOrExisting[VirtualNetwork, ExistingVirtualNetwork],
    Named("networks", "VirtualNetwork(...)"),
]
"""A network: ours, or only used."""

AnyPublicIp = OursOrExisting[PublicIp, ExistingPublicIp]
"""A public IP: ours, or only used."""
