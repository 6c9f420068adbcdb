"""A whole deployment: shares of all blueprints merged, then compiled noun by noun."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.client import ClientAccess
from vpngw_iac.blueprints.compiling.expressroute import circuit, circuit_links, expressroute_gateway
from vpngw_iac.blueprints.compiling.frame import Frame, Item, Place, gateway_address
from vpngw_iac.blueprints.compiling.merge import merged, united
from vpngw_iac.blueprints.compiling.network import group, network
from vpngw_iac.blueprints.compiling.pair import pair
from vpngw_iac.blueprints.compiling.site import default_site_id, sites
from vpngw_iac.blueprints.compiling.spoke import peerings
from vpngw_iac.blueprints.compiling.vpn import gateway_location, no_location, vpn_gateway
from vpngw_iac.blueprints.compiling.work import Work
from vpngw_iac.blueprints.expressroute import Circuit, CircuitLink, ExistingCircuit
from vpngw_iac.blueprints.gateway import (
    ExistingExpressRouteGateway,
    ExistingVpnGateway,
    ExpressRouteGateway,
    VpnGateway,
)
from vpngw_iac.blueprints.network import VirtualNetwork
from vpngw_iac.blueprints.peer import Pair, Spoke
from vpngw_iac.blueprints.share import GatewayLike, Network, On, Share, Use
from vpngw_iac.blueprints.site import Site
from vpngw_iac.errors import Finding
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.existing import Existing


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a blueprint compiles to, sorted by address, and what stands in the way."""

    items: tuple[Resource | Existing, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Assembly:
    """The nouns of a deployment, each once: what checks over the whole topology read."""

    networks: tuple[Use[Network], ...]
    works: tuple[Work, ...]
    pairs: tuple[Use[Pair], ...]
    circuits: tuple[Use[Circuit | ExistingCircuit], ...]
    spokes: tuple[tuple[Use[Spoke], Network, tuple[ArmId, ...]], ...]
    """A spoke, its hub, and the ids of the gateways that it uses."""
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


# --- merging -------------------------------------------------------------------------------------------------------


def assemble(shares: Iterable[Share], frame: Frame) -> Assembly:
    """Merge the shares: one use for each network, gateway, circuit, site, pair and spoke."""
    every = list(shares)
    problems: list[Finding] = []
    gateways = merged(_gateways(every), frame.gateway_id, gateway_address, problems)
    networks = merged(
        _networks(every, gateways.values()),
        frame.network_id,
        lambda part: f"VirtualNetwork/{part.address_name}",
        problems,
    )
    circuits = merged(_circuits(every), frame.circuit_id, lambda part: f"Circuit/{part.address_name}", problems)
    works = _works(every, gateways, frame, problems)
    pairs = merged(
        (use for share in every for use in share.pairs), lambda part: _pair_key(part, frame), _pair_address, problems
    )
    spokes = _spokes(every, frame, problems)
    return Assembly(
        networks=tuple(networks[key] for key in sorted(networks)),
        works=tuple(works[key] for key in sorted(works)),
        pairs=tuple(pairs[key] for key in sorted(pairs)),
        circuits=tuple(circuits[key] for key in sorted(circuits)),
        spokes=spokes,
        findings=tuple(problems),
    )


def _gateways(shares: list[Share]) -> Iterator[Use[GatewayLike]]:
    for share in shares:
        yield from share.gateways


def _networks(shares: list[Share], gateways: Iterable[Use[GatewayLike]]) -> Iterator[Use[Network]]:
    for use in _gateways(shares):
        if use.part.network is not None:
            yield Use(use.part.network, f"{use.path}.network", use.owner, use.tags)
    for share in shares:
        for on in share.spokes:
            yield Use(on.use.part.network, f"{on.use.path}.network", on.use.owner, on.use.tags)


def _circuits(shares: list[Share]) -> Iterator[Use[Circuit | ExistingCircuit]]:
    for share in shares:
        for on in share.circuits:
            yield Use(on.use.part.circuit, f"{on.use.path}.circuit", on.use.owner, on.use.tags)


def _pair_key(part: Pair, frame: Frame) -> tuple[str, str]:
    first, second = sorted((frame.gateway_id(part.a).key, frame.gateway_id(part.b).key))
    return first, second


def _pair_address(part: Pair) -> str:
    kind = "VnetConnection" if part.via == "vnet" else "VpnConnection"
    return f"{kind}/{part.a.address_name}/{part.b.address_name}"


def _works(
    shares: list[Share], gateways: dict[ArmId, Use[GatewayLike]], frame: Frame, problems: list[Finding]
) -> dict[ArmId, Work]:
    site_uses: dict[ArmId, list[Use[Site]]] = defaultdict(list)
    client_uses: dict[ArmId, list[Use[ClientAccess]]] = defaultdict(list)
    circuit_uses: dict[ArmId, list[Use[CircuitLink]]] = defaultdict(list)
    spoke_uses: dict[ArmId, list[Use[Spoke]]] = defaultdict(list)
    pair_uses: dict[ArmId, list[Use[Pair]]] = defaultdict(list)
    for share in shares:
        _collect(share.sites, site_uses, frame)
        _collect(share.clients, client_uses, frame)
        _collect(share.circuits, circuit_uses, frame)
        _collect(share.spokes, spoke_uses, frame)
        for use in share.pairs:
            for gateway in (use.part.a, use.part.b):
                pair_uses[frame.gateway_id(gateway)].append(use)
    return {
        key: Work(
            id=key,
            use=use,
            tags=use.tags,
            sites=_sites(site_uses[key], use.part, problems),
            clients=_clients(client_uses[key], use.part, problems),
            pairs=tuple(pair_uses[key]),
            spokes=tuple(spoke_uses[key]),
            circuits=_links(circuit_uses[key], use.part, problems),
        )
        for key, use in gateways.items()
    }


def _collect(entries: Iterable[On[object]], into: dict[ArmId, list[Use[object]]], frame: Frame) -> None:
    for on in entries:
        for gateway in on.gateways:
            into[frame.gateway_id(gateway)].append(on.use)


def _sites(uses: list[Use[Site]], gateway: GatewayLike, problems: list[Finding]) -> tuple[Use[Site], ...]:
    """Sites by name; one blueprint may say a name once, two blueprints may say the same site."""
    problems.extend(_twins(uses, gateway))
    found = merged(
        uses, lambda part: part.name.lower(), lambda part: f"VpnConnection/{gateway.address_name}/{part.name}", problems
    )
    return tuple(found[name] for name in sorted(found))


def _twins(uses: list[Use[Site]], gateway: GatewayLike) -> Iterator[Finding]:
    seen: dict[tuple[str, str], Use[Site]] = {}
    for use in sorted(uses, key=lambda use: use.path):
        first = seen.setdefault((use.owner, use.part.name.lower()), use)
        if first is not use:
            yield Finding(
                rule="B-SITE",
                level="error",
                address=f"VpnConnection/{gateway.address_name}/{use.part.name}",
                summary="Two sites have one name",
                detail=f"{first.path} and {use.path} are both called {use.part.name!r}.",
                advice="Rename one, or make them two links of one site if they are two devices of one place.",
                location=use.path,
            )


def _clients(
    uses: list[Use[ClientAccess]], gateway: GatewayLike, problems: list[Finding]
) -> Use[ClientAccess] | None:
    if not uses:
        return None
    plain = [Use(client_access(use.part), use.path, use.owner, use.tags) for use in uses]
    found = merged(plain, lambda _: "clients", lambda _: gateway_address(gateway), problems)
    return found["clients"]


def client_access(part: ClientAccess) -> ClientAccess:
    """The client side of a blueprint that says more than that."""
    return ClientAccess.model_construct(**{name: getattr(part, name) for name in ClientAccess.model_fields})


def _links(
    uses: list[Use[CircuitLink]], gateway: GatewayLike, problems: list[Finding]
) -> tuple[Use[CircuitLink], ...]:
    found = merged(
        uses,
        lambda part: part.name.lower(),
        lambda part: f"ExpressRouteConnection/{gateway.address_name}/{part.name}",
        problems,
    )
    return tuple(found[name] for name in sorted(found))


def _spokes(
    shares: list[Share], frame: Frame, problems: list[Finding]
) -> tuple[tuple[Use[Spoke], Network, tuple[ArmId, ...]], ...]:
    groups: dict[tuple[ArmId, ArmId], list[Use[Spoke]]] = defaultdict(list)
    hubs: dict[tuple[ArmId, ArmId], tuple[Network, set[ArmId]]] = {}
    for share in shares:
        for on in share.spokes:
            hub = on.gateways[0].network
            if hub is None:
                problems.append(_no_hub(on))
                continue
            key = (frame.network_id(hub), frame.network_id(on.use.part.network))
            groups[key].append(on.use)
            hubs.setdefault(key, (hub, set()))[1].update(frame.gateway_id(gateway) for gateway in on.gateways)
    result = []
    for key in sorted(groups):
        hub, gateways = hubs[key]
        found = merged(
            groups[key],
            lambda _: "spoke",
            lambda part, hub=hub: f"Peering/{part.network.address_name}/{hub.address_name}",  # type: ignore[misc]
            problems,
        )
        result.append((found["spoke"], hub, tuple(sorted(gateways))))
    return tuple(result)


def _no_hub(on: On[Spoke]) -> Finding:
    return Finding(
        rule="B-HUB",
        level="error",
        address=gateway_address(on.gateways[0]),
        summary="The network of an existing gateway is not given",
        detail="Spokes are peered with the network that the gateway stands in, and the blueprint does not say which.",
        advice="Write VpnGateway.existing(..., network=VirtualNetwork.existing(...)).",
        location=on.use.path,
    )


# --- compiling -----------------------------------------------------------------------------------------------------


def _items(assembly: Assembly, frame: Frame) -> Iterator[Item]:
    by_id = {work.id: work for work in assembly.works}
    yield from _groups(assembly, frame)
    for use in assembly.networks:
        here = [work for work in assembly.works if _stands_in(work, frame.network_id(use.part), frame)]
        lost = tuple(sorted({name for work in here for name in work.lost}))
        yield from network(use, frame, has_gateway=bool(here), lost=lost)
    for work in assembly.works:
        yield from _work_items(work, frame)
    for use in assembly.circuits:
        names = tuple(sorted({link.part.name for work in assembly.works for link in work.circuits
                              if link.part.circuit == use.part}))  # fmt: skip
        yield from circuit(use, frame, names)
    for use in assembly.pairs:
        yield from pair(use, by_id[frame.gateway_id(use.part.a)], by_id[frame.gateway_id(use.part.b)], frame)
    for use, hub, gateways in assembly.spokes:
        yield from peerings(use, hub, gateways, frame)


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
    """Groups of everything that is ours; an absent one is made where its first network (by name) is."""
    wanted: dict[ArmId, list[tuple[str, str, Place]]] = defaultdict(list)
    for use in assembly.networks:
        if isinstance(use.part, VirtualNetwork):
            place = frame.place(use.part)
            wanted[place.id_of_group()].append((use.part.name, use.part.location, place))
    for work in assembly.works:
        part, location = work.gateway, gateway_location(work)
        if isinstance(part, VpnGateway | ExpressRouteGateway) and location is not None:
            place = frame.place(part)
            if isinstance(part.network, VirtualNetwork) or part.resource_group:
                wanted[place.id_of_group()].append((part.name, location, place))
    for circuit_use in assembly.circuits:
        if isinstance(circuit_use.part, Circuit):
            place = frame.place(circuit_use.part)
            wanted[place.id_of_group()].append((circuit_use.part.name, circuit_use.part.location, place))
    for key in sorted(wanted):
        _, location, place = min(wanted[key], key=lambda entry: entry[:2])
        yield group(place, location)


def _homeless(shares: Sequence[Share], frame: Frame) -> Iterator[Finding]:
    """Networks and circuits without a resource group: nothing has an id without one."""
    every = list(shares)
    parts = [
        *((use.part, use.path) for use in _networks(every, ())),
        *((use.part, use.path) for use in _circuits(every)),
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
