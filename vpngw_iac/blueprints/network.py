"""Networks and public addresses as people write them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, cast

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.part import (
    AnyId,
    Many,
    Name,
    Named,
    OnRemoval,
    Part,
    Short,
    Waive,
    existing_or_new,
    ids_only,
    listed,
)
from vpngw_iac.field import Cidr, GroupName, Guid, IpAddress, Ipv4, Region, Wire, rule_error

Prefixes = Annotated[Many[Cidr], listed]
"""One address prefix or several."""

Tags = dict[str, str]
"""Tags as Azure keeps them: keys without case, values as written."""


class Subnet(Part):
    """A subnet of a network that is ours."""

    stands: ClassVar[str] = "Subnet"

    name: Name
    prefixes: Annotated[Prefixes, Field(min_length=1), Wire("properties.addressPrefixes", by_code=True)]
    """Address prefixes inside the network's address space; one, or an IPv4 and an IPv6 one."""
    route_table: Annotated[
        Annotated[AnyId, AfterValidator(ids_only("Microsoft.Network/routeTables"))] | None,
        Wire("properties.routeTable.id"),
    ] = None
    """Id of an existing route table."""
    security_group: Annotated[
        Annotated[AnyId, AfterValidator(ids_only("Microsoft.Network/networkSecurityGroups"))] | None,
        Wire("properties.networkSecurityGroup.id"),
    ] = None
    """Id of an existing network security group."""

    @property
    def is_gateway_subnet(self) -> bool:
        """Whether the name is the one reserved for gateways (R-SUBNET-01)."""
        return self.name.lower() == "gatewaysubnet"


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


class VirtualNetwork(Part):
    """A virtual network that is ours; `existing` uses one that is not."""

    stands: ClassVar[str] = "VirtualNetwork"

    name: Name
    location: Annotated[Region, Wire("location")]
    """Azure region, ``westeurope`` or ``West Europe``. Gateways live in the region of their network (R-SCOPE-01)."""
    resource_group: GroupName | None = None
    """Created if absent, otherwise used. Default: the resource group given with ``-g``."""
    address_space: Annotated[Prefixes, Field(min_length=1), Wire("properties.addressSpace.addressPrefixes")]
    gateway_subnet: Annotated[Prefixes | None, Wire("properties.addressPrefixes", of="Subnet", by_code=True)] = None
    """Prefix of the GatewaySubnet: /27 or larger, /29 for SKU Basic (R-SUBNET-02). Several prefixes need a preview
    feature, except one IPv4 with one IPv6 (R-SUBNET-08, R-SUBNET-18). Left out: there is none, or it is not ours."""
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
        named = [("gateway_subnet", prefix) for prefix in self.gateway_subnet or ()]
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

    @property
    def address_name(self) -> str:
        """How addresses call it."""
        return self.label or self.name

    @classmethod
    def existing(
        cls,
        id: str | ArmId,
        *,
        location: str | None = None,
        address_space: Iterable[str] | str | None = None,
        gateway_subnet: Iterable[str] | str | None = None,
        tenant: str | None = None,
        label: str | None = None,
    ) -> ExistingVirtualNetwork:
        """Use a network that is managed elsewhere; it is read and never put.

        The facts are for checks without Azure. `gateway_subnet` means that this subnet is ours to create and keep.
        """
        facts = {"location": location, "address_space": address_space, "gateway_subnet": gateway_subnet}
        return ExistingVirtualNetwork.model_validate({"existing": id, "tenant": tenant, "label": label, **facts})


class ExistingVirtualNetwork(Part):
    """A virtual network that is only used. Facts not given are read at plan."""

    existing: Annotated[ArmId, AfterValidator(ids_only("Microsoft.Network/virtualNetworks"))]
    location: Region | None = None
    address_space: Prefixes | None = None
    gateway_subnet: Prefixes | None = None
    """Given: this GatewaySubnet is ours. Left out: it is there and only used."""
    tenant: Guid | None = None
    label: Name | None = None
    waive: Waive = Field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name in Azure."""
        return self.existing.name

    @property
    def address_name(self) -> str:
        """How addresses call it."""
        return self.label or self.name


class PublicIp(Part):
    """A public address of ours with a name or settings of its own; always SKU Standard and static (R-PIP-01)."""

    stands: ClassVar[str] = "PublicIp"

    name: Name
    resource_group: GroupName | None = None
    """Default: the gateway's."""
    zones: Annotated[Many[str] | None, Wire("zones", by_code=True)] = None
    """Availability zones. Default: 1, 2 and 3 where SKU and region have zones (R-PIP-02, R-PIP-03)."""
    dns_label: Annotated[Name | None, Wire("properties.dnsSettings.domainNameLabel")] = None
    """``label`` of ``label.region.cloudapp.azure.com``."""
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
