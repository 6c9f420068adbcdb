"""Networks and public addresses as people write them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, cast

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.part import (
    AnyId,
    ExistingPart,
    Many,
    Name,
    Named,
    NamedPart,
    OnRemoval,
    Part,
    Short,
    Waive,
    existing_or_new,
    ids_only,
    listed,
)
from vpngw_iac.field import Cidr, DnsLabel, GroupName, Guid, IpAddress, Ipv4, Region, Wire, rule_error

Prefixes = Annotated[Many[Cidr], listed]
"""One address prefix or several."""

Tags = dict[str, str]
"""Tags as Azure keeps them: keys without case, values as written."""


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


class RouteTable(Part):
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

    @property
    def address_name(self) -> str:
        """How addresses call it."""
        return self.label or self.name


def _id_or_ours(value: Any) -> str:
    return "<ours>" if isinstance(value, RouteTable | Mapping) else "<existing>"


AnyRouteTable = Annotated[
    Annotated[RouteTable, Tag("<ours>")]
    | Annotated[AnyId, AfterValidator(ids_only("Microsoft.Network/routeTables")), Tag("<existing>")],
    Discriminator(_id_or_ours),
]
"""A route table: ours, or the id of one that is only used."""


class GatewaySubnet(Part):
    """The GatewaySubnet with more than its prefix: a hub with a firewall sends what gateways receive through it.

    ``GatewaySubnet(prefix="10.1.255.0/27", route_table=RouteTable(...))``
    """

    stands: ClassVar[str] = "Subnet"

    prefix: Annotated[Prefixes, Field(min_length=1), Wire("properties.addressPrefixes", by_code=True)]
    """/27 or larger, /29 for SKU Basic (R-SUBNET-02); one, or an IPv4 and an IPv6 one."""
    route_table: Annotated[AnyRouteTable | None, Wire("properties.routeTable.id", by_code=True)] = None
    """`RouteTable` or the id of an existing one. Without a route for 0.0.0.0/0 (R-SUBNET-11), with BGP propagation."""


def _prefixes_or_whole(value: Any) -> str:
    return "<subnet>" if isinstance(value, GatewaySubnet | Mapping) else "<prefixes>"


AnyGatewaySubnet = Annotated[
    Annotated[Prefixes, Tag("<prefixes>")] | Annotated[GatewaySubnet, Tag("<subnet>")],
    Discriminator(_prefixes_or_whole),
]
"""The prefix of a GatewaySubnet, or a `GatewaySubnet`."""


class Subnet(Part):
    """A subnet of a network that is ours."""

    stands: ClassVar[str] = "Subnet"

    name: Name
    prefixes: Annotated[Prefixes, Field(min_length=1), Wire("properties.addressPrefixes", by_code=True)]
    """Address prefixes inside the network's address space; one, or an IPv4 and an IPv6 one."""
    route_table: Annotated[AnyRouteTable | None, Wire("properties.routeTable.id", by_code=True)] = None
    """`RouteTable`, or the id of an existing one."""
    security_group: Annotated[
        Annotated[AnyId, AfterValidator(ids_only("Microsoft.Network/networkSecurityGroups"))] | None,
        Wire("properties.networkSecurityGroup.id"),
    ] = None
    """Id of an existing network security group."""

    @property
    def is_gateway_subnet(self) -> bool:
        """Whether the name is the one reserved for gateways (R-SUBNET-01)."""
        return self.name.lower() == "gatewaysubnet"


def gateway_entry(said: Any) -> Subnet | None:
    """The GatewaySubnet of a network as a subnet like the others."""
    if not said:
        return None
    whole = said if isinstance(said, GatewaySubnet) else GatewaySubnet.model_construct(prefix=said)
    return Subnet.model_construct(
        name="GatewaySubnet", prefixes=whole.prefix, route_table=whole.route_table, security_group=None
    )


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
    """A virtual network that is ours; `existing` uses one that is not."""

    stands: ClassVar[str] = "VirtualNetwork"

    name: Name
    location: Annotated[Region, Wire("location")]
    """Azure region, ``westeurope`` or ``West Europe``. Gateways live in the region of their network (R-SCOPE-01)."""
    resource_group: GroupName | None = None
    """Created if absent, otherwise used. Default: the resource group given with ``-g``."""
    address_space: Annotated[Prefixes, Field(min_length=1), Wire("properties.addressSpace.addressPrefixes")]
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
    edge_zone: Annotated[str | None, Wire("extendedLocation.name")] = None
    """Name of the edge zone, where its gateways say ``edge_zone`` too. It cannot change later."""
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
    ) -> ExistingVirtualNetwork:
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


class PublicIp(Part):
    """A public address of ours with a name or settings of its own; always SKU Standard and static (R-PIP-01)."""

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
    tags: Annotated[Tags, Wire("tags", by_code=True)] = Field(default_factory=dict)
    protect: bool = False
    on_removal: OnRemoval = "delete"
    waive: Waive = Field(default_factory=dict)

    @classmethod
    def existing(cls, id: str | ArmId, *, address: str | None = None) -> ExistingPublicIp:
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
    Annotated[VirtualNetwork, Tag("<ours>")] | Annotated[ExistingVirtualNetwork, Tag("<existing>")],
    Discriminator(existing_or_new),
    Named("networks", "VirtualNetwork(...)"),
]
"""A network: ours, or only used."""

AnyPublicIp = Annotated[
    Annotated[PublicIp, Tag("<ours>")] | Annotated[ExistingPublicIp, Tag("<existing>")], Discriminator(existing_or_new)
]
"""A public IP: ours, or only used."""
