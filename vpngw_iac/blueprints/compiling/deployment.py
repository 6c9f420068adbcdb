"""A whole deployment, compiled noun by noun."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.circuit import Circuit
from vpngw_iac.blueprints.compiling.assembly import Assembly, assemble, circuit_uses, network_uses
from vpngw_iac.blueprints.compiling.care import care, lock
from vpngw_iac.blueprints.compiling.expressroute import circuit, circuit_links, expressroute_gateway, global_reach
from vpngw_iac.blueprints.compiling.frame import Frame, Item, Place, gateway_address, no_location
from vpngw_iac.blueprints.compiling.merge import united
from vpngw_iac.blueprints.compiling.network import group, network, tables_of
from vpngw_iac.blueprints.compiling.pair import pair
from vpngw_iac.blueprints.compiling.site import default_site_id, sites
from vpngw_iac.blueprints.compiling.spoke import peerings
from vpngw_iac.blueprints.compiling.vpn import gateway_location, vpn_gateway
from vpngw_iac.blueprints.compiling.work import Work
from vpngw_iac.blueprints.gateway import (
    ExistingExpressRouteGateway,
    ExistingVpnGateway,
    ExpressRouteGateway,
    VpnGateway,
)
from vpngw_iac.blueprints.network import PublicIp, VirtualNetwork
from vpngw_iac.blueprints.share import Share
from vpngw_iac.errors import Finding
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.existing import Existing


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a blueprint compiles to, sorted by address, and what stands in the way."""

    items: tuple[Resource | Existing, ...]
    findings: tuple[Finding, ...]


def compile_shares(shares: Sequence[Share], frame: Frame) -> Compiled:
    """Compile; findings say what could not be."""
    homeless = tuple(_homeless(shares, frame))
    if homeless:
        return Compiled((), homeless)
    assembly = assemble(shares, frame)
    problems = list(assembly.findings)
    items = united(_items(assembly, frame), problems)
    return Compiled(tuple(items), tuple(sorted(set(problems))))


def _items(assembly: Assembly, frame: Frame) -> Iterator[Item]:
    made = list(_unlocked(assembly, frame))
    yield from made
    for work in assembly.works:
        yield from lock(work, frame, made)


def _unlocked(assembly: Assembly, frame: Frame) -> Iterator[Item]:
    by_id = {work.id: work for work in assembly.works}
    yield from _groups(assembly, frame)
    for use in assembly.networks:
        here = [work for work in assembly.works if _stands_in(work, frame.network_id(use.part), frame)]
        lost = tuple(sorted({name for work in here for name in work.lost}))
        yield from network(use, frame, has_gateway=bool(here), lost=lost)
    for work in assembly.works:
        yield from _work_items(work, frame)
    for holder in assembly.circuits:
        users = {
            link.part.name
            for work in assembly.works
            for link in work.circuits
            if frame.circuit_id(link.part.circuit) == frame.circuit_id(holder.part)
        }
        yield from circuit(holder, frame, tuple(sorted(users)))
    for reach in assembly.reaches:
        yield from global_reach(reach, frame)
    for joined in assembly.pairs:
        yield from pair(joined, by_id[frame.gateway_id(joined.part.a)], by_id[frame.gateway_id(joined.part.b)], frame)
    for spoke in assembly.spokes:
        yield from peerings(spoke.use, spoke.hub, spoke.gateways, frame)


def _stands_in(work: Work, network_id: ArmId, frame: Frame) -> bool:
    part = work.gateway
    return isinstance(part, VpnGateway | ExpressRouteGateway) and frame.network_id(part.network) == network_id


def _work_items(work: Work, frame: Frame) -> Iterator[Item]:
    part = work.gateway
    if isinstance(part, VpnGateway | ExistingVpnGateway):
        yield from vpn_gateway(work, frame)
        yield from _unknown_names(work, frame)
    location = gateway_location(work)
    if location is None:
        if work.sites or work.circuits or isinstance(part, ExpressRouteGateway):
            yield no_location(gateway_address(part), work.use.path, "location=... on the existing gateway or network")
        if isinstance(part, ExistingExpressRouteGateway):
            yield from expressroute_gateway(work, frame, "")
        return
    if isinstance(part, ExpressRouteGateway | ExistingExpressRouteGateway):
        yield from expressroute_gateway(work, frame, location)
    yield from sites(work, frame, location)
    yield from circuit_links(work, frame, location)
    yield from care(work, frame, location)


def _unknown_names(work: Work, frame: Frame) -> Iterator[Finding]:
    part = work.gateway
    known = ", ".join(use.part.name for use in work.sites) or "none"
    wanted = part.default_site if isinstance(part, VpnGateway) else None
    if wanted and default_site_id(wanted, work, frame) is None:
        yield Finding(
            rule="B-DEFAULT-SITE",
            level="error",
            address=gateway_address(part),
            summary="The default site of a gateway does not exist",
            detail=f"default_site names {wanted!r}; the sites of {part.name} are: {known}.",
            advice="Name one of them, or one link of it as site/link.",
            source="R-FT-01",
            location=f"{work.use.path}.default_site",
        )


def _groups(assembly: Assembly, frame: Frame) -> Iterator[Item]:
    """Groups of everything that is ours; an absent one is made where the first of its parts (by name) is."""
    wanted: dict[ArmId, tuple[str, str, Place, Mapping[str, str]]] = {}
    for entry in _wanted_groups(assembly, frame):
        key = entry[2].id_of_group()
        wanted[key] = min(wanted.get(key, entry), entry, key=lambda one: one[:2])
    for key in sorted(wanted):
        _, location, place, tags = wanted[key]
        yield group(place, location, tags)


def _wanted_groups(assembly: Assembly, frame: Frame) -> Iterator[tuple[str, str, Place, Mapping[str, str]]]:
    """Name and region of a part, the place that it needs, and the tags of everything in its blueprints."""
    for use in assembly.networks:
        if isinstance(use.part, VirtualNetwork):
            yield use.part.name, use.part.location, frame.place(use.part), use.tags
        for table in tables_of(use.part):
            if table.resource_group and (location := table.location or use.part.location):
                yield table.name, location, frame.table_place(table, use.part), use.tags
    for circuit_use in assembly.circuits:
        if isinstance(circuit_use.part, Circuit):
            part = circuit_use.part
            yield part.name, part.location, frame.place(part), circuit_use.tags
    for work in assembly.works:
        location = gateway_location(work)
        if location is not None:
            yield from ((work.gateway.name, location, place, work.tags) for place in _groups_of(work, frame))


def _groups_of(work: Work, frame: Frame) -> Iterator[Place]:
    """The groups of a gateway that is ours, and those that its addresses and sites name for themselves."""
    part = work.gateway
    # The group of an existing network, or of an existing gateway, is there.
    if isinstance(part, VpnGateway | ExpressRouteGateway) and part.resource_group:
        yield frame.place(part)
    addresses = part.public_ips if isinstance(part, VpnGateway) else ()
    named = {address.resource_group for address in addresses if isinstance(address, PublicIp)}
    named |= {link.resource_group for _, link in work.links()}
    yield from (frame.beside(part, name) for name in sorted(name for name in named if name))


def _homeless(shares: Sequence[Share], frame: Frame) -> Iterator[Finding]:
    """Networks and circuits without a resource group: nothing has an id without one."""
    parts = [
        *((use.part, use.path) for use in network_uses(shares)),
        *((use.part, use.path) for use in circuit_uses(shares)),
    ]
    for part, path in parts:
        if isinstance(part, VirtualNetwork | Circuit) and not frame.place(part).group:
            yield Finding(
                rule="B-GROUP",
                level="error",
                address=f"{type(part).__name__}/{part.address_name}",
                summary="No resource group is given",
                detail=f"{part.name} says no resource_group, and none was given for the run.",
                advice='Add resource_group="rg-..." to it, or run with -g NAME.',
                location=path,
            )
