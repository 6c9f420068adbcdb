"""Resource groups, networks and subnets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vpngw_iac.blueprints.compiling.frame import Frame, Item, Place, tags_of
from vpngw_iac.blueprints.compiling.plain import plain, properties_of
from vpngw_iac.blueprints.network import ExistingVirtualNetwork, Subnet, VirtualNetwork
from vpngw_iac.blueprints.share import Network, Use
from vpngw_iac.errors import Finding
from vpngw_iac.resources import resource_group, subnet, virtual_network
from vpngw_iac.resources.base import Ref
from vpngw_iac.resources.existing import Existing
from vpngw_iac.resources.virtual_network import GATEWAY_SUBNET


def group(place: Place, location: str, tags: Mapping[str, str]) -> resource_group.ResourceGroup:
    """The resource group of something that is ours; made only if it is absent."""
    within = f"{place.subscription}/{place.group}" if place.own_subscription else place.group
    return resource_group.ResourceGroup(
        address=f"ResourceGroup/{within}",
        id=place.id_of_group(),
        location=location,
        tags=tags_of(tags),
        tenant=place.tenant,
    )


def network(use: Use[Network], frame: Frame, *, has_gateway: bool, lost: tuple[str, ...]) -> Iterator[Item]:
    """A network and its subnets, or the note that an existing one is used. `lost` lose connectivity with it."""
    part = use.part
    if isinstance(part, VirtualNetwork):
        yield _network(part, use, frame, lost)
        yield from (_subnet(part, entry, frame, lost=()) for entry in part.own_subnets)
    else:
        yield _existing(part)
    if part.gateway_subnet:
        entry = Subnet.model_construct(name=GATEWAY_SUBNET, prefixes=part.gateway_subnet, **_NO_TABLES)
        yield _subnet(part, entry, frame, lost=lost)
    elif has_gateway and isinstance(part, ExistingVirtualNetwork):
        yield Existing(gateway_subnet_address(part), part.existing.child("subnets", GATEWAY_SUBNET), tenant=part.tenant)
    elif has_gateway and isinstance(part, VirtualNetwork):
        yield _no_gateway_subnet(part, use.path)


_NO_TABLES = {"route_table": None, "security_group": None}


def gateway_subnet_address(part: Network) -> str:
    """Our name for the GatewaySubnet of a network."""
    return f"Subnet/{part.address_name}/{GATEWAY_SUBNET}"


def gateway_subnet_ref(part: Network, frame: Frame) -> Ref[subnet.Subnet]:
    """A reference to the GatewaySubnet of a network."""
    return Ref.to(frame.network_id(part).child("subnets", GATEWAY_SUBNET))


def _network(
    part: VirtualNetwork, use: Use[Network], frame: Frame, lost: tuple[str, ...]
) -> virtual_network.VirtualNetwork:
    return virtual_network.VirtualNetwork(
        address=f"VirtualNetwork/{part.address_name}",
        id=frame.network_id(part),
        tags=tags_of(use.tags, part.tags),
        tenant=frame.place(part).tenant,
        protect=part.protect,
        on_removal=part.on_removal,
        transient=lost,
        **plain(part),
    )


def _subnet(part: Network, entry: Subnet, frame: Frame, lost: tuple[str, ...]) -> subnet.Subnet:
    """One prefix is sent as `addressPrefix`, several as `addressPrefixes`, never both (R-SUBNET-18)."""
    single = len(entry.prefixes) == 1
    return subnet.Subnet(
        address=f"Subnet/{part.address_name}/{entry.name}",
        id=frame.network_id(part).child("subnets", entry.name),
        tenant=frame.place(part).tenant,
        protect=isinstance(part, VirtualNetwork) and part.protect,
        on_removal=part.on_removal if isinstance(part, VirtualNetwork) else "delete",
        transient=lost,
        properties=subnet.SubnetProperties(
            address_prefix=entry.prefixes[0] if single else None,
            address_prefixes=None if single else entry.prefixes,
            **properties_of(entry),
        ),
    )


def _existing(part: ExistingVirtualNetwork) -> Existing:
    facts = {"location": part.location, "properties.addressSpace.addressPrefixes": part.address_space}
    return Existing(
        f"VirtualNetwork/{part.address_name}",
        part.existing,
        {path: list(fact) if isinstance(fact, tuple) else fact for path, fact in facts.items() if fact is not None},
        part.tenant,
    )


def _no_gateway_subnet(part: VirtualNetwork, path: str) -> Finding:
    return Finding(
        rule="B-GATEWAY-SUBNET",
        level="error",
        address=f"VirtualNetwork/{part.address_name}",
        summary="The network of a gateway has no GatewaySubnet",
        detail=f"A gateway is to stand in {part.name}, which says no gateway_subnet.",
        advice=f'Add gateway_subnet="..." to it: a free /27 of {", ".join(part.address_space)}.',
        source="R-SUBNET-01",
        location=path,
    )
