"""A whole deployment, compiled noun by noun."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.compiling.context import CompileContext, Item, Placement, gateway_address, no_location
from vpngw_iac.blueprints.compiling.gateway_context import GatewayContext
from vpngw_iac.blueprints.compiling.merge import united
from vpngw_iac.blueprints.compiling.merged_parts import MergedParts, assemble, circuit_uses, network_uses
from vpngw_iac.blueprints.compiling.network import group, network, owned_beside
from vpngw_iac.blueprints.compiling.operations_settings import locked_last, maintenance
from vpngw_iac.blueprints.compiling.site import default_site_id, sites
from vpngw_iac.blueprints.compiling.vpn import gateway_location, vpn_gateway
from vpngw_iac.blueprints.contribution import Contribution
from vpngw_iac.blueprints.gateway import (
    ExistingExpressRouteGateway,
    ExistingVpnGateway,
    ExpressRouteGateway,
    VpnGateway,
)
from vpngw_iac.blueprints.network import PublicIp, VirtualNetwork
from vpngw_iac.blueprints.part import ExistingPart
from vpngw_iac.blueprints.site import LocalGateway
from vpngw_iac.errors import Finding
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.existing import Existing


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a blueprint compiles to, sorted by address, and what stands in the way."""

    items: tuple[Resource | Existing, ...]
    findings: tuple[Finding, ...]


def compile_contributions(contributions: Sequence[Contribution], context: CompileContext) -> Compiled:
    """Compile; findings say what could not be."""
    homeless = tuple(_homeless(contributions, context))
    if homeless:
        return Compiled((), homeless)
    merged_parts = assemble(contributions, context)
    problems = list(merged_parts.findings)
    items = united(_items(merged_parts, context), problems)
    return Compiled(tuple(items), tuple(sorted(set(problems))))


def _items(merged_parts: MergedParts, context: CompileContext) -> Iterator[Item]:
    made = list(_each(merged_parts, context))
    yield from (locked_last(item, made) if isinstance(item, Resource) and item.can_block else item for item in made)


def _each(merged_parts: MergedParts, context: CompileContext) -> Iterator[Item]:
    by_id = {gateway.id: gateway for gateway in merged_parts.gateways}
    at_home: dict[ArmId, list[GatewayContext]] = {}
    for gateway in merged_parts.gateways:
        if isinstance(gateway.part, VpnGateway | ExpressRouteGateway):
            at_home.setdefault(context.network_id(gateway.part.network), []).append(gateway)
    yield from _groups(merged_parts, context)
    for use in merged_parts.networks:
        here = at_home.get(context.network_id(use.part), ())
        lost = tuple(sorted({name for gateway in here for name in gateway.lost}))
        yield from network(use, context, has_gateway=bool(here), lost=lost)
    for gateway in merged_parts.gateways:
        yield from _gateway_items(gateway, context)
    if merged_parts.circuits or merged_parts.reaches:
        yield from _circuit_items(merged_parts, context)
    if merged_parts.pairs:
        from vpngw_iac.blueprints.compiling.pair import pair

        for joined in merged_parts.pairs:
            a, b = (by_id[context.gateway_id(end)] for end in (joined.part.a, joined.part.b))
            yield from pair(joined, a, b, context)
    if merged_parts.spokes:
        from vpngw_iac.blueprints.compiling.spoke import peerings

        for spoke in merged_parts.spokes:
            yield from peerings(spoke.use, spoke.hub, spoke.gateways, context)


def _circuit_items(merged_parts: MergedParts, context: CompileContext) -> Iterator[Item]:
    from vpngw_iac.blueprints.compiling.expressroute import circuit, global_reach

    for holder in merged_parts.circuits:
        users = {
            link.part.name
            for gateway in merged_parts.gateways
            for link in gateway.circuits
            if context.circuit_id(link.part.circuit) == context.circuit_id(holder.part)
        }
        yield from circuit(holder, context, tuple(sorted(users)))
    for reach in merged_parts.reaches:
        yield from global_reach(reach, context)


def _gateway_items(gateway: GatewayContext, context: CompileContext) -> Iterator[Item]:
    part = gateway.part
    if isinstance(part, VpnGateway | ExistingVpnGateway):
        yield from vpn_gateway(gateway, context)
        yield from _unknown_names(gateway, context)
    location = gateway_location(gateway)
    if location is None:
        if gateway.sites or gateway.circuits or isinstance(part, ExpressRouteGateway):
            yield no_location(
                gateway_address(part), gateway.use.path, "location=... on the existing gateway or network"
            )
        if isinstance(part, ExistingExpressRouteGateway):
            yield from _expressroute_gateway(gateway, context, "")
        return
    if isinstance(part, ExpressRouteGateway | ExistingExpressRouteGateway):
        yield from _expressroute_gateway(gateway, context, location)
    yield from sites(gateway, context, location)
    if gateway.circuits:
        from vpngw_iac.blueprints.compiling.expressroute import circuit_links

        yield from circuit_links(gateway, context, location)
    yield from maintenance(gateway, context, location)


def _expressroute_gateway(gateway: GatewayContext, context: CompileContext, location: str) -> Iterator[Item]:
    from vpngw_iac.blueprints.compiling.expressroute import expressroute_gateway

    yield from expressroute_gateway(gateway, context, location)


def _unknown_names(gateway: GatewayContext, context: CompileContext) -> Iterator[Finding]:
    part = gateway.part
    known = ", ".join(use.part.name for use in gateway.sites) or "none"
    wanted = part.default_site if isinstance(part, VpnGateway) else None
    if wanted and default_site_id(wanted, gateway, context) is None:
        yield Finding(
            rule="B-DEFAULT-SITE",
            address=gateway_address(part),
            summary="The default site of a gateway does not exist",
            detail=f"default_site names {wanted!r}; the sites of {part.name} are: {known}.",
            advice="Name one of them, or one link of it as site/link.",
            source="R-FT-01",
            location=f"{gateway.use.path}.default_site",
        )


def _groups(merged_parts: MergedParts, context: CompileContext) -> Iterator[Item]:
    """Groups of everything that is ours; an absent one is made where the first of its parts (by name) is."""
    wanted: dict[ArmId, tuple[str, str, Placement, Mapping[str, str]]] = {}
    for entry in _wanted_groups(merged_parts, context):
        key = entry[2].id_of_group()
        wanted[key] = min(wanted.get(key, entry), entry, key=lambda one: one[:2])
    for key in sorted(wanted):
        _, location, place, tags = wanted[key]
        yield group(place, location, tags)


def _wanted_groups(
    merged_parts: MergedParts, context: CompileContext
) -> Iterator[tuple[str, str, Placement, Mapping[str, str]]]:
    """Name and region of a part, the place that it needs, and the tags of everything in its blueprints."""
    for use in merged_parts.networks:
        if isinstance(use.part, VirtualNetwork):
            yield use.part.name, use.part.location, context.place(use.part), use.tags
        for table in owned_beside(use.part):
            if table.resource_group and (location := table.location or use.part.location):
                yield table.name, location, context.place_beside(table, use.part), use.tags
    for circuit_use in merged_parts.circuits:
        if not isinstance(circuit_use.part, ExistingPart):
            part = circuit_use.part
            yield part.name, part.location, context.place(part), circuit_use.tags
    yield from _groups_of_pairs(merged_parts, context)
    for gateway in merged_parts.gateways:
        location = gateway_location(gateway)
        if location is not None:
            yield from ((gateway.part.name, location, place, gateway.tags) for place in _groups_of(gateway, context))


def _groups_of_pairs(
    merged_parts: MergedParts, context: CompileContext
) -> Iterator[tuple[str, str, Placement, Mapping[str, str]]]:
    by_id = {gateway.id: gateway for gateway in merged_parts.gateways}
    for use in merged_parts.pairs:
        for end, name in zip((use.part.a, use.part.b), use.part.resource_group or (), strict=False):
            location = gateway_location(by_id[context.gateway_id(end)])
            if name and location:
                yield end.name, location, context.beside(end, name), use.tags


def _groups_of(gateway: GatewayContext, context: CompileContext) -> Iterator[Placement]:
    """The groups of a gateway that is ours, and those that its addresses and sites name for themselves."""
    part = gateway.part
    # The group of an existing network, or of an existing gateway, is there.
    if isinstance(part, VpnGateway | ExpressRouteGateway) and part.resource_group:
        yield context.place(part)
    addresses = part.public_ips if isinstance(part, VpnGateway) else ()
    named = {address.resource_group for address in addresses if isinstance(address, PublicIp)}
    for use, link in gateway.links():
        named |= {link.resource_group, link.local_gateway_group or use.part.resource_group}
    parts = (*(link.local_gateway for _, link in gateway.links()), *(use.part for use in gateway.local_gateways))
    named |= {part.resource_group for part in parts if isinstance(part, LocalGateway)}
    named |= {use.part.resource_group for use in gateway.circuits}
    yield from (context.beside(part, name) for name in sorted(name for name in named if name))


def _homeless(contributions: Sequence[Contribution], context: CompileContext) -> Iterator[Finding]:
    """Networks and circuits without a resource group: nothing has an id without one."""
    parts = [
        *((use.part, use.path) for use in network_uses(contributions)),
        *((use.part, use.path) for use in circuit_uses(contributions)),
    ]
    for part, path in parts:
        if not isinstance(part, ExistingPart) and not context.place(part).group:
            yield Finding(
                rule="B-GROUP",
                address=f"{type(part).__name__}/{part.address_name}",
                summary="No resource group is given",
                detail=f"{part.name} says no resource_group, and none was given for the run.",
                advice='Add resource_group="rg-..." to it, or run with -g NAME.',
                location=path,
            )
