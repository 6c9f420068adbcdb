"""Resource groups, networks and subnets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.compiling.context import CompileContext, Item, Placement, envelope, no_location, tags_of, used
from vpngw_iac.blueprints.compiling.plain import merged, plain, properties_of
from vpngw_iac.blueprints.contribution import Network, PlacedPart
from vpngw_iac.blueprints.network import (
    ENCRYPTION,
    ExistingVirtualNetwork,
    RouteTable,
    SecurityGroup,
    SecurityRule,
    Subnet,
    VirtualNetwork,
    gateway_entry,
)
from vpngw_iac.errors import Finding
from vpngw_iac.resources import resource_group, subnet, virtual_network
from vpngw_iac.resources.base import Ref
from vpngw_iac.resources.existing import Existing
from vpngw_iac.resources.virtual_network import GATEWAY_SUBNET
from vpngw_iac.resources.wire import Document

if TYPE_CHECKING:
    from vpngw_iac.resources import network_security_group


def group(place: Placement, location: str, tags: Mapping[str, str]) -> resource_group.ResourceGroup:
    """The resource group of something that is ours; made only if it is absent."""
    within = f"{place.subscription}/{place.group}" if place.own_subscription else place.group
    return resource_group.ResourceGroup(
        address=f"ResourceGroup/{within}",
        id=place.id_of_group(),
        location=location,
        tags=tags_of(tags),
        tenant=place.tenant,
    )


def network(
    use: PlacedPart[Network], context: CompileContext, *, has_gateway: bool, lost: tuple[str, ...]
) -> Iterator[Item]:
    """A network and its subnets, or the note that an existing one is used. `lost` lose connectivity with it."""
    part = use.part
    yield _network(part, use, context, lost) if isinstance(part, VirtualNetwork) else _existing(part)
    for entry in entries_of(part):
        yield _subnet(part, entry, context, lost=lost if entry.is_gateway_subnet else ())
        yield from (_beside(each, use, context) for each in _owned(entry))
    if part.gateway_subnet:
        return
    if has_gateway and isinstance(part, ExistingVirtualNetwork):
        address = f"Subnet/{part.address_name}/{GATEWAY_SUBNET}"
        yield Existing(address, part.existing.child("subnets", GATEWAY_SUBNET), tenant=part.tenant)
    elif has_gateway and isinstance(part, VirtualNetwork):
        yield _no_gateway_subnet(part, use.path)


def entries_of(part: Network) -> Iterator[Subnet]:
    """Every subnet that is ours, the GatewaySubnet last."""
    yield from part.own_subnets if isinstance(part, VirtualNetwork) else ()
    if (entry := gateway_entry(part.gateway_subnet)) is not None:
        yield entry


def _owned(entry: Subnet) -> Iterator[RouteTable | SecurityGroup]:
    both = (entry.route_table, entry.security_group)
    yield from (each for each in both if isinstance(each, RouteTable | SecurityGroup))


def owned_beside(part: Network) -> Iterator[RouteTable | SecurityGroup]:
    """Every route table and security group of ours that its subnets use."""
    yield from (each for entry in entries_of(part) for each in _owned(entry))


def _beside(part: RouteTable | SecurityGroup, use: PlacedPart[Network], context: CompileContext) -> Item:
    """At home with its network, and in its region, unless it says otherwise."""
    from vpngw_iac.resources import network_security_group, route_table

    address, location = address_beside(part), part.location or use.part.location
    if location is None:
        return no_location(address, use.path, "location=... on it or on the existing network")
    common = {
        "address": address,
        "id": context.id_beside(part, use.part),
        "location": location,
        **envelope(part, context.place(use.part).tenant, use.tags),
    }
    if isinstance(part, RouteTable):
        properties = route_table.RouteTableProperties(**properties_of(part))
        return route_table.RouteTable(**common, properties=properties)
    rules = tuple(map(_rule, part.rules))
    return network_security_group.NetworkSecurityGroup(
        **common, properties=network_security_group.NetworkSecurityGroupProperties(security_rules=rules or None)
    )


def _rule(rule: SecurityRule) -> network_security_group.SecurityRule:
    """One value is sent in the singular, several in the plural."""
    from vpngw_iac.resources import network_security_group

    said = {
        "sourceAddressPrefix": (rule.source, "es"),
        "sourcePortRange": (rule.source_ports, "s"),
        "destinationAddressPrefix": (rule.destination, "es"),
        "destinationPortRange": (rule.destination_ports, "s"),
    }
    ends = {
        name if len(values) == 1 else f"{name}{plural}": values[0] if len(values) == 1 else values
        for name, (values, plural) in said.items()
    }
    return network_security_group.SecurityRule.model_validate(merged(plain(rule), {"properties": ends}))


def address_beside(part: RouteTable | SecurityGroup) -> str:
    """Our name for a route table or a security group."""
    return f"{'RouteTable' if isinstance(part, RouteTable) else 'SecurityGroup'}/{part.address_name}"


def gateway_subnet_ref(part: Network, context: CompileContext) -> Ref[subnet.Subnet]:
    """A reference to the GatewaySubnet of a network."""
    return Ref.to(context.network_id(part).child("subnets", GATEWAY_SUBNET))


def _network(
    part: VirtualNetwork, use: PlacedPart[Network], context: CompileContext, lost: tuple[str, ...]
) -> virtual_network.VirtualNetwork:
    return virtual_network.VirtualNetwork(
        address=f"VirtualNetwork/{part.address_name}",
        id=context.network_id(part),
        expected=part.expected,
        affected=lost,
        **envelope(part, context.place(part).tenant, use.tags),
        **merged(plain(part), {"properties": _encryption(part)}),
    )


def _encryption(part: VirtualNetwork) -> Document:
    if part.encryption is None:
        return {}
    return {"encryption": {"enabled": True, "enforcement": ENCRYPTION[part.encryption]}}


def _subnet(part: Network, entry: Subnet, context: CompileContext, lost: tuple[str, ...]) -> subnet.Subnet:
    """One prefix is sent as `addressPrefix`, several as `addressPrefixes`, never both (R-SUBNET-18)."""
    single = len(entry.prefixes) == 1

    def ref_of(each: RouteTable | SecurityGroup | ArmId | str | None) -> Ref[Any] | None:
        if isinstance(each, RouteTable | SecurityGroup):
            return Ref.to(context.id_beside(each, part))
        return None if each is None else Ref.to(ArmId(str(each)))

    said = properties_of(entry.model_copy(update={"security_group": None}))
    return subnet.Subnet(
        address=f"Subnet/{part.address_name}/{entry.name}",
        id=context.network_id(part).child("subnets", entry.name),
        tenant=context.place(part).tenant,
        protect=isinstance(part, VirtualNetwork) and part.protect,
        on_removal=part.on_removal if isinstance(part, VirtualNetwork) else "delete",
        affected=lost,
        properties=subnet.SubnetProperties(
            address_prefix=entry.prefixes[0] if single else None,
            address_prefixes=None if single else entry.prefixes,
            route_table=ref_of(entry.route_table),
            network_security_group=ref_of(entry.security_group),
            **said,
        ),
    )


def _existing(part: ExistingVirtualNetwork) -> Existing:
    prefixes = None if part.address_space is None else list(part.address_space)
    facts = {"location": part.location, "properties.addressSpace.addressPrefixes": prefixes}
    return used(f"VirtualNetwork/{part.address_name}", part, facts)


def _no_gateway_subnet(part: VirtualNetwork, path: str) -> Finding:
    return Finding(
        rule="B-GATEWAY-SUBNET",
        address=f"VirtualNetwork/{part.address_name}",
        summary="The network of a gateway has no GatewaySubnet",
        detail=f"A gateway is to stand in {part.name}, which says no gateway_subnet.",
        advice=f'Add gateway_subnet="..." to it: a free /27 of {", ".join(part.address_space)}.',
        source="R-SUBNET-01",
        location=path,
    )
